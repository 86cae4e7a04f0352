package openapi

import (
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// targets reads which targets an integration has instead of the host of its uri,
// and how they are asked whether they are well.
func (r *reader) targets(at document.Node, in *definition.Integration) {
	if in.Type == definition.IntegrationMock {
		for _, name := range []string{targets, healthCheck} {
			if v := at.Get(name); !v.Absent() {
				r.Add(v, "a mock calls nothing; remove it")
			}
		}
		return
	}
	if list := at.Get(targets); !list.Absent() {
		in.Targets = r.targetList(list)
	}
	if check := at.Get(healthCheck); !check.Absent() {
		in.HealthCheck = r.healthCheck(check)
	}
}

func (r *reader) targetList(at document.Node) (list []string) {
	if at = r.List(at); !at.IsList() {
		return nil
	}
	switch n := len(at.Content); {
	case n > definition.MaxTargets:
		r.Add(at, "has %d targets, more than the %d there can be", n, definition.MaxTargets)
		return nil
	case n == 0:
		r.Add(at, "lists no target; write host:port pairs, or remove it")
	}
	for _, item := range at.Items() {
		text := r.Text(item)
		if err := definition.CheckTarget(text); err != nil {
			r.Add(item, "%s", err)
		}
		list = append(list, text)
	}
	return list
}

func (r *reader) healthCheck(at document.Node) *definition.HealthCheck {
	h := definition.NewHealthCheck()
	before := false
	for name, value := range r.Mapping(at).Fields() {
		switch err := h.Set(name, value.Value); {
		case !definition.HealthCheckFields[name]:
			r.Add(value, "unknown field%s", document.DidYouMean(name, definition.HealthCheckFields))
		case err != nil:
			r.Add(value, "%s", err)
		default:
			continue
		}
		before = true
	}
	if err := h.Check(); err != nil && !before {
		r.Add(at, "%s", err)
	}
	return h
}
