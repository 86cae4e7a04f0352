package route

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// body makes a Body of lines such as "GET /pets/{id}". A resource may be on
// several lines.
func body(routes ...string) *definition.Body {
	b := &definition.Body{}
	byPath := map[string]*definition.Resource{}
	for _, line := range routes {
		verb, path, _ := strings.Cut(line, " ")
		res := byPath[path]
		if res == nil {
			res = &definition.Resource{Path: path, Methods: map[string]*definition.Method{}}
			byPath[path] = res
			b.Resources = append(b.Resources, res)
		}
		res.Methods[verb] = &definition.Method{HTTPMethod: verb}
	}
	return b
}

// named compiles a method to its own line.
func named(res *definition.Resource, m *definition.Method) (string, error) {
	return m.HTTPMethod + " " + res.Path, nil
}

func compile(t testing.TB, routes ...string) *Tree[string] {
	t.Helper()
	tree, err := Compile(body(routes...), named)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// lookup returns the route and its parameters as "GET /a/{b} b=c", or "403".
func lookup(tree *Tree[string], request string) string {
	verb, path, _ := strings.Cut(request, " ")
	var m Match
	got, ok := tree.Lookup([]byte(path), ParseVerb([]byte(verb)), &m)
	if !ok {
		return "403"
	}
	for i := range m.N {
		got += " " + m.Params[i].Name + "=" + string(m.Value([]byte(path), i))
	}
	return got
}

func TestCompatibilityItem1UnknownPath(t *testing.T) {
	tree := compile(t, "GET /pets", "POST /pets/{id}/toys")
	for _, path := range []string{"/", "", "/dogs", "/pets/1", "/pets/1/toys/2", "/Pets", "/%70ets", "/pets//"} {
		if got := lookup(tree, "GET "+path); got != "403" {
			t.Errorf("GET %s: got %s, want no match", path, got)
		}
	}
}

func TestCompatibilityItem2WrongVerb(t *testing.T) {
	tree := compile(t, "GET /pets", "ANY /any")
	for _, request := range []string{"POST /pets", "HEAD /pets", "TRACE /pets", "TRACE /any", "CONNECT /any", "PURGE /any", "get /any"} {
		if got := lookup(tree, request); got != "403" {
			t.Errorf("%s: got %s, want no match", request, got)
		}
	}
}

func TestCompatibilityItem3OtherVerbFallsToGreedy(t *testing.T) {
	tree := compile(t, "POST /test", "OPTIONS /{proxy+}")
	if got, want := lookup(tree, "OPTIONS /test"), "OPTIONS /{proxy+} proxy=test"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRecordedPaths is the table of paths recorded from AWS: what follows the
// stage, to the path parameter and the path without its duplicate slashes.
func TestRecordedPaths(t *testing.T) {
	tree := compile(t, "ANY /{proxy+}", "ANY /hardcoded")
	for _, row := range []struct{ path, want, normal string }{
		{"/proxy-value/", "ANY /{proxy+} proxy=proxy-value", "/proxy-value/"},
		{"/proxy-value//double-slash", "ANY /{proxy+} proxy=proxy-value//double-slash", "/proxy-value//double-slash"},
		{"//proxy-value", "ANY /{proxy+} proxy=proxy-value", "/proxy-value"},
		{"/proxy-value", "ANY /{proxy+} proxy=proxy-value", "/proxy-value"},
		{"//hardcoded", "ANY /hardcoded", "/hardcoded"},
		{"/p/test%2Balias@gmail.com", "ANY /{proxy+} proxy=p/test%2Balias@gmail.com", "/p/test%2Balias@gmail.com"},
	} {
		if got := lookup(tree, "GET "+row.path); got != row.want {
			t.Errorf("%s: got %s, want %s", row.path, got, row.want)
		}
		var m Match
		tree.Lookup([]byte(row.path), Get, &m)
		if got := row.path[m.Start:]; got != row.normal {
			t.Errorf("%s: path %s, want %s", row.path, got, row.normal)
		}
	}
}

func TestPrecedence(t *testing.T) {
	tree := compile(t,
		"GET /", "GET /part1/hardcoded-value", "ANY /{param+}",
		"GET /v/{id}", "GET /v/{id}/x", "POST /v/me", "GET /v/me/y", "PUT /v/{id}/{rest+}",
		"GET /both", "ANY /both", "GET /g/{all+}", "GET /g/s/t",
	)
	for _, row := range []struct{ request, want string }{
		{"GET /", "GET /"},
		{"GET ", "GET /"},
		{"GET ////", "GET /"},
		{"POST /", "403"}, // a greedy variable takes at least one character
		{"GET /part1/hardcoded-value", "GET /part1/hardcoded-value"},
		{"GET /part1/random", "ANY /{param+} param=part1/random"},
		{"GET /part1", "ANY /{param+} param=part1"},
		{"GET /v/me", "GET /v/{id} id=me"},
		{"POST /v/me", "POST /v/me"},
		{"GET /v/me/x", "GET /v/{id}/x id=me"},
		{"GET /v/me/y", "GET /v/me/y"},
		{"GET /v/you/y", "ANY /{param+} param=v/you/y"},
		{"PUT /v/me/y/z/", "PUT /v/{id}/{rest+} id=me rest=y/z"},
		{"GET /v//x", "ANY /{param+} param=v//x"},
		{"GET /both", "GET /both"},
		{"HEAD /both", "ANY /both"},
		{"GET /g/s/t", "GET /g/s/t"},
		{"GET /g/s/t/u", "GET /g/{all+} all=s/t/u"},
		{"GET /g/s", "GET /g/{all+} all=s"},
		{"GET /g/", "ANY /{param+} param=g"},
		{"GET /g//", "ANY /{param+} param=g/"},
		{"GET /g///", "GET /g/{all+} all=/"},
		{"GET pets", "403"}, // not a path
	} {
		if got := lookup(tree, row.request); got != row.want {
			t.Errorf("%s: got %s, want %s", row.request, got, row.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	deep := strings.Repeat("/a", MaxParams)
	if _, err := Compile(body("GET "+deep), named); err != nil {
		t.Errorf("%d segments: %v", MaxParams, err)
	}
	for _, row := range []struct{ routes, want string }{
		{"GET /a/{b+}/c", `resource "/a/{b+}/c": cannot create a child of a resource with a greedy path variable: {b+}`},
		{"GET /{a}\nGET /{b+}", "already has a variable path part, {a}: only one is allowed"},
		{"GET /{a}/x\nGET /{b}/y", "already has a variable path part, {a}: only one is allowed"},
		{"GET /a{b}", "must fill its whole segment"},
		{"GET /{b", "must fill its whole segment"},
		{"GET /{+}", "needs a name"},
		{"GET /{}", "needs a name"},
		{"GET /{a}b}", "needs a name"},
		{"GET /a//b", "empty segment"},
		{"GET /a/", "empty segment"},
		{"GET a", "must begin with a slash"},
		{"TRACE /a", "none of DELETE"},
		{"GET " + deep + "/a", "more than 32 segments"},
		{"GET /fail", `resource "/fail": GET: does not compile`},
	} {
		_, err := Compile(body(strings.Split(row.routes, "\n")...), func(res *definition.Resource, m *definition.Method) (int, error) {
			if res.Path == "/fail" {
				return 0, fmt.Errorf("does not compile")
			}
			return 0, nil
		})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: got %v, want %s", row.routes, err, row.want)
		}
	}
	twice := body("GET /a")
	twice.Resources = append(twice.Resources, twice.Resources[0])
	if _, err := Compile(twice, named); err == nil || !strings.Contains(err.Error(), "same path") {
		t.Errorf("one path twice: got %v", err)
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	tree := compile(t, "GET /a/{b}/c", "GET /a/x/d", "ANY /{proxy+}")
	paths := [][]byte{[]byte("/a/x/c"), []byte("/a/x/d"), []byte("/none/of//it"), []byte("/")}
	var m Match
	if n := testing.AllocsPerRun(100, func() {
		for _, path := range paths {
			tree.Lookup(path, Get, &m)
		}
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}
