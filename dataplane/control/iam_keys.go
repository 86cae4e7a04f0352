package control

import (
	"maps"
	"slices"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// newSecret characters make the secret of an access key: 238 bits.
const newSecret = 40

// wireAccessKey leaves the secret out: the answer that makes a key adds it.
func wireAccessKey(k *definition.AccessKey) AccessKey {
	out := AccessKey{UserName: k.UserName, AccessKeyID: k.ID, Status: KeyInactive, CreateDate: k.CreatedDate}
	if k.Active {
		out.Status = KeyActive
	}
	return out
}

// createAccessKey answers the secret, this once. As on AWS a user has two keys at
// most: one in use and the one that will replace it.
func (s *Server) createAccessKey(r *request) (int, any, error) {
	if err := decode(r.body, &struct{}{}); err != nil {
		return 0, nil, err
	}
	k := &definition.AccessKey{
		UserName: r.params["user"], Secret: randomText(newSecret, keyValueLetter), Active: true, CreatedDate: s.now().UTC().Truncate(time.Second),
	}
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := userNamed(c, k.UserName); err != nil {
			return definition.Change{}, err
		}
		if len(c.KeysOf(k.UserName)) >= maxKeysOfUser {
			return definition.Change{}, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeysOfUser)
		}
		for k.ID == "" || c.AccessKeys[k.ID] != nil {
			k.ID = "AKIA" + randomText(16, base32Letters)
		}
		return definition.Change{PutAccessKeys: []*definition.AccessKey{k}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = k.ID
	answer := wireAccessKey(k)
	answer.SecretAccessKey = k.Secret
	return 201, answer, nil
}

// listAccessKeys lists all keys by user, or those of one user.
func (s *Server) listAccessKeys(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	keys := slices.Collect(maps.Values(c.AccessKeys))
	if name := r.query.Get("userName"); name != "" {
		if _, err := userNamed(c, name); err != nil {
			return 0, nil, err
		}
		keys = c.KeysOf(name)
	}
	some, err := page(keys, func(k *definition.AccessKey) string { return k.UserName + "\x00" + k.ID }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[AccessKey]{Items: make([]AccessKey, len(some.Items)), Position: some.Position}
	for i, k := range some.Items {
		list.Items[i] = wireAccessKey(k)
	}
	return 200, list, nil
}

// updateAccessKey switches a key on or off.
func (s *Server) updateAccessKey(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateAccessKeyInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.AccessKey
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		k, err := accessKey(c, r.params["accesskey"])
		if err != nil {
			return definition.Change{}, err
		}
		next = *k
		for _, op := range ops {
			if err := patchAccessKey(&next, op); err != nil {
				return definition.Change{}, err
			}
		}
		return definition.Change{PutAccessKeys: []*definition.AccessKey{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireAccessKey(&next), nil
}

func patchAccessKey(k *definition.AccessKey, op PatchOperation) error {
	if op.Path != "/status" {
		return unknownPath(op, "/status")
	}
	if op.Value != KeyActive && op.Value != KeyInactive { // it may be a secret, which must not get into the log
		return badRequest("Invalid value for /status: it must be %s or %s", KeyActive, KeyInactive)
	}
	k.Active = op.Value == KeyActive
	return only(op, "replace")
}

func (s *Server) deleteAccessKey(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		k, err := accessKey(c, r.params["accesskey"])
		if err != nil {
			return definition.Change{}, err
		}
		return definition.Change{DeleteAccessKeys: []string{k.ID}}, nil
	})
	return 202, nil, err
}
