package control

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Documents are read where a change is compiled, which names what is wrong with
// them; here they are measured.

func (s *Server) wirePolicy(p *definition.ManagedPolicy, users []string) Policy {
	return Policy{
		PolicyName: p.Name, ARN: "arn:aws:iam::" + s.options.AccountID + ":policy/" + p.Name,
		AttachedUsers: append([]string{}, users...), CreateDate: p.CreatedDate, UpdateDate: p.UpdatedDate,
	}
}

func (s *Server) listPolicies(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	some, err := page(slices.Collect(maps.Values(c.Policies)), func(p *definition.ManagedPolicy) string { return p.Name }, r.query)
	if err != nil {
		return 0, nil, err
	}
	users := c.Attachments()
	list := List[Policy]{Items: make([]Policy, len(some.Items)), Position: some.Position}
	for i, p := range some.Items {
		list.Items[i] = s.wirePolicy(p, users[p.Name])
	}
	return 200, list, nil
}

func (s *Server) getPolicy(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	p, err := policyNamed(c, r.params["policy"])
	if err != nil {
		return 0, nil, err
	}
	answer := s.wirePolicy(p, c.Attachments()[p.Name])
	answer.PolicyDocument = p.Document
	return 200, answer, nil
}

// putPolicy makes a policy or replaces its document, for all users that have it.
func (s *Server) putPolicy(r *request) (int, any, error) {
	document, err := decodeDocument(r.body, "putPolicyInput")
	if err != nil {
		return 0, nil, err
	}
	now := s.now().UTC().Truncate(time.Second)
	next := definition.ManagedPolicy{Name: r.params["policy"], CreatedDate: now}
	if err := checkIAMName("putPolicyInput.policyName", next.Name, maxPolicyName); err != nil {
		return 0, nil, err
	}
	if policySize(document) > maxPolicySize {
		return 0, nil, limitExceeded("Cannot exceed quota for PolicySize: %d", maxPolicySize)
	}
	var users []string
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		if p := c.Policies[next.Name]; p != nil {
			next = *p
		} else if err := mayMakePolicy(c, next.Name); err != nil {
			return definition.Change{}, err
		}
		next.Document, next.UpdatedDate = document, now
		users = c.Attachments()[next.Name]
		return definition.Change{PutPolicies: []*definition.ManagedPolicy{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	answer := s.wirePolicy(&next, users)
	answer.PolicyDocument = document
	return 200, answer, nil
}

func mayMakePolicy(c *definition.Catalog, name string) error {
	for other := range c.Policies {
		if strings.EqualFold(other, name) {
			return conflict("A policy called %s already exists. Duplicate names are not allowed.", other)
		}
	}
	if len(c.Policies) >= maxPolicies {
		return limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	return nil
}

func (s *Server) deletePolicy(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		p, err := policyNamed(c, r.params["policy"])
		if err != nil {
			return definition.Change{}, err
		}
		if users := c.Attachments()[p.Name]; len(users) > 0 {
			return definition.Change{}, conflict("Cannot delete a policy attached to entities: %s", strings.Join(users, ", "))
		}
		return definition.Change{DeletePolicies: []string{p.Name}}, nil
	})
	return 202, nil, err
}
