package openapi

import (
	"encoding/json"

	"github.com/pb33f/go-yaml"

	"github.com/tidegate/tidegate/dataplane/document"
)

// resourcePolicy returns the policy as JSON text. It is for the compiler of
// deployments to understand.
func (r *reader) resourcePolicy(at document.Node) string {
	if at.Absent() || at.IsEmpty() || !r.affordAll(at) {
		return ""
	}
	if !at.IsMapping() {
		r.Add(at, "must be a policy document: a mapping with Version and Statement")
		return ""
	}
	text, err := json.Marshal(r.plain(at))
	if err != nil { // of what plain makes, nothing cannot be said in JSON
		r.Add(at, "cannot be written as JSON: %s", document.Clip(err.Error()))
	}
	return string(text)
}

// plain turns YAML into what encoding/json writes. Numbers and times stay the
// texts they are: policies have texts only, and booleans.
func (r *reader) plain(n document.Node) any {
	switch {
	case n.Absent():
		return nil
	case n.IsMapping():
		out := make(map[string]any, len(n.Content)/2)
		for name, value := range n.Fields() {
			out[name] = r.plain(value)
		}
		return out
	case n.IsList():
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Items() {
			out = append(out, r.plain(item))
		}
		return out
	case n.Kind == yaml.ScalarNode && n.Tag == "!!bool":
		return r.Boolean(n)
	}
	return r.Text(n)
}
