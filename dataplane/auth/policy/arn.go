package policy

import (
	"errors"
	"fmt"
	"strings"
)

// arnParts is arn:partition:service:region:account:resource.
const arnParts = 6

const (
	accountPart  = 4
	resourcePart = 5
)

// arn is an ARN that a policy is evaluated for.
type arn [arnParts]string

func splitARN(text string) (a arn, ok bool) {
	for i := range resourcePart {
		colon := strings.IndexByte(text, ':')
		if colon < 0 {
			return a, false
		}
		a[i], text = text[:colon], text[colon+1:]
	}
	a[resourcePart] = text
	return a, a[0] == "arn"
}

// arnPattern matches each part of an ARN by itself, so that no wildcard reaches
// over a colon; in the resource, colons are like other characters.
type arnPattern [arnParts]pattern

// compileARN reads a pattern for ARNs. One that ends early must end with an
// asterisk, which then stands for what is missing.
func (x *syntax) compileARN(text string) (*arnPattern, error) {
	parts := x.split(text, arnParts)
	if len(parts) < arnParts && !strings.HasSuffix(text, "*") {
		return nil, fmt.Errorf("%q is neither an ARN nor \"*\"", text)
	}
	if len(parts) > 1 && parts[0] != "arn" && parts[0] != "*" {
		return nil, fmt.Errorf("%q does not begin with \"arn:\"", text)
	}
	var a arnPattern
	for i := range a {
		a[i] = anything
		if i >= len(parts) {
			continue
		}
		part, err := x.expand(parts[i], true)
		if err != nil {
			return nil, err
		}
		if a[i], err = compilePattern(part); err != nil {
			return nil, err
		}
	}
	return &a, nil
}

func (p *arnPattern) match(a *arn) bool {
	for i := arnParts - 1; i >= 0; i-- { // the resource differs most
		if !p[i].match(a[i]) {
			return false
		}
	}
	return true
}

// shortPrefix begins a resource of the API whose policy it is:
// "execute-api:/stage/GET/path".
const shortPrefix = "execute-api:/"

// compileResource reads a Resource. api is the ARN that completes short forms.
func (x *syntax) compileResource(text, api string) (*arnPattern, error) {
	rest, short := strings.CutPrefix(text, shortPrefix)
	if !short {
		return x.compileARN(text)
	}
	if api == "" {
		return nil, errors.New("the short form is for policies of an API")
	}
	return x.compileARN(api + "/" + rest)
}
