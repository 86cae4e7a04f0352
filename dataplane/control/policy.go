package control

import (
	"bytes"
	"encoding/json"
	"strings"
)

// policy checks the resource policy of an API, and returns it as it is kept:
// compact JSON. Clients send it as a text, and some of them with the escapes that
// AWS prints it with.
func (s *Server) policy(apiID, text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "{}" {
		return "", nil
	}
	if !json.Valid([]byte(text)) {
		if plain := strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, `/`).Replace(text); json.Valid([]byte(plain)) {
			text = plain
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return "", badRequest("Invalid policy document. Please check the policy syntax and ensure that Principals are valid. It is not JSON: %v", err)
	}
	if s.options.CheckPolicy != nil {
		if err := s.options.CheckPolicy(apiID, compact.String()); err != nil {
			return "", badRequest("Invalid policy document. Please check the policy syntax and ensure that Principals are valid. %v", err)
		}
	}
	return compact.String(), nil
}

// escapedPolicy is a policy as AWS prints it: the document as the inside of a
// JSON string, which the answer then escapes once more.
func escapedPolicy(policy string) string {
	if policy == "" {
		return ""
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(policy)
}
