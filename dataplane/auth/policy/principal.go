package policy

import (
	"fmt"
	"slices"
	"strings"
)

// principals is the Principal element of a statement.
type principals struct {
	everyone bool
	accounts []string // whoever belongs to them
	arns     []string
}

func (p *principals) match(c *Context) bool {
	if p.everyone {
		return true
	}
	return c.PrincipalAccount != "" && slices.Contains(p.accounts, c.PrincipalAccount) ||
		c.PrincipalARN != "" && slices.Contains(p.arns, c.PrincipalARN)
}

// compilePrincipals reads "*" or {"AWS": …}. Services, federated and canonical
// users never call a method of ours.
func compilePrincipals(n *node, at string) (*principals, error) {
	p := &principals{}
	if n.kind == isString && n.text == "*" {
		p.everyone = true
		return p, nil
	}
	if n.kind != isObject || len(n.members) == 0 {
		return nil, fmt.Errorf(`%s: must be "*" or an object such as {"AWS": "*"}`, at)
	}
	for i := range n.members {
		m := &n.members[i]
		place := join(at, m.name)
		texts, err := m.value.texts(place)
		if err != nil {
			return nil, err
		}
		switch m.name {
		case "AWS":
			for _, text := range texts {
				if err := p.add(text); err != nil {
					return nil, fmt.Errorf("%s: %w", place, err)
				}
			}
		case "Service", "Federated", "CanonicalUser":
		default:
			return nil, fmt.Errorf("%s: unknown kind of principal", place)
		}
	}
	return p, nil
}

// add reads "*", an account by number or as its root, or an ARN.
func (p *principals) add(text string) error {
	a, isARN := splitARN(text)
	switch {
	case text == "*":
		p.everyone = true
	case isAccount(text):
		p.accounts = append(p.accounts, text)
	case !isARN || strings.ContainsAny(text, "*?") || !isAccount(a[accountPart]) || a[resourcePart] == "":
		return fmt.Errorf("%q is neither \"*\", an account nor the ARN of a principal", text)
	case a[resourcePart] == "root":
		p.accounts = append(p.accounts, a[accountPart])
	default:
		p.arns = append(p.arns, text)
	}
	return nil
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}
