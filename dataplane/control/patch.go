package control

import (
	"fmt"
	"slices"
	"strings"
)

// patchVerbs is the enumeration of the service model, in the order in which
// AWS prints it.
var patchVerbs = []string{"add", "remove", "move", "test", "replace", "copy"}

// decodePatch reads the body of an update. input is the name that AWS gives
// the request in its errors, such as "updateStageInput".
func decodePatch(body []byte, input string) ([]PatchOperation, error) {
	var in struct {
		PatchOperations []struct {
			Op    *string `json:"op"`
			Path  *string `json:"path"`
			Value *string `json:"value"`
			From  *string `json:"from"`
		} `json:"patchOperations"`
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	var problems []string
	ops := make([]PatchOperation, 0, len(in.PatchOperations))
	for i, op := range in.PatchOperations {
		verb := optional(op.Op)
		if !slices.Contains(patchVerbs, verb) {
			problems = append(problems, fmt.Sprintf("Value '%s' at '%s.patchOperations.%d.member.op' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
				verb, input, i+1, strings.Join(patchVerbs, ", ")))
		}
		ops = append(ops, PatchOperation{verb, optional(op.Path), optional(op.Value), optional(op.From)})
	}
	if err := validation(problems); err != nil {
		return nil, err
	}
	for _, op := range in.PatchOperations {
		if op.Path == nil {
			return nil, badRequest("Invalid patch path null")
		}
	}
	return ops, nil
}

// only refuses an operation whose verb is not among those given.
func only(op PatchOperation, verbs ...string) error {
	if slices.Contains(verbs, op.Op) {
		return nil
	}
	return badRequest("Invalid patch operation specified. Must be one of: [%s]", strings.Join(verbs, ", "))
}

// unknownPath is AWS's answer to a path that an object does not have.
func unknownPath(op PatchOperation, paths ...string) error {
	return badRequest("Invalid patch path  '%s' specified for op '%s'. Must be one of: [%s]", op.Path, op.Op, strings.Join(paths, ", "))
}

// unescape reads a segment of a JSON Pointer (RFC 6901, section 4).
func unescape(segment string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
}
