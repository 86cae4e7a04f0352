package route

import (
	"fmt"
	"strings"
)

// maxBasePath is the longest base path in bytes that AWS accepts.
const maxBasePath = 300

// BasePaths finds a value by the longest base path that a path begins with,
// whole segments only.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
type BasePaths[V any] struct {
	values map[string]V
	all    *V // of the base path ""
	depth  int
}

// NewBasePaths compiles base paths such as "orders" or "orders/v1", without
// slashes at the ends, to values. The base path "" takes every path that no
// other one takes.
func NewBasePaths[V any](values map[string]V) (*BasePaths[V], error) {
	b := &BasePaths[V]{}
	for key, value := range values {
		if key == "" {
			b.all = &value
			continue
		}
		if len(key) > maxBasePath {
			return nil, fmt.Errorf("base path %q: it has more than %d characters", key, maxBasePath)
		}
		segments := strings.Split(key, "/")
		for _, segment := range segments {
			if segment == "" {
				return nil, fmt.Errorf("base path %q: it has an empty segment; write it like \"orders/v1\"", key)
			}
		}
		if b.values == nil {
			b.values = make(map[string]V, len(values))
		}
		b.values[key] = value
		b.depth = max(b.depth, len(segments))
	}
	return b, nil
}

// Lookup returns the value for a path and the rest of the path: a slice of it
// that is empty or begins with a slash. Leading slashes count as one.
func (b *BasePaths[V]) Lookup(path []byte) (value V, rest []byte, ok bool) {
	if b.all != nil {
		value, rest, ok = *b.all, path, true
	}
	start := leadingSlashes(path)
	end := start
	for range b.depth {
		for end < len(path) && path[end] != '/' {
			end++
		}
		if end-start > maxBasePath {
			break
		}
		if longer, found := b.values[string(path[start:end])]; found {
			value, rest, ok = longer, path[end:], true
		}
		if end == len(path) {
			break
		}
		end++
	}
	return value, rest, ok
}
