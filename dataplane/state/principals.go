package state

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// accessKeyRecord is an access key as it is stored: its secret is sealed.
type accessKeyRecord struct {
	*definition.AccessKey
	Sealed []byte `json:"sealedSecret"`
}

// readAccessKey decodes an accessKeyRecord and unseals its secret.
func (v *vault) readAccessKey(id, value []byte) (accessKeyRecord, error) {
	var r accessKeyRecord
	if err := decode(id, value, &r); err != nil {
		return r, err
	}
	var err error
	if r.Secret, err = v.unsealSecret(r.ID, r.UserName, r.Sealed); err != nil {
		return r, fmt.Errorf("secret of access key %s: %w", id, err)
	}
	return r, nil
}

// principals loads policies before users and users before keys, so that each
// finds what it refers to.
func (l *loading) principals() error {
	c := l.catalog
	err := l.tx.Bucket(bucketPolicies).ForEach(func(key, value []byte) error {
		p := new(definition.ManagedPolicy)
		if err := decode(key, value, p); err != nil {
			return err
		}
		c.Policies[p.Name] = p
		return nil
	})
	if err != nil {
		return err
	}
	err = l.tx.Bucket(bucketUsers).ForEach(func(key, value []byte) error {
		u := new(definition.User)
		if err := decode(key, value, u); err != nil {
			return err
		}
		c.Users[u.Name] = u
		return checkAttached(u, func(name string) bool { return c.Policies[name] != nil })
	})
	if err != nil {
		return err
	}
	return l.tx.Bucket(bucketAccessKeys).ForEach(func(key, value []byte) error {
		r, err := l.vault.readAccessKey(key, value)
		if err != nil {
			return err
		}
		c.AccessKeys[r.ID] = r.AccessKey
		return checkOwner(r.AccessKey, func(name string) bool { return c.Users[name] != nil })
	})
}

func checkAttached(u *definition.User, exists func(policy string) bool) error {
	for _, name := range u.Attached {
		if !exists(name) {
			return fmt.Errorf("policy %s, which does not exist, is attached to user %s", name, u.Name)
		}
	}
	return nil
}

func checkOwner(k *definition.AccessKey, exists func(user string) bool) error {
	if !exists(k.UserName) {
		return fmt.Errorf("access key %s is of user %s, which does not exist", k.ID, k.UserName)
	}
	return nil
}

func (w *writing) putPolicy(p *definition.ManagedPolicy) error {
	if err := checkID(p.Name); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return put(w.policies, []byte(p.Name), p)
}

func (w *writing) putUser(u *definition.User) error {
	if err := checkID(u.Name); err != nil {
		return fmt.Errorf("user: %w", err)
	}
	if err := checkAttached(u, has(w.policies)); err != nil {
		return err
	}
	return put(w.users, []byte(u.Name), u)
}

func (w *writing) putAccessKey(k *definition.AccessKey) error {
	if err := checkID(k.ID); err != nil {
		return fmt.Errorf("access key: %w", err)
	}
	if k.Secret == "" { // anyone could sign with it
		return fmt.Errorf("access key %s: it has no secret", k.ID)
	}
	if err := checkOwner(k, has(w.users)); err != nil {
		return err
	}
	id := []byte(k.ID)
	r := accessKeyRecord{AccessKey: k}
	if before := w.accessKeys.Get(id); before != nil {
		old, err := w.vault.readAccessKey(id, before)
		if err != nil {
			return err
		}
		if old.Secret != k.Secret || old.UserName != k.UserName {
			return fmt.Errorf("access key %s: its user and its secret cannot be changed: make another key", k.ID)
		}
		r.Sealed = old.Sealed
	} else {
		r.Sealed = w.vault.sealSecret(k.ID, k.UserName, k.Secret)
	}
	return put(w.accessKeys, id, r)
}

// deleteNamed returns a deletion by key. A missing record is fine.
func deleteNamed(b *bolt.Bucket) func(string) error {
	return func(name string) error { return b.Delete([]byte(name)) }
}

// checkPrincipals looks for what a deletion has left without its user or policy.
func (w *writing) checkPrincipals() error {
	err := w.users.ForEach(func(key, value []byte) error {
		var u definition.User
		if err := decode(key, value, &u); err != nil {
			return err
		}
		return checkAttached(&u, has(w.policies))
	})
	if err != nil {
		return err
	}
	return w.accessKeys.ForEach(func(key, value []byte) error {
		r := accessKeyRecord{}
		if err := decode(key, value, &r); err != nil {
			return err
		}
		return checkOwner(r.AccessKey, has(w.users))
	})
}

func has(b *bolt.Bucket) func(string) bool {
	return func(key string) bool { return b.Get([]byte(key)) != nil }
}
