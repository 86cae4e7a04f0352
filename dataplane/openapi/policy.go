package openapi

import (
	"encoding/json"

	"github.com/pb33f/go-yaml"
)

// resourcePolicy returns the policy as JSON text. It is for the compiler of
// deployments to understand.
func (r *reader) resourcePolicy(at node) string {
	if at.absent() || at.isEmpty() || !r.affordAll(at) {
		return ""
	}
	if !at.isMapping() {
		r.add(at, "must be a policy document: a mapping with Version and Statement")
		return ""
	}
	text, err := json.Marshal(r.plain(at))
	if err != nil { // of what plain makes, nothing cannot be said in JSON
		r.add(at, "cannot be written as JSON: %s", clip(err.Error()))
	}
	return string(text)
}

// plain turns YAML into what encoding/json writes. Numbers and times stay the
// texts they are: policies have texts only, and booleans.
func (r *reader) plain(n node) any {
	switch {
	case n.absent():
		return nil
	case n.isMapping():
		out := make(map[string]any, len(n.Content)/2)
		for name, value := range n.fields() {
			out[name] = r.plain(value)
		}
		return out
	case n.isList():
		out := make([]any, 0, len(n.Content))
		for _, item := range n.items() {
			out = append(out, r.plain(item))
		}
		return out
	case n.Kind == yaml.ScalarNode && n.Tag == "!!bool":
		return r.boolean(n)
	}
	return r.text(n)
}
