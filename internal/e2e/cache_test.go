package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// counting is a backend that numbers its answers: body "PATH?QUERY #N".
type counting struct {
	*gatetest.Backend
	requests atomic.Int64
}

func newCounting(t *testing.T, answer func(n int64, r *http.Request) string) *counting {
	c := &counting{}
	c.Backend = gatetest.Answering(t, func(r *http.Request) string {
		n := c.requests.Add(1)
		if answer != nil {
			if a := answer(n, r); a != "" {
				return a
			}
		}
		return ok(fmt.Sprintf("%s #%d", r.URL.RequestURI(), n))
	})
	return c
}

func ok(body string, fields ...string) string {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// caching is an API that proxies GET, POST and HEAD /pets, whose cache key has
// the query parameter "kind" and the header X-Kind, and all of /any.
func caching(addr string) string {
	return strings.ReplaceAll(`openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /pets:
    get: &pets
      parameters: [{name: kind, in: query, schema: {type: string}}, {name: X-Kind, in: header, schema: {type: string}}]
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "http://ADDR/pets",
        cacheKeyParameters: [method.request.querystring.kind, method.request.header.X-Kind]}
    post: *pets
    head: *pets
  /any/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "http://ADDR/any/{proxy}",
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}}
`, "ADDR", addr)
}

// enableCache switches the cache of the stage "prod" on for all methods.
func (a *account) enableCache(api string, ops ...string) {
	a.Helper()
	a.patchStage(api, "prod", append([]string{"/cacheClusterEnabled", "true", "/cacheClusterSize", "0.5", "/*/*/caching/enabled", "true"}, ops...)...)
}

// TestCacheLife enables a cache, sees hits, flushes it, sees misses, and
// switches it off, with the AWS SDK.
func TestCacheLife(t *testing.T) {
	t.Parallel()
	b := newCounting(t, nil)
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	a := d.account(t)
	get := func(what, want, xCache string) {
		t.Helper()
		got := d.ask("GET", "/prod/pets", "")
		got.expect(t, what, 200, want)
		if v := got.header.Get("X-Cache"); v != xCache {
			t.Errorf("%s: X-Cache %q, want %q", what, v, xCache)
		}
	}
	get("no cache", "/pets #1", "")
	get("no cache", "/pets #2", "")
	a.enableCache(api)
	get("first", "/pets #3", "Miss from tidegate")
	get("second", "/pets #3", "Hit from tidegate")
	stage, err := a.client.GetStage(a.ctx, &apigateway.GetStageInput{RestApiId: &api, StageName: ptr("prod")})
	a.must(err)
	if !stage.CacheClusterEnabled || stage.CacheClusterStatus != "AVAILABLE" || !stage.MethodSettings["*/*"].CachingEnabled || stage.MethodSettings["*/*"].CacheTtlInSeconds != 300 {
		t.Errorf("the stage: %+v", stage)
	}

	_, err = a.client.FlushStageCache(a.ctx, &apigateway.FlushStageCacheInput{RestApiId: &api, StageName: ptr("prod")})
	a.must(err)
	get("flushed", "/pets #4", "Miss from tidegate")
	get("flushed, second", "/pets #4", "Hit from tidegate")
	if hits, misses := d.metric("tidegate_cache_hit_count_total"), d.metric("tidegate_cache_miss_count_total"); hits != 2 || misses != 2 {
		t.Errorf("%g hits and %g misses are counted, want 2 and 2", hits, misses)
	}

	// Another deployment does not get to see the entries of this one.
	d.deploy("prod", caching(b.Addr), nil)
	get("deployed", "/pets #5", "Miss from tidegate")

	a.patchStage(api, "prod", "/*/*/caching/ttlInSeconds", "1")
	get("shorter", "/pets #5", "Hit from tidegate") // stored before
	_, err = a.client.FlushStageCache(a.ctx, &apigateway.FlushStageCacheInput{RestApiId: &api, StageName: ptr("prod")})
	a.must(err)
	get("one second", "/pets #6", "Miss from tidegate")
	time.Sleep(1500 * time.Millisecond)
	get("expired", "/pets #7", "Miss from tidegate")

	a.patchStage(api, "prod", "/cacheClusterEnabled", "false")
	get("off", "/pets #8", "")
}

// TestChecklist8UndeclaredQuery: only declared parameters tell entries apart.
func TestChecklist8UndeclaredQuery(t *testing.T) {
	b := newCounting(t, nil)
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	d.account(t).enableCache(api)
	first := d.ask("GET", "/prod/pets?id=1", "")
	d.ask("GET", "/prod/pets?id=2", "").expect(t, "undeclared query parameter", 200, first.body)
	d.ask("GET", "/prod/pets", "", "X-Other: a").expect(t, "undeclared header", 200, first.body)
	for i, other := range [][]string{{"?kind="}, {"?kind=dog"}, {"?kind=cat"}, {"?kind=dog&kind=cat"}, {"?kind=cat&kind=dog"}, {"", "X-Kind: dog"}, {"", "x-kind: cat"}, {"?kind=dog", "X-Kind: dog"}} {
		want := fmt.Sprintf("#%d", i+2)
		for range 2 {
			if got := d.ask("GET", "/prod/pets"+other[0], "", other[1:]...); !strings.HasSuffix(got.body, want) {
				t.Errorf("%q: %q, want %s", other, got.body, want)
			}
		}
	}
	if n := b.requests.Load(); n != 9 {
		t.Errorf("the backend had %d requests, want 9", n)
	}
}

// TestChecklist9PostIsNotCached, nor is what a method for all verbs takes.
func TestChecklist9PostIsNotCached(t *testing.T) {
	b := newCounting(t, nil)
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	d.account(t).enableCache(api)
	for i := range 3 {
		d.ask("POST", "/prod/pets", "").expect(t, "POST", 200, fmt.Sprintf("/pets #%d", 2*i+1))
		d.ask("GET", "/prod/any/x", "").expect(t, "ANY", 200, fmt.Sprintf("/any/x #%d", 2*i+2))
	}
}

// TestChecklist10Invalidation: max-age=0 without permission, by each strategy,
// and where none is needed.
func TestChecklist10Invalidation(t *testing.T) {
	b := newCounting(t, nil)
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	a := d.account(t)
	a.enableCache(api)
	d.ask("GET", "/prod/pets", "").expect(t, "first", 200, "/pets #1")
	const strategy, required = "/*/*/caching/unauthorizedCacheControlHeaderStrategy", "/*/*/caching/requireAuthorizationForCacheControl"
	const warning = `199 - "Cache-control headers were ignored because the caller was unauthorized."`
	refresh := func() *answer { return d.ask("GET", "/prod/pets", "", "Cache-Control: max-age=0") }
	for name, want := range map[string]string{"SUCCEED_WITH_RESPONSE_HEADER": warning, "SUCCEED_WITHOUT_RESPONSE_HEADER": ""} {
		a.patchStage(api, "prod", strategy, name)
		got := refresh()
		got.expect(t, name, 200, "/pets #1")
		if v := got.header.Get("Warning"); v != want {
			t.Errorf("%s: Warning %q, want %q", name, v, want)
		}
	}
	a.patchStage(api, "prod", strategy, "FAIL_WITH_403")
	if got := refresh(); got.status != 403 || got.errorType() != "AccessDeniedException" {
		t.Errorf("FAIL_WITH_403: %d %s", got.status, got.body)
	}
	d.ask("GET", "/prod/pets", "", "Cache-Control: no-cache").expect(t, "no-cache", 200, "/pets #1")
	a.patchStage(api, "prod", required, "false")
	refresh().expect(t, "allowed", 200, "/pets #2")
	d.ask("GET", "/prod/pets", "").expect(t, "after that", 200, "/pets #2")
}

// TestChecklist11LargeBody: what is over AWS's megabyte is served and not kept.
func TestChecklist11LargeBody(t *testing.T) {
	size := 1<<20 + 1
	b := newCounting(t, func(n int64, r *http.Request) string {
		body := strings.Repeat(string(rune('a'+n)), size)
		if r.URL.Query().Get("kind") == "chunked" {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, body)
		}
		return ok(body)
	})
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	d.account(t).enableCache(api)
	for i, kind := range []string{"length", "length", "chunked", "chunked"} {
		if got := d.ask("GET", "/prod/pets?kind="+kind, ""); got.body != strings.Repeat(string(rune('a'+i+1)), size) {
			t.Errorf("%s: %d bytes of %.1q", kind, len(got.body), got.body)
		}
	}
	size = 1 << 20
	first := d.ask("GET", "/prod/pets?kind=fits", "")
	d.ask("GET", "/prod/pets?kind=fits", "").expect(t, "a megabyte", 200, first.body)
}

// TestStampede: a thousand clients that miss a key at once cause one request to
// the backend.
func TestStampede(t *testing.T) {
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	t.Cleanup(open) // a backend that is stuck would never end
	b := newCounting(t, func(n int64, _ *http.Request) string {
		<-release
		return ""
	})
	d := start(t, host{})
	api := d.deploy("prod", caching(b.Addr), nil)
	d.account(t).enableCache(api)
	clients := lesser(1000, 200)
	var wg sync.WaitGroup
	for range clients {
		c, err := dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.send("GET /prod/pets HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer c.conn.Close()
			if got, err := c.receive("GET"); err != nil || got.status != 200 || got.body != "/pets #1" {
				t.Errorf("%+v, %v", got, err)
			}
		}()
	}
	eventually(t, 10*time.Second, func() error {
		if n := d.metric("tidegate_cache_miss_count_total"); n != float64(clients) {
			return fmt.Errorf("%g misses", n)
		}
		return nil
	})
	open()
	wg.Wait()
	if n := b.requests.Load(); n != 1 {
		t.Errorf("the backend had %d requests, want 1", n)
	}
}
