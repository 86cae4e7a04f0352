package policy

import "fmt"

// statement applies if all of its elements do.
type statement struct {
	deny          bool
	actions       Action
	principals    *principals // nil for whoever the policy is attached to
	notPrincipals bool
	resources     []*arnPattern
	notResources  bool
	conditions    []condition
}

// elements are the names that a statement may have, with their opposites.
var elements = map[string]string{
	"Sid": "", "Effect": "", "Condition": "",
	"Principal": "NotPrincipal", "NotPrincipal": "Principal",
	"Action": "NotAction", "NotAction": "Action",
	"Resource": "NotResource", "NotResource": "Resource",
}

func (x *syntax) compileStatement(n *node, at string, o Options) (s statement, sid string, err error) {
	if n.kind != isObject {
		return s, "", fmt.Errorf("%s: must be an object", at)
	}
	has := map[string]bool{}
	for i := range n.members {
		m := &n.members[i]
		place := join(at, m.name)
		opposite, known := elements[m.name]
		switch {
		case !known:
			return s, "", fmt.Errorf("%s: unknown element", place)
		case has[opposite]:
			return s, "", fmt.Errorf("%s: stands beside %s", place, opposite)
		}
		has[m.name] = true
		switch m.name {
		case "Sid":
			if m.value.kind != isString {
				err = fmt.Errorf("%s: must be a string", place)
			}
			sid = m.value.text
		case "Effect":
			if m.value.kind != isString || m.value.text != "Allow" && m.value.text != "Deny" {
				err = fmt.Errorf(`%s: must be "Allow" or "Deny"`, place)
			}
			s.deny = m.value.text == "Deny"
		case "Condition":
			s.conditions, err = x.compileConditions(&m.value, place)
		case "Principal", "NotPrincipal":
			s.notPrincipals = m.name == "NotPrincipal"
			s.principals, err = compilePrincipals(&m.value, place)
		case "Action", "NotAction":
			s.actions, err = compileActions(&m.value, place)
			if m.name == "NotAction" {
				s.actions ^= allActions
			}
		case "Resource", "NotResource":
			s.notResources = m.name == "NotResource"
			s.resources, err = x.compileResources(&m.value, place, o.API)
		}
		if err != nil {
			return s, "", err
		}
	}
	principal := has["Principal"] || has["NotPrincipal"]
	switch {
	case !has["Effect"]:
		err = fmt.Errorf("%s: has no Effect", at)
	case !has["Action"] && !has["NotAction"]:
		err = fmt.Errorf("%s: has neither Action nor NotAction", at)
	case !has["Resource"] && !has["NotResource"]:
		err = fmt.Errorf("%s: has neither Resource nor NotResource", at)
	case o.Kind == Resource && !principal:
		err = fmt.Errorf("%s: has neither Principal nor NotPrincipal", at)
	case o.Kind == Identity && principal:
		err = fmt.Errorf("%s: has a principal, which is for resource policies", at)
	}
	return s, sid, err
}

func compileActions(n *node, at string) (all Action, err error) {
	texts, err := n.texts(at)
	if err != nil {
		return 0, err
	}
	for _, text := range texts {
		a, err := compileAction(text)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", at, err)
		}
		all |= a
	}
	return all, nil
}

func (x *syntax) compileResources(n *node, at, api string) ([]*arnPattern, error) {
	texts, err := n.texts(at)
	if err != nil {
		return nil, err
	}
	var all []*arnPattern
	for _, text := range texts {
		a, err := x.compileResource(text, api)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		all = append(all, a)
	}
	return all, nil
}
