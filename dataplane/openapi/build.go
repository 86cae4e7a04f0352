package openapi

import (
	"context"
	"strings"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel/low"
	"github.com/pb33f/libopenapi/index"

	"github.com/tidegate/tidegate/dataplane/document"
)

// build has libopenapi read n, which a shape has checked, as the standard
// object T. One object at a time: the model of a large document would take
// many times the memory of what it is read into.
func build[T any, B interface {
	*T
	Build(ctx context.Context, key, root *yaml.Node, index *index.SpecIndex) error
}](r *reader, at document.Node, n *yaml.Node) *T {
	value := new(T)
	if n == nil {
		n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.KeyLine}
	}
	err := low.BuildModel(n, value)
	if err == nil {
		err = B(value).Build(context.Background(), nil, n, nil)
	}
	if err != nil {
		r.Add(at, "not as OpenAPI says: %s", document.Clip(strings.ReplaceAll(err.Error(), "\n", " ")))
	}
	return value
}
