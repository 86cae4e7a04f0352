package openapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// tree grows the resources of an API: every path brings the resources above
// it along.
type tree struct {
	root   *branch
	byPath map[string]*branch
}

// branch is a resource and the one variable child it may have.
type branch struct {
	path, part string
	parent     *branch
	variable   string // "{id}"
	methods    map[string]*definition.Method
}

func newTree() *tree {
	root := &branch{path: "/"}
	return &tree{root, map[string]*branch{"/": root}}
}

// insert returns the resource of a path, growing what is missing. The segments
// come from splitPath.
func (t *tree) insert(segments []string) (*branch, error) {
	b := t.root
	path := "/" + strings.Join(segments, "/")
	end := 0
	for _, part := range segments {
		end += 1 + len(part)
		child, grown := t.byPath[path[:end]]
		if !grown {
			switch {
			case isVariable(part) && b.variable != "":
				return nil, fmt.Errorf("a sibling (%s) of this resource already has a variable path part -- only one is allowed", b.variable)
			case len(t.byPath) == maxResources:
				return nil, fmt.Errorf("an API has at most %d resources", maxResources)
			}
			child = &branch{path: path[:end], part: part, parent: b}
			t.byPath[child.path] = child
			if isVariable(part) {
				b.variable = part
			}
		}
		b = child
	}
	return b, nil
}

// put gives the resource a method.
func (b *branch) put(m *definition.Method) error {
	if b.methods[m.HTTPMethod] != nil {
		return errors.New("another path of the document, the same but for a slash at its end, has this method too")
	}
	if b.methods == nil {
		b.methods = map[string]*definition.Method{}
	}
	b.methods[m.HTTPMethod] = m
	return nil
}

// resources returns everything that has grown, in no order.
func (t *tree) resources(apiID string) []*definition.Resource {
	ids := make(map[*branch]string, len(t.byPath))
	for path, b := range t.byPath {
		ids[b] = definition.ResourceID(apiID, path)
	}
	out := make([]*definition.Resource, 0, len(t.byPath))
	for _, b := range t.byPath {
		out = append(out, &definition.Resource{
			ID: ids[b], ParentID: ids[b.parent], PathPart: b.part, Path: b.path, Methods: b.methods,
		})
	}
	return out
}
