package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// decode reads a JSON body into v. An empty body is an empty object. A member
// that the service model does not have is refused: it would be lost silently.
func decode(body []byte, v any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &kind):
			return badRequest("Invalid value for '%s': it is a %s and must be a %s", kind.Field, kind.Value, kind.Type.Kind())
		case strings.HasPrefix(err.Error(), "json: unknown field"):
			return badRequest("Invalid request body: unknown member %s", strings.TrimPrefix(err.Error(), "json: unknown field "))
		default:
			return badRequest("Invalid request body: %v", err)
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return badRequest("Invalid request body: there is more after the JSON object")
	}
	return nil
}

// refusals are members of the service model that are not supported yet, by
// name, as they were sent. They may be absent or say what is the case anyway.
type refusals map[string]json.RawMessage

// check names the first member that asks for something.
func (r refusals) check(operation string) error {
	for _, name := range slices.Sorted(maps.Keys(r)) {
		switch strings.TrimSpace(string(r[name])) {
		case "", "null", "false", `""`, "{}", "[]":
		default:
			return unsupported(name + " of " + operation)
		}
	}
	return nil
}

// optional is s, or empty for nil.
func optional(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
