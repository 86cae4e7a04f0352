package policy

import (
	"errors"
	"fmt"
)

// Sizes of documents, in bytes.
const (
	MaxBytes         = 64 << 10 // that Compile reads
	MaxResourceBytes = 8192     // of a resource policy, unless AWS raised it
)

// Kind says whose a policy is.
type Kind uint8

// Kinds.
const (
	Identity Kind = iota // of a user or group, or returned by an authorizer: it has no principals
	Resource             // of an API: every statement has principals
)

// Options say what a document is compiled for.
type Options struct {
	Kind Kind

	// API is the ARN that completes resources of the form
	// "execute-api:/stage/GET/path": arn:aws:execute-api:region:account:api.
	API string

	// Variables are the values of policy variables, such as those of
	// ${aws:username} and ${aws:PrincipalTag/team}, by lower-case name. A document
	// with a variable that has no value here and no default is refused.
	Variables map[string]string

	// AnyTag lets ${aws:PrincipalTag/…} stand without a value. It is for checking a
	// document that is nobody's yet; what is compiled must not be evaluated.
	AnyTag bool
}

// Policy is a compiled document. It is never changed.
type Policy struct {
	statements []statement
}

// Versions of the policy language. A document without has the older.
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Compile reads a policy document. Errors name the place, such as
// `Statement[1].Condition.IpAddress.aws:SourceIp: "x" is neither …`.
func Compile(text []byte, o Options) (*Policy, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("policy has %d bytes, more than %d", len(text), MaxBytes)
	}
	n, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	if n.kind != isObject {
		return nil, errors.New("policy must be an object")
	}
	var statements *node
	x := &syntax{}
	for i := range n.members {
		m := &n.members[i]
		switch {
		case m.name == "Statement":
			statements = &m.value
		case m.value.kind != isString:
			return nil, fmt.Errorf("%s: must be a string", m.name)
		case m.name == "Version" && m.value.text == version2012:
			x.variables, x.values, x.anyTag = true, o.Variables, o.AnyTag
		case m.name == "Version" && m.value.text == version2008, m.name == "Id":
		case m.name == "Version":
			return nil, fmt.Errorf("%s: must be %q or %q", m.name, version2012, version2008)
		default:
			return nil, fmt.Errorf("%s: unknown element", m.name)
		}
	}
	if statements == nil {
		return nil, errors.New("policy has no Statement")
	}
	p := &Policy{}
	sids := map[string]bool{}
	items, place := statements.list("Statement")
	for i := range items {
		s, sid, err := x.compileStatement(&items[i], place(i), o)
		if err != nil {
			return nil, err
		}
		if sid != "" && sids[sid] {
			return nil, fmt.Errorf("%s.Sid: %q is given twice", place(i), sid)
		}
		sids[sid] = true
		p.statements = append(p.statements, s)
	}
	return p, nil
}
