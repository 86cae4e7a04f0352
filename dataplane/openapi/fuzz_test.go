package openapi

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/document"
)

// FuzzParse: no document, whatever it holds, makes Parse panic, take long or
// use much memory, and what it accepts is well formed.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"petstore.yaml", "minimal31.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint8(0))
	}
	f.Add([]byte(operation("security: [{k: []}]\nparameters: [{$ref: '#/components/parameters/p'}]")+"components: {parameters: {p: {$ref: '#/components/parameters/p'}}}\n"), uint8(1))
	f.Add([]byte(head+"servers: [{url: 'https://x/{basePath}', variables: {basePath: {default: /a/b}}}]\npaths: {/a: {}}\n"), uint8(2))
	f.Add([]byte(head+"x-a: &a {k: 1}\nx-b: {<<: [*a, {l: 2}], k: *a}\n"), uint8(0))
	f.Add([]byte(keyed("[method.request.querystring.page, integration.request.path.id]", ", cacheNamespace: n")), uint8(0))
	f.Add([]byte(http("responses: {'4\\d{2}': {statusCode: 200, responseTemplates: {a/b: 'x'}}, default: {statusCode: 404}}")), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, mode uint8) {
		if len(text) > 64<<10 {
			return
		}
		modes := []string{BasePathIgnore, BasePathPrepend, BasePathSplit}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		result, err := Parse(text, Options{APIID: "fuzz", BasePath: modes[int(mode)%len(modes)]})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 32<<20+2000*uint64(len(text)) {
			t.Errorf("allocated %d bytes for %d", allocated, len(text))
		}
		if err != nil {
			var list *document.Errors
			if !errors.As(err, &list) || len(list.Problems) == 0 || err.Error() == "" {
				t.Errorf("not a list of problems: %v", err)
			}
			return
		}
		for i, res := range result.Body.Resources {
			if i > 0 && res.Path <= result.Body.Resources[i-1].Path {
				t.Errorf("resource %q is out of order or twice", res.Path)
			}
			for verb, m := range res.Methods {
				if in := m.Integration; in != nil && (in.Type == "" || strings.Contains(in.Type, "PROXY") && in.URI == "") {
					t.Errorf("%s %s has half an integration", verb, res.Path)
				}
			}
		}
	})
}
