package authorizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

// MaxResult bounds what an authorizer answers, in bytes.
const MaxResult = 64 << 10

// reserved is the name of the context's member that is a user pool's to set.
const reserved = "claims"

// parseResult reads what an authorizer answers: principalId, policyDocument,
// context and usageIdentifierKey.
func parseResult(text []byte) (Verdict, error) {
	if len(text) > MaxResult {
		return Verdict{}, fmt.Errorf("the answer has more than %d bytes", MaxResult)
	}
	v := Verdict{Outcome: Decided, lasting: true, Said: sha256.Sum256(text)}
	members, err := readObject(text, "the answer")
	if err != nil {
		return Verdict{}, err
	}
	simple := false
	for _, m := range members {
		switch m.name {
		case "principalId":
			v.PrincipalID, err = readString(m)
		case "policyDocument":
			if v.Policy, err = policy.Compile(m.value, policy.Options{Kind: policy.Identity}); err != nil {
				err = fmt.Errorf("policyDocument: %w", err)
			}
		case "context":
			v.Context, err = readContext(m.value)
		case "usageIdentifierKey":
			if !isNull(m.value) {
				v.UsageIdentifierKey, err = readString(m)
			}
		case "isAuthorized":
			simple = true
		}
		if err != nil {
			return Verdict{}, err
		}
	}
	switch {
	case v.Policy == nil && simple:
		return Verdict{}, errors.New("the answer is a simple response (isAuthorized) of HTTP APIs, and has no policyDocument")
	case v.Policy == nil:
		return Verdict{}, errors.New("the answer has no policyDocument")
	case v.PrincipalID == "":
		return Verdict{}, errors.New("the answer has no principalId")
	}
	return v, nil
}

func readContext(text json.RawMessage) ([]Value, error) {
	if isNull(text) {
		return nil, nil
	}
	members, err := readObject(text, "context")
	if err != nil {
		return nil, err
	}
	values := make([]Value, 0, len(members))
	for _, m := range members {
		value := Value{Name: m.name, Text: string(m.value)}
		switch m.value[0] {
		case '{', '[':
			return nil, fmt.Errorf("context.%s: must be a string, a number or a boolean", m.name)
		case '"':
			value.Text, err = readString(m)
		case 'n':
			value.Text, value.Null = "", true
		}
		if m.name == reserved {
			err = fmt.Errorf("context.%s: the name is reserved", m.name)
		}
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// member is one of an object's, as it came.
type member struct {
	name  string
	value json.RawMessage // without white space around it
}

// readObject reads one object, and nothing behind it, and refuses names that are
// there twice, which readers understand differently.
func readObject(text []byte, what string) ([]member, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, fmt.Errorf("%s is not JSON", what)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("%s is not an object", what)
	}
	var members []member
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		m := member{}
		m.name, _ = token.(string) // the decoder lets nothing else pass
		if seen[m.name] {
			return nil, fmt.Errorf("%s: %q is given twice", what, m.name)
		}
		seen[m.name] = true
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		members = append(members, m)
	}
	return members, nil
}

func readString(m member) (text string, err error) {
	if err := json.Unmarshal(m.value, &text); err != nil || isNull(m.value) {
		return "", fmt.Errorf("%s: must be a string", m.name)
	}
	return text, nil
}

func isNull(text json.RawMessage) bool { return string(text) == "null" }
