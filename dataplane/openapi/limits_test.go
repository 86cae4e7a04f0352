package openapi

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/document"
)

// manyRoutes is a document with n routes, each with a parameter, a mapping and
// an upstream of its own.
func manyRoutes(n int) []byte {
	var b bytes.Buffer
	b.WriteString(head + "paths:\n")
	for i := range n {
		fmt.Fprintf(&b, `  /svc%d/items%d/{id}:
    get:
      operationId: get%d
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        '200': {description: ok}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: http://backend.example:8080/items%d/{id}
        timeoutInMillis: 5000
        requestParameters:
          integration.request.path.id: method.request.path.id
`, i/100, i, i, i)
	}
	return b.Bytes()
}

// TestManyRoutes reads 10,000 routes, 4.7 MB, in about ten times what a thousand take.
// It allocates 200 MB, most of them the YAML tree.
func TestManyRoutes(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 4.7 MB; left out by -short")
	}
	start := time.Now()
	if _, err := Parse(manyRoutes(1000), Options{APIID: "small"}); err != nil {
		t.Fatal(err)
	}
	small := time.Since(start)
	document := manyRoutes(10_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start = time.Now()
	result, err := Parse(document, Options{APIID: "big"})
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "methods", len(methods(result.Body)), 10_000)
	equal(t, "resources", len(result.Body.Resources), 1+100+20_000)
	allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
	t.Logf("%d bytes: %v, a tenth of them %v, %d MB allocated", len(document), took, small, allocated)
	if took > 50*small || allocated > 1000 {
		t.Errorf("took %v, a tenth of it %v, and %d MB", took, small, allocated)
	}
}

func BenchmarkParse(b *testing.B) {
	document := manyRoutes(1000)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(document, Options{APIID: "big"}); err != nil {
			b.Fatal(err)
		}
	}
}

// repeat writes n members made by f.
func repeat(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// TestHostileDocuments must be refused, or at least read, in little time and
// memory.
func TestHostileDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("reads documents of some MB; left out by -short")
	}
	laughs := head + "x-0: &a0 [l,l,l,l,l,l,l,l,l,l]\n" + repeat(9, func(i int) string {
		return fmt.Sprintf("x-%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	})
	merges := head + "x-0: &m0 {" + repeat(1000, func(i int) string { return fmt.Sprintf("k%d: 1,", i) }) + "}\n" +
		repeat(1000, func(i int) string { return fmt.Sprintf("x-%d: {<<: *m0}\n", i+1) })
	for _, c := range []struct{ name, document, want string }{
		{"too large", strings.Repeat("#", document.MaxBytes+1), "the document has 6291457 bytes, more than the 6291456"},
		{"billion laughs", laughs, "YAML aliases expand to too many values"},
		{"merge keys", merges, "expand to too many values"},
		{"alias in itself", head + "x-a: &a [*a]\n", "alias *a refers to itself"},
		{"deep flow", head + "x-a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "line 4: x-a[0]"},
		{"deep JSON", `{"openapi":"3.0.1","x":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + "}", "depth"},
		{"deeper than the parser goes", head + "x: " + strings.Repeat("[", 300_000), "depth"},
		{"deep by alias", head + "x-a: &a " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\nx-b: " + strings.Repeat("[", 60) + "*a" + strings.Repeat("]", 60), "values nest deeper than 100"},
		{"large parts, often", head + "paths:\n" + repeat(1000, func(i int) string { return fmt.Sprintf("  /p%d: {$ref: '#/components/pathItems/a'}\n", i) }) +
			"components: {pathItems: {a: {get: {responses: {'200': {headers: {" + repeat(1000, func(i int) string { return fmt.Sprintf("h%d: {},", i) }) + "}}}}}}}\n", "references make the document too large"},
		{"large integrations, often", head + "paths:\n" + repeat(1000, func(i int) string { return fmt.Sprintf("  /p%d: {$ref: '#/components/pathItems/a'}\n", i) }) +
			"components: {pathItems: {a: {get: {x-amazon-apigateway-integration: {type: mock, requestTemplates: {a/b: '{\"statusCode\": 200, \"x\": \"" + strings.Repeat("x", 100_000) + "\"}'}}}}}}\n", "references make the document too large"},
		{"many references", head + "paths: {/a: {get: {parameters: [" + strings.Repeat("{$ref: '#/components/parameters/p9999'},", 10_000) + "]}}}\n" +
			"components: {parameters: {" + repeat(10_000, func(i int) string { return fmt.Sprintf("p%d: {name: a, in: query},", i) }) + "}}\n", ""},
		{"unused parts, often", head + "paths: {/a: {get: {parameters: [" + strings.Repeat("{$ref: '#/components/parameters/p'},", 5_000) + "]}}}\n" +
			"components: {parameters: {p: {name: a, in: query, schema: {enum: [" + strings.Repeat("a,", 20_000) + "], x: [" + strings.Repeat("{},", 20_000) + "]}}}}\n", ""},
		{"a large scheme, often", head + "paths: {/a: {get: {security: [" + strings.Repeat("{k: []},", 20_000) + "]}}}\n" +
			scheme("type: apiKey, in: header, name: x-api-key,"+repeat(50_000, func(i int) string { return fmt.Sprintf("x-%d: 1,", i) })), ""},
		{"requirements of all, often", head + "security: [" + strings.Repeat("{k: []},", 20_000) + "]\npaths:\n" +
			repeat(2500, func(i int) string { return fmt.Sprintf("  /p%d: {get: {}}\n", i) }) + scheme("type: apiKey, in: header, name: x-api-key"), ""},
		{"many keys", head + "x-a: {" + repeat(60_000, func(i int) string { return fmt.Sprintf("k%d: 1,", i) }) + "}\n", ""},
		{"many wrong keys", head + repeat(20_000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }), ""},
		{"many parameters", operation("parameters: [" + repeat(10_000, func(i int) string { return fmt.Sprintf("{name: p%d, in: query},", i) }) + "]"), ""},
		{"many responses", http("responses: {" + repeat(10_000, func(i int) string { return fmt.Sprintf("'%d': {statusCode: 200},", i) }) + "}"), "and 9949 more"},
		{"long path", head + "paths: {/" + strings.Repeat("a/", 100_000) + ": {}}\n", "a path has at most 2048 bytes"},
		{"many segments", head + "paths: {/" + strings.Repeat("a/", 65) + ": {}}\n", "a path has at most 64 segments"},
		{"many resources", head + "paths:\n" + repeat(2500, func(i int) string { return fmt.Sprintf("  /p%d%s: {}\n", i, strings.Repeat("/a", 60)) }), "an API has at most 100000 resources"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := Parse([]byte(c.document), Options{})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if c.want != "" {
				contains(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d bytes: %v, %d MB allocated", len(c.document), took, allocated)
			if took > 20*time.Second || allocated > 1500 {
				t.Errorf("took %v and %d MB", took, allocated)
			}
			if err != nil && len(err.Error()) > 100_000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
