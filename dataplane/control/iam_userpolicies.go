package control

import (
	"maps"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func inlinePolicy(u *definition.User, name string) (string, error) {
	if document, ok := u.Policies[name]; ok {
		return document, nil
	}
	return "", notFound("The user policy with name %s cannot be found.", name)
}

func (s *Server) getUserPolicy(r *request) (int, any, error) {
	u, err := userNamed(s.gateway.Catalog(), r.params["user"])
	if err != nil {
		return 0, nil, err
	}
	document, err := inlinePolicy(u, r.params["policy"])
	if err != nil {
		return 0, nil, err
	}
	return 200, UserPolicy{UserName: u.Name, PolicyName: r.params["policy"], PolicyDocument: document}, nil
}

// putUserPolicy makes an inline policy or replaces its document.
func (s *Server) putUserPolicy(r *request) (int, any, error) {
	document, err := decodeDocument(r.body, "putUserPolicyInput")
	if err != nil {
		return 0, nil, err
	}
	name := r.params["policy"]
	if err := checkIAMName("putUserPolicyInput.policyName", name, maxPolicyName); err != nil {
		return 0, nil, err
	}
	return s.editUser(r, func(_ *definition.Catalog, u *definition.User) error {
		u.Policies = maps.Clone(u.Policies)
		if u.Policies == nil {
			u.Policies = map[string]string{}
		}
		u.Policies[name] = document
		size := 0
		for _, d := range u.Policies {
			size += policySize(d)
		}
		if size > maxUserPolicySize {
			return limitExceeded("Maximum policy size of %d bytes exceeded for user %s", maxUserPolicySize, u.Name)
		}
		return nil
	})
}

func (s *Server) deleteUserPolicy(r *request) (int, any, error) {
	name := r.params["policy"]
	_, _, err := s.editUser(r, func(_ *definition.Catalog, u *definition.User) error {
		u.Policies = maps.Clone(u.Policies)
		_, err := inlinePolicy(u, name)
		delete(u.Policies, name)
		return err
	})
	return 202, nil, err
}

// attachUserPolicy gives a user a managed policy. It may have it already.
func (s *Server) attachUserPolicy(r *request) (int, any, error) {
	return s.editUser(r, func(c *definition.Catalog, u *definition.User) error {
		p, err := policyNamed(c, r.params["policy"])
		if err != nil || slices.Contains(u.Attached, p.Name) {
			return err
		}
		if len(u.Attached) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPerUser: %d", maxAttached)
		}
		u.Attached = append(slices.Clone(u.Attached), p.Name)
		slices.Sort(u.Attached)
		return nil
	})
}

func (s *Server) detachUserPolicy(r *request) (int, any, error) {
	name := r.params["policy"]
	_, _, err := s.editUser(r, func(_ *definition.Catalog, u *definition.User) error {
		i := slices.Index(u.Attached, name)
		if i < 0 {
			return notFound("Policy %s is not attached to user %s.", name, u.Name)
		}
		u.Attached = slices.Delete(slices.Clone(u.Attached), i, i+1)
		return nil
	})
	return 202, nil, err
}
