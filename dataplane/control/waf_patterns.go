package control

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func (s *Server) wirePatternSet(c *definition.Catalog, set *definition.RegexPatternSet) RegexPatternSet {
	return RegexPatternSet{
		Name: set.Name, ID: set.ID, ARN: s.wafARN(definition.KindRegexPatternSet, set.Name, set.ID), Description: set.Description,
		Tags: orEmpty(set.Tags), RegularExpressionList: set.RegularExpressions, WebACLs: s.usersOfPatternSet(c, set.ID),
	}
}

func (s *Server) listPatternSets(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	some, err := page(slices.Collect(maps.Values(c.RegexPatternSets)), patternSetName, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[RegexPatternSet]{Items: make([]RegexPatternSet, len(some.Items)), Position: some.Position}
	for i, set := range some.Items {
		list.Items[i] = s.wirePatternSet(c, set)
	}
	return 200, list, nil
}

func (s *Server) getPatternSet(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	set, err := patternSetNamed(c, r.params["patternset"])
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wirePatternSet(c, set), nil
}

// putPatternSet makes a regex pattern set or replaces its expressions.
func (s *Server) putPatternSet(r *request) (int, any, error) {
	var in struct {
		RegularExpressionList []string          `json:"regularExpressionList"`
		Description           *string           `json:"description"`
		Tags                  map[string]string `json:"tags"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if in.RegularExpressionList == nil {
		return 0, nil, validation([]string{mustNotBeNull("putRegexPatternSetInput.regularExpressionList")})
	}
	name := r.params["patternset"]
	if err := checkWAFInput("putRegexPatternSetInput", name, in.Description, in.Tags); err != nil {
		return 0, nil, err
	}
	var next definition.RegexPatternSet
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		next = definition.RegexPatternSet{ID: newRequestID(), Name: name}
		if set := named(c.RegexPatternSets, name, patternSetName); set != nil {
			next = *set
		} else if len(c.RegexPatternSets) >= maxPatternSets {
			return definition.Change{}, limitExceeded("Cannot exceed quota for RegexPatternSetsPerAccount: %d", maxPatternSets)
		}
		next.RegularExpressions = in.RegularExpressionList
		describe(&next.Description, &next.Tags, in.Description, in.Tags)
		if err := s.gateway.WAF().CheckPatterns(&next); err != nil {
			return definition.Change{}, badRequest("Invalid regex pattern set: %v", err)
		}
		return definition.Change{PutRegexPatternSets: []*definition.RegexPatternSet{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wirePatternSet(s.gateway.Catalog(), &next), nil
}

func (s *Server) deletePatternSet(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		set, err := patternSetNamed(c, r.params["patternset"])
		if err != nil {
			return definition.Change{}, err
		}
		if users := s.usersOfPatternSet(c, set.ID); len(users) > 0 {
			return definition.Change{}, conflict("Cannot delete regex pattern set %s because web ACLs name it: %s. Change their rules first", set.Name, strings.Join(users, ", "))
		}
		return definition.Change{DeleteRegexPatternSets: []string{set.ID}}, nil
	})
	return 202, nil, err
}
