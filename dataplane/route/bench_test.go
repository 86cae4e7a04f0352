package route

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// adversarial pairs trees that tempt a matcher to backtrack with paths that
// make it.
func adversarial() map[string]struct {
	routes []string
	path   string
} {
	const size = 10 << 10
	var both []string // a full binary tree of "a" and "{x}", and one leaf of each
	var grow func(prefix string, depth int)
	grow = func(prefix string, depth int) {
		if depth == 0 {
			both = append(both, "GET "+prefix+"/z")
			return
		}
		grow(prefix+"/a", depth-1)
		grow(prefix+"/{x}", depth-1)
	}
	grow("", 10)
	var ladder []string // greedy variables at every depth
	for depth := range MaxParams {
		ladder = append(ladder, "POST "+strings.Repeat("/a", depth)+"/{p+}")
	}
	ladder = append(ladder, "GET "+strings.Repeat("/a", MaxParams))
	return map[string]struct {
		routes []string
		path   string
	}{
		"slashes":         {both, strings.Repeat("/", size)},
		"inner slashes":   {both, "/a" + strings.Repeat("/", size)},
		"binary":          {both, strings.Repeat("/a", 10) + "/y"},
		"binary and tail": {both, strings.Repeat("/a", size/2)},
		"long segment":    {both, strings.Repeat("/a", 9) + "/" + strings.Repeat("a", size)},
		"ladder":          {ladder, strings.Repeat("/a", size/2)},
		"ladder slashes":  {ladder, strings.Repeat("/a", MaxParams-1) + strings.Repeat("/", size)},
	}
}

// TestLookupIsBounded allows each look-up a hundred times what it needs; a
// quadratic matcher needs a thousand times more, an exponential one for ever.
func TestLookupIsBounded(t *testing.T) {
	const lookups, bound = 100, 5 * time.Millisecond
	for name, c := range adversarial() {
		tree := compile(t, c.routes...)
		var m Match
		path := []byte(c.path)
		start := time.Now()
		for range lookups {
			if _, ok := tree.Lookup(path, Get, &m); ok {
				t.Fatalf("%s: matched", name)
			}
		}
		if each := time.Since(start) / lookups; each > bound {
			t.Errorf("%s: %v per look-up of %d bytes among %d routes", name, each, len(path), len(c.routes))
		}
	}
}

func BenchmarkLookupAdversarial(b *testing.B) {
	for name, c := range adversarial() {
		b.Run(name, func(b *testing.B) {
			tree := compile(b, c.routes...)
			var m Match
			path := []byte(c.path)
			for b.Loop() {
				tree.Lookup(path, Get, &m)
			}
		})
	}
}

func manyRoutes(n int) []string {
	routes := make([]string, 0, n)
	for i := range n {
		routes = append(routes, fmt.Sprintf("GET /service%d/{id}/item%d", i/100, i%100))
	}
	return routes
}

func BenchmarkCompile10000(b *testing.B) {
	body := body(manyRoutes(10000)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(body, named); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tree := compile(b, manyRoutes(n)...)
			paths := make([][]byte, 1024)
			for i := range paths {
				k := i * 7919 % n
				paths[i] = fmt.Appendf(nil, "/service%d/12345/item%d", k/100, k%100)
			}
			var m Match
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := tree.Lookup(paths[i%len(paths)], Get, &m); !ok {
					b.Fatal("no match")
				}
				i++
			}
		})
	}
}
