package control

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Quotas of AWS WAF, and for regex pattern sets, of which it has 10, a larger one.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html
const (
	maxWebACLs     = 100
	maxIPSets      = 100
	maxPatternSets = 100
	maxDescription = 256
)

var wafNameRegexp = regexp.MustCompile(`^[\w-]{1,128}$`)

// checkWAFInput holds what web ACLs and sets have in common to AWS's form.
func checkWAFInput(input, name string, description *string, tags map[string]string) error {
	var problems []string
	if !wafNameRegexp.MatchString(name) {
		problems = append(problems, fmt.Sprintf("Value '%s' at '%s.name' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", name, input, wafNameRegexp))
	}
	if len(optional(description)) > maxDescription {
		problems = append(problems, fmt.Sprintf("Value at '%s.description' failed to satisfy constraint: Member must have length less than or equal to %d", input, maxDescription))
	}
	if err := validation(problems); err != nil {
		return err
	}
	return checkTags(tags)
}

// describe takes over what was given.
func describe(description *string, tags *map[string]string, newDescription *string, newTags map[string]string) {
	if newDescription != nil {
		*description = *newDescription
	}
	if newTags != nil {
		*tags = newTags
	}
}

func (s *Server) wafARN(kind, name, id string) string {
	return definition.WAFARN(s.options.Region, s.options.AccountID, kind, name, id)
}

func webACLName(a *definition.WebACL) string                { return a.Name }
func ipSetName(set *definition.IPSet) string                { return set.Name }
func patternSetName(set *definition.RegexPatternSet) string { return set.Name }

// named finds the one with a name, which no other has, or nil.
func named[T any](all map[string]*T, name string, of func(*T) string) *T {
	for _, one := range all {
		if of(one) == name {
			return one
		}
	}
	return nil
}

func webACLNamed(c *definition.Catalog, name string) (*definition.WebACL, error) {
	if a := named(c.WebACLs, name, webACLName); a != nil {
		return a, nil
	}
	return nil, notFound("The web ACL with name %s cannot be found.", name)
}

func ipSetNamed(c *definition.Catalog, name string) (*definition.IPSet, error) {
	if set := named(c.IPSets, name, ipSetName); set != nil {
		return set, nil
	}
	return nil, notFound("The IP set with name %s cannot be found.", name)
}

func patternSetNamed(c *definition.Catalog, name string) (*definition.RegexPatternSet, error) {
	if set := named(c.RegexPatternSets, name, patternSetName); set != nil {
		return set, nil
	}
	return nil, notFound("The regex pattern set with name %s cannot be found.", name)
}

// users returns the names of the web ACLs of which uses says that they name a set.
func (s *Server) users(c *definition.Catalog, uses func(ipSets, patternSets []string) bool) []string {
	names := []string{}
	for id, a := range c.WebACLs {
		if uses(s.gateway.WAF().Uses(id)) {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *Server) usersOfIPSet(c *definition.Catalog, id string) []string {
	return s.users(c, func(ipSets, _ []string) bool { return slices.Contains(ipSets, id) })
}

func (s *Server) usersOfPatternSet(c *definition.Catalog, id string) []string {
	return s.users(c, func(_, patternSets []string) bool { return slices.Contains(patternSets, id) })
}
