package route

import "fmt"

// Mapping is what a base path of a domain leads to: Stage itself, or, when
// Stages is not nil, the one of them that the next path segment names.
type Mapping[S any] struct {
	Stage  S
	Stages map[string]S
}

// Table resolves the host and path of a request to a stage.
type Table[S any] struct {
	hosts *Hosts[*BasePaths[Mapping[S]]]
}

// NewTable compiles domains: host name as NewHosts takes it, to base path as
// NewBasePaths takes it, to Mapping. It keeps the Stages maps; they must not
// change afterwards.
func NewTable[S any](domains map[string]map[string]Mapping[S]) (*Table[S], error) {
	byHost := make(map[string]*BasePaths[Mapping[S]], len(domains))
	for name, mappings := range domains {
		paths, err := NewBasePaths(mappings)
		if err != nil {
			return nil, fmt.Errorf("domain %q: %w", name, err)
		}
		byHost[name] = paths
	}
	hosts, err := NewHosts(byHost)
	if err != nil {
		return nil, err
	}
	return &Table[S]{hosts}, nil
}

// Lookup returns the stage that serves a path on a host, and the rest of the
// path for Tree.Lookup: a slice of path that is empty or begins with a slash.
// The host is as Hosts.Lookup takes it.
//
// The mapping is chosen by the path alone; a mapping whose stage does not exist
// is not replaced by a shorter one. ok is false where AWS answers
// 403 {"message":"Forbidden"}.
func (t *Table[S]) Lookup(host, path []byte) (stage S, rest []byte, ok bool) {
	paths, ok := t.hosts.Lookup(host)
	if !ok {
		return stage, nil, false
	}
	mapping, rest, ok := paths.Lookup(path)
	if !ok {
		return stage, nil, false
	}
	if mapping.Stages == nil {
		return mapping.Stage, rest, true
	}
	name, rest := cutSegment(rest)
	stage, ok = mapping.Stages[string(name)]
	return stage, rest, ok
}

// cutSegment splits off the first segment of a path, ignoring all leading
// slashes before it.
func cutSegment(path []byte) (segment, rest []byte) {
	start := leadingSlashes(path)
	end := start
	for end < len(path) && path[end] != '/' {
		end++
	}
	return path[start:end], path[end:]
}

func leadingSlashes(path []byte) int {
	n := 0
	for n < len(path) && path[n] == '/' {
		n++
	}
	return n
}
