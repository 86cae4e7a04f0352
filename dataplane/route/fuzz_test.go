package route

import (
	"strings"
	"testing"
)

// naive matches every route on its own and then takes the best: slow, and
// written without a tree.
func naive(routes []string, verb, path string) string {
	for strings.HasPrefix(path, "//") {
		path = path[1:]
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	var want []string
	if len(path) > 1 {
		want = strings.Split(path[1:], "/")
	}
	best, bestRank := "403", ""
	for _, line := range routes {
		method, pattern, _ := strings.Cut(line, " ")
		if method != verb && method != "ANY" || ParseVerb([]byte(verb)) == NoVerb {
			continue
		}
		var parts []string
		if pattern != "/" {
			parts = strings.Split(pattern[1:], "/")
		}
		rank, params, ok := "", "", true
		left := want
		for _, part := range parts {
			switch {
			case strings.HasSuffix(part, "+}"):
				all := strings.Join(left, "/")
				ok = ok && all != ""
				rank += "2"
				params += " " + part[1:len(part)-2] + "=" + all
				left = nil
				continue
			case len(left) == 0:
				ok = false
				continue
			case part[0] == '{':
				ok = ok && left[0] != ""
				rank += "1"
				params += " " + part[1:len(part)-1] + "=" + left[0]
			default:
				ok = ok && part == left[0]
				rank += "0"
			}
			left = left[1:]
		}
		if !ok || len(left) > 0 {
			continue
		}
		if method == "ANY" {
			rank += "~" // after the same resource's own verb
		}
		if best == "403" || rank < bestRank {
			best, bestRank = line+params, rank
		}
	}
	return best
}

// routesOf turns fuzz bytes into routes of a tiny alphabet, so that they
// overlap often.
func routesOf(seed []byte) []string {
	parts := []string{"a", "b", "aa", "{x}", "{y+}", "a%2F"}
	verbs := []string{"GET", "POST", "ANY"}
	var routes []string
	path := ""
	for _, c := range seed {
		if n := int(c) % 9; n < len(parts) {
			path += "/" + parts[n]
		} else {
			if path == "" {
				path = "/"
			}
			routes = append(routes, verbs[n-len(parts)]+" "+path)
			path = ""
		}
	}
	return routes
}

func FuzzLookup(f *testing.F) {
	f.Add([]byte("\x00\x03\x06\x00\x01\x06\x04\x08"), "/a/b")
	f.Add([]byte("\x00\x03\x06\x00\x01\x07\x04\x08"), "//a//b/")
	f.Add([]byte("\x03\x03\x00\x06\x00\x03\x01\x06\x04\x06\x06"), "/a/a/a")
	f.Add([]byte("\x08"), "/")
	f.Fuzz(func(t *testing.T, seed []byte, path string) {
		routes := routesOf(seed)
		tree, err := Compile(body(routes...), named)
		if err != nil || path != "" && path[0] != '/' {
			t.Skip()
		}
		for _, verb := range []string{"GET", "POST", "PUT", "TRACE"} {
			got, want := lookup(tree, verb+" "+path), naive(routes, verb, path)
			if got != want {
				t.Errorf("%q: %s %q: got %s, want %s", routes, verb, path, got, want)
			}
		}
	})
}
