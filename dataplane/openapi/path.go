package openapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/expression"
)

// Bounds on one path. A request's URL has at most 10,240 bytes, so no client
// misses what lies beyond, and a hostile document cannot make a few bytes into
// a forest.
const (
	maxPathBytes    = 2048
	maxPathSegments = 64
	maxResources    = 100_000
)

// splitPath returns the segments of a path template; none for "/". One slash at
// the end is ignored, as it is when a request is matched.
func splitPath(path string) ([]string, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New(`a path begins with "/"`)
	}
	if len(path) > maxPathBytes {
		return nil, fmt.Errorf("a path has at most %d bytes", maxPathBytes)
	}
	path = strings.TrimSuffix(path[1:], "/")
	if path == "" {
		return nil, nil
	}
	segments := strings.Split(path, "/")
	if len(segments) > maxPathSegments {
		return nil, fmt.Errorf("a path has at most %d segments", maxPathSegments)
	}
	variables := map[string]bool{}
	for i, s := range segments {
		name, variable := variableName(s)
		switch {
		case s == "":
			return nil, errors.New("a segment is empty")
		case s == "$default":
			return nil, errors.New("$default routes belong to HTTP APIs; use /{proxy+}")
		case variable && !expression.IsName(name):
			return nil, fmt.Errorf("%q is not a parameter: a name has letters, digits and ._$- only", s)
		case variable && variables[name]:
			return nil, fmt.Errorf("parameter {%s} stands twice", name)
		case variable:
			variables[name] = true
			if isGreedy(s) && i < len(segments)-1 {
				return nil, fmt.Errorf("cannot create a child of a resource with a greedy path variable: %s", s)
			}
		case strings.ContainsAny(s, "{}"):
			return nil, fmt.Errorf("%q: a parameter fills its whole segment", s)
		case !isPathPart(s):
			return nil, fmt.Errorf("%q: a segment has letters, digits and _-.,: only", s)
		}
	}
	return segments, nil
}

// variableName returns the name of {name} or {name+}.
func variableName(segment string) (name string, ok bool) {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false
	}
	return strings.TrimSuffix(segment[1:len(segment)-1], "+"), true
}

func isGreedy(segment string) bool { return strings.HasSuffix(segment, "+}") }

func isVariable(segment string) bool {
	_, ok := variableName(segment)
	return ok
}

// isPathPart reports a literal path segment.
func isPathPart(s string) bool { return expression.ConsistsOf(s, "_-.,:") }
