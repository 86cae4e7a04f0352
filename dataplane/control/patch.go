package control

import (
	"fmt"
	"slices"
	"strconv"
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
			problems = append(problems, mustBeOneOf(fmt.Sprintf("%s.patchOperations.%d.member.op", input, i+1), verb, patchVerbs...))
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

// patchText is what an operation makes of a text that may be absent.
func patchText(op PatchOperation) (string, error) {
	if err := only(op, "add", "replace", "remove"); err != nil || op.Op == "remove" {
		return "", err
	}
	return op.Value, nil
}

// patchFlag is the true or false that an operation sets.
func patchFlag(op PatchOperation) (bool, error) {
	v, err := strconv.ParseBool(strings.ToLower(op.Value))
	if err != nil {
		return false, badRequest("Invalid value for %s: it must be true or false", op.Path)
	}
	return v, nil
}

// unescape reads a segment of a JSON Pointer (RFC 6901, section 4).
func unescape(segment string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)
}
