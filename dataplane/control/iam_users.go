package control

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// base32Letters are those of IAM's ids.
const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func (s *Server) wireUser(u *definition.User) User {
	out := User{
		UserName: u.Name, UserID: u.ID, Path: u.Path, ARN: iam.ARN(s.options.AccountID, u), CreateDate: u.CreatedDate, Tags: u.Tags,
		PolicyNames:      append([]string{}, slices.Sorted(maps.Keys(u.Policies))...),
		AttachedPolicies: append([]string{}, u.Attached...),
	}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out
}

func (s *Server) listUsers(r *request) (int, any, error) {
	users := slices.Collect(maps.Values(s.gateway.Catalog().Users))
	some, err := page(users, func(u *definition.User) string { return u.Name }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[User]{Items: make([]User, len(some.Items)), Position: some.Position}
	for i, u := range some.Items {
		list.Items[i] = s.wireUser(u)
	}
	return 200, list, nil
}

func (s *Server) getUser(r *request) (int, any, error) {
	u, err := userNamed(s.gateway.Catalog(), r.params["user"])
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireUser(u), nil
}

func (s *Server) createUser(r *request) (int, any, error) {
	var in struct {
		UserName *string           `json:"userName"`
		Path     *string           `json:"path"`
		Tags     map[string]string `json:"tags"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if in.UserName == nil {
		return 0, nil, validation([]string{mustNotBeNull("createUserInput.userName")})
	}
	u := &definition.User{Name: *in.UserName, ID: "AIDA" + randomText(17, base32Letters), Path: "/", Tags: in.Tags, CreatedDate: s.now().UTC().Truncate(time.Second)}
	if in.Path != nil {
		u.Path = *in.Path
	}
	for _, err := range []error{checkIAMName("createUserInput.userName", u.Name, maxUserName), checkUserPath(u.Path), checkUserTags(u.Tags)} {
		if err != nil {
			return 0, nil, err
		}
	}
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		for name := range c.Users {
			if strings.EqualFold(name, u.Name) {
				return definition.Change{}, conflict("User with name %s already exists.", name)
			}
		}
		if len(c.Users) >= maxUsers {
			return definition.Change{}, limitExceeded("Cannot exceed quota for UsersPerAccount: %d", maxUsers)
		}
		return definition.Change{PutUsers: []*definition.User{u}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = u.Name
	return 201, s.wireUser(u), nil
}

// updateUser patches the tags of a user.
func (s *Server) updateUser(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateUserInput")
	if err != nil {
		return 0, nil, err
	}
	return s.editUser(r, func(_ *definition.Catalog, u *definition.User) error {
		u.Tags = maps.Clone(u.Tags)
		if u.Tags == nil {
			u.Tags = map[string]string{}
		}
		for _, op := range ops {
			if err := patchUser(u, op); err != nil {
				return err
			}
		}
		return checkUserTags(u.Tags)
	})
}

func patchUser(u *definition.User, op PatchOperation) error {
	key, ok := strings.CutPrefix(op.Path, "/tags/")
	if !ok || key == "" || strings.Contains(key, "/") {
		return unknownPath(op, "/tags/{key}")
	}
	key = unescape(key)
	if err := only(op, "add", "replace", "remove"); err != nil {
		return err
	}
	if op.Op != "remove" {
		u.Tags[key] = op.Value
		return nil
	}
	if _, ok := u.Tags[key]; !ok {
		return badRequest("Cannot remove tag %s because the user has no such tag", key)
	}
	delete(u.Tags, key)
	return nil
}

// editUser changes a copy of the user that the path names, and answers it.
func (s *Server) editUser(r *request, edit func(*definition.Catalog, *definition.User) error) (int, any, error) {
	var next definition.User
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		u, err := userNamed(c, r.params["user"])
		if err != nil {
			return definition.Change{}, err
		}
		next = *u
		return definition.Change{PutUsers: []*definition.User{&next}}, edit(c, &next)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireUser(&next), nil
}

// deleteUser refuses a user that has keys or policies, as IAM does, unless the
// query has force=true.
func (s *Server) deleteUser(r *request) (int, any, error) {
	force, err := queryFlag(r.query, "force")
	if err != nil {
		return 0, nil, err
	}
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		u, err := userNamed(c, r.params["user"])
		if err != nil {
			return definition.Change{}, err
		}
		ch := definition.Change{DeleteUsers: []string{u.Name}}
		for _, k := range c.KeysOf(u.Name) {
			ch.DeleteAccessKeys = append(ch.DeleteAccessKeys, k.ID)
		}
		switch {
		case force:
		case len(ch.DeleteAccessKeys) > 0:
			err = conflict("Cannot delete entity, must delete access keys first: %s", strings.Join(ch.DeleteAccessKeys, ", "))
		case len(u.Attached) > 0:
			err = conflict("Cannot delete entity, must detach all policies first: %s", strings.Join(u.Attached, ", "))
		case len(u.Policies) > 0:
			err = conflict("Cannot delete entity, must delete policies first: %s", strings.Join(slices.Sorted(maps.Keys(u.Policies)), ", "))
		}
		return ch, err
	})
	return 202, nil, err
}
