package control

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Documents are read where a change is compiled, which names what is wrong with
// them and where.

func (s *Server) wireWebACL(c *definition.Catalog, a *definition.WebACL) WebACL {
	out := WebACL{
		Name: a.Name, ID: a.ID, ARN: s.wafARN(definition.KindWebACL, a.Name, a.ID), Description: a.Description,
		Tags: orEmpty(a.Tags), Stages: []ProtectedStage{},
	}
	for key, st := range c.Stages {
		if st.WebACLID == a.ID {
			out.Stages = append(out.Stages, ProtectedStage{key.APIID, key.Stage})
		}
	}
	slices.SortFunc(out.Stages, func(a, b ProtectedStage) int {
		return cmp.Or(strings.Compare(a.APIID, b.APIID), strings.Compare(a.StageName, b.StageName))
	})
	return out
}

func (s *Server) listWebACLs(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	some, err := page(slices.Collect(maps.Values(c.WebACLs)), func(a *definition.WebACL) string { return a.Name }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[WebACL]{Items: make([]WebACL, len(some.Items)), Position: some.Position}
	for i, a := range some.Items {
		list.Items[i] = s.wireWebACL(c, a)
	}
	return 200, list, nil
}

func (s *Server) getWebACL(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	a, err := webACLNamed(c, r.params["webacl"])
	if err != nil {
		return 0, nil, err
	}
	answer := s.wireWebACL(c, a)
	answer.Document = a.Document
	return 200, answer, nil
}

// putWebACL makes a web ACL or replaces its document, for all stages that have it.
func (s *Server) putWebACL(r *request) (int, any, error) {
	var in struct {
		Document    *string           `json:"document"`
		Description *string           `json:"description"`
		Tags        map[string]string `json:"tags"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if in.Document == nil {
		return 0, nil, validation([]string{mustNotBeNull("putWebACLInput.document")})
	}
	name := r.params["webacl"]
	if err := checkWAFInput("putWebACLInput", name, in.Description, in.Tags); err != nil {
		return 0, nil, err
	}
	var next definition.WebACL
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		next = definition.WebACL{ID: newRequestID(), Name: name}
		if a := named(c.WebACLs, name, webACLName); a != nil {
			next = *a
		} else if len(c.WebACLs) >= maxWebACLs {
			return definition.Change{}, limitExceeded("Cannot exceed quota for WebACLsPerAccount: %d", maxWebACLs)
		}
		next.Document = *in.Document
		describe(&next.Description, &next.Tags, in.Description, in.Tags)
		return definition.Change{PutWebACLs: []*definition.WebACL{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	answer := s.wireWebACL(s.gateway.Catalog(), &next)
	answer.Document = next.Document
	return 200, answer, nil
}

func (s *Server) deleteWebACL(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := webACLNamed(c, r.params["webacl"])
		if err != nil {
			return definition.Change{}, err
		}
		var users []string
		for _, st := range s.wireWebACL(c, a).Stages {
			users = append(users, c.APIs[st.APIID].Name+":"+st.StageName)
		}
		if len(users) > 0 {
			return definition.Change{}, conflict("Cannot delete web ACL %s because it protects stages: %s. Detach it first", a.Name, strings.Join(users, ", "))
		}
		return definition.Change{DeleteWebACLs: []string{a.ID}}, nil
	})
	return 202, nil, err
}

func (s *Server) wafStats(*request) (int, any, error) {
	out := WAFStats{WebACLs: []WebACLStats{}, Inspections: s.gateway.WAF().Inspections()}
	acls := slices.SortedFunc(maps.Values(s.gateway.Catalog().WebACLs), func(a, b *definition.WebACL) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range acls {
		out.WebACLs = append(out.WebACLs, WebACLStats{a.Name, append([]RuleStats{}, s.gateway.WAF().Rules(a.ID)...)})
	}
	return 200, out, nil
}

func (s *Server) wafSamples(r *request) (int, any, error) {
	a, err := webACLNamed(s.gateway.Catalog(), r.params["webacl"])
	if err != nil {
		return 0, nil, err
	}
	return 200, List[SampledRequest]{Items: append([]SampledRequest{}, s.gateway.WAF().Samples(a.ID)...)}, nil
}

// findWebACL gives a stage the id of the web ACL that it was given by name, ARN or
// id.
func (s *Server) findWebACL(c *definition.Catalog, st *definition.Stage) error {
	if st.WebACLID == "" || c.WebACLs[st.WebACLID] != nil {
		return nil
	}
	for id, a := range c.WebACLs {
		if a.Name == st.WebACLID || s.wafARN(definition.KindWebACL, a.Name, id) == st.WebACLID {
			st.WebACLID = id
			return nil
		}
	}
	return badRequest("There is no web ACL %s", st.WebACLID)
}
