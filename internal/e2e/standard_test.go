package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// origin is a backend that answers each path as its test says, and keeps the
// requests it gets.
type origin struct {
	*gatetest.Backend
	mu      sync.Mutex
	answers map[string]func(n int, r *http.Request) string
	got     map[string][]*http.Request
}

func newOrigin(t *testing.T) *origin {
	o := &origin{answers: map[string]func(int, *http.Request) string{}, got: map[string][]*http.Request{}}
	o.Backend = gatetest.Answering(t, func(r *http.Request) string {
		path := strings.TrimPrefix(r.URL.Path, "/any")
		o.mu.Lock()
		o.got[path] = append(o.got[path], r)
		n, answer := len(o.got[path]), o.answers[path]
		o.mu.Unlock()
		return answer(n, r)
	})
	return o
}

func (o *origin) requests(path string) []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.got[path]
}

// respond makes an answer, dated now unless the fields have a date.
func respond(status int, body string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d Status\r\n", status)
	if !strings.Contains(strings.Join(fields, "\n"), "Date:") {
		fmt.Fprintf(&b, "Date: %s\r\n", time.Now().UTC().Format(http.TimeFormat))
	}
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	if status != 304 && status != 204 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// ago is an HTTP date.
func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(http.TimeFormat) }

// startStandard runs a daemon with a standard cache before an origin.
func startStandard(t *testing.T) (*daemon, *origin) {
	o := newOrigin(t)
	d := start(t, host{})
	api := d.deploy("prod", caching(o.Addr), nil)
	d.account(t).enableCache(api, "/x-tidegate-cache-mode", "standard")
	return d, o
}

// step is a request and what is expected of its answer.
type step struct {
	verb   string   // GET when empty
	fields []string // of the request
	status int      // 200 when 0
	body   string   // "#N" is that of the backend's Nth answer
	has    []string // in the answer, as "Name: value" or a part of it
	not    []string // names of fields that it must not have
}

// TestRFC9111 has a case for what the standards ask of a shared cache, through
// the whole gateway. %d in an answer's body is its number.
func TestRFC9111(t *testing.T) {
	d, o := startStandard(t)
	plain := func(fields ...string) func(int, *http.Request) string {
		return func(n int, _ *http.Request) string { return respond(200, fmt.Sprintf("#%d", n), fields...) }
	}
	validated := func(fields ...string) func(int, *http.Request) string {
		return func(n int, r *http.Request) string {
			if r.Header.Get("If-None-Match") == `"v1"` {
				return respond(304, "", append(fields, `ETag: "v1"`, fmt.Sprintf("X-Answer: %d", n))...)
			}
			return respond(200, fmt.Sprintf("#%d", n), append(fields, `ETag: "v1"`, fmt.Sprintf("X-Answer: %d", n))...)
		}
	}
	get := func(body string, fields ...string) step { return step{fields: fields, body: body} }
	for _, tc := range []struct {
		name     string
		answer   func(int, *http.Request) string
		steps    []step
		requests int
	}{
		{"4.2 max-age is reused", plain("Cache-Control: max-age=100"), []step{get("#1"), {body: "#1", has: []string{"Age: 0", "Cache-Status: tidegate; hit; ttl="}}}, 1},
		{"4.2 Expires is reused", plain("Expires: " + ago(-time.Hour)), []step{get("#1"), get("#1")}, 1},
		{"4.2 s-maxage over max-age", plain("Cache-Control: max-age=0, s-maxage=100"), []step{get("#1"), get("#1")}, 1},
		{"4.2 max-age over Expires", plain("Cache-Control: max-age=0", "Expires: "+ago(-time.Hour)), []step{get("#1"), get("#2")}, 2},
		{"5.3 Expires 0 is stale", plain("Expires: 0"), []step{get("#1"), get("#2")}, 2},
		{"4.2.2 heuristic of Last-Modified", plain("Last-Modified: " + ago(1000*time.Hour)), []step{get("#1"), get("#1")}, 1},
		{"4.2.3 Age counts", plain("Cache-Control: max-age=100", "Age: 200"), []step{get("#1"), get("#2")}, 2},
		{"5.1 Age of the answer", plain("Cache-Control: max-age=100", "Age: 30"), []step{get("#1"), {body: "#1", has: []string{"Age: 30"}}}, 1},
		{"5.2.2.5 no-store", plain("Cache-Control: no-store, max-age=100"), []step{get("#1"), get("#2")}, 2},
		{"5.2.2.7 private", plain("Cache-Control: private, max-age=100"), []step{get("#1"), get("#2")}, 2},
		{"5.2.2.4 no-cache is validated", validated("Cache-Control: no-cache, max-age=100"), []step{get("#1"), {body: "#1", has: []string{"X-Answer: 2"}}}, 2},
		{"CDN-Cache-Control goes first", plain("Cache-Control: no-store", "CDN-Cache-Control: max-age=100"), []step{get("#1"), get("#1")}, 1},
		{"Set-Cookie is for one client", plain("Cache-Control: max-age=100", "Set-Cookie: a=b"), []step{{body: "#1", has: []string{"Set-Cookie: a=b"}}, get("#2")}, 2},
		{"3.5 Authorization", plain("Cache-Control: max-age=100"), []step{get("#1", "Authorization: Basic YTpi"), get("#2", "Authorization: Basic YTpi")}, 2},
		{"3.5 Authorization with public", plain("Cache-Control: max-age=100, public"), []step{get("#1", "Authorization: Basic YTpi"), get("#1")}, 1},
		{"4.1 Vary", plain("Cache-Control: max-age=100", "Vary: X-A"), []step{get("#1", "X-A: 1"), get("#2", "X-A: 2"), get("#1", "X-A: 1"), get("#2", "X-A:  2"), get("#3")}, 3},
		{"4.1 Vary *", plain("Cache-Control: max-age=100", "Vary: *"), []step{get("#1"), get("#2")}, 2},
		{"4.3.1 stale is validated", validated("Cache-Control: max-age=0"), []step{get("#1"), {body: "#1", has: []string{"X-Answer: 2", "Cache-Status: tidegate; fwd=stale; fwd-status=304"}}}, 2},
		{"4.3.2 If-None-Match of the client", validated("Cache-Control: max-age=100"), []step{get("#1"), {fields: []string{`If-None-Match: "v1"`}, status: 304, has: []string{`ETag: "v1"`}, not: []string{"Content-Length"}},
			get("#1", `If-None-Match: "v2"`)}, 1},
		{"4.3.2 If-Modified-Since of the client", plain("Cache-Control: max-age=100", "Last-Modified: "+ago(time.Hour)), []step{get("#1"),
			{fields: []string{"If-Modified-Since: " + ago(time.Minute)}, status: 304}, get("#1", "If-Modified-Since: "+ago(2*time.Hour))}, 1},
		{"5.2.1.4 no-cache in the request", plain("Cache-Control: max-age=100"), []step{get("#1"), get("#2", "Cache-Control: no-cache"), get("#2")}, 2},
		{"5.4 Pragma: no-cache", plain("Cache-Control: max-age=100"), []step{get("#1"), get("#2", "Pragma: no-cache")}, 2},
		{"5.2.1.1 max-age in the request", plain("Cache-Control: max-age=100", "Age: 50"), []step{get("#1"), get("#2", "Cache-Control: max-age=10"), get("#2", "Cache-Control: max-age=60")}, 2},
		{"5.2.1.2 max-stale", plain("Cache-Control: max-age=10", "Age: 20", `ETag: "v0"`), []step{get("#1"), get("#1", "Cache-Control: max-stale=1000"), get("#2")}, 2},
		{"5.2.1.3 min-fresh", plain("Cache-Control: max-age=10"), []step{get("#1"), get("#2", "Cache-Control: min-fresh=100")}, 2},
		{"5.2.1.7 only-if-cached", plain("Cache-Control: max-age=10"), []step{{fields: []string{"Cache-Control: only-if-cached"}, status: 504}, get("#1"), get("#1", "Cache-Control: only-if-cached")}, 1},
		{"HEAD from GET", plain("Cache-Control: max-age=10"), []step{get("#1"), {verb: "HEAD", has: []string{"Content-Length: 2"}}}, 1},
		{"range of what is stored", plain("Cache-Control: max-age=10"), []step{get("#1"), {fields: []string{"Range: bytes=1-1"}, status: 206, body: "1", has: []string{"Content-Range: bytes 1-1/2", "Content-Length: 1"}},
			{fields: []string{"Range: bytes=7-"}, status: 416}}, 1},
		{"4.4 POST invalidates", plain("Cache-Control: max-age=100"), []step{get("#1"), {verb: "POST", body: "#2"}, get("#3")}, 3},
		{"404 with freshness is kept", func(n int, _ *http.Request) string {
			return respond(404, fmt.Sprintf("#%d", n), "Cache-Control: max-age=100")
		}, []step{{status: 404, body: "#1"}, {status: 404, body: "#1"}}, 1},
		{"5861 stale-if-error", func(n int, _ *http.Request) string {
			if n > 1 {
				return respond(503, "down")
			}
			return respond(200, "#1", "Cache-Control: max-age=0, stale-if-error=100")
		}, []step{get("#1"), get("#1")}, 2},
		{"must-revalidate is never stale", func(n int, _ *http.Request) string {
			if n > 1 {
				return ""
			}
			return respond(200, "#1", "Cache-Control: max-age=0, must-revalidate", `ETag: "v1"`)
		}, []step{get("#1"), {status: 504}}, -1},
		{"3.1 fields of one connection are not kept", plain("Cache-Control: max-age=100", "Connection: X-Hop", "X-Hop: 1", "Keep-Alive: a", "X-Kept: 1"),
			[]step{get("#1"), {body: "#1", has: []string{"X-Kept: 1"}, not: []string{"X-Hop", "Keep-Alive"}}}, 1},
		{"the query is part of the key", plain("Cache-Control: max-age=100"), []step{get("#1")}, 1},
	} {
		path := "/" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '-'
		}, strings.ToLower(tc.name))
		o.mu.Lock()
		o.answers[path] = tc.answer
		o.mu.Unlock()
		t.Run(tc.name, func(t *testing.T) {
			for i, s := range tc.steps {
				verb := s.verb
				if verb == "" {
					verb = "GET"
				}
				got := d.ask(verb, "/prod/any"+path, "", s.fields...)
				what := fmt.Sprintf("step %d", i+1)
				if want := max(200, s.status); got.status != want {
					t.Errorf("%s: status %d, want %d", what, got.status, want)
				}
				if got.status < 300 && got.body != s.body {
					t.Errorf("%s: body %q, want %q; %v", what, got.body, s.body, got.header)
				}
				for _, f := range s.has {
					name, value, _ := strings.Cut(f, ": ")
					if v := got.header.Get(name); v != value && !(strings.HasPrefix(v, value) && value != "" && !isNumber(value)) {
						t.Errorf("%s: %s %q, want %q", what, name, v, value)
					}
				}
				for _, name := range s.not {
					if v, ok := got.header[http.CanonicalHeaderKey(name)]; ok {
						t.Errorf("%s: has %s %q", what, name, v)
					}
				}
				if n := len(got.header["Date"]); n != 1 {
					t.Errorf("%s: %d Date fields", what, n)
				}
			}
			if n := len(o.requests(path)); tc.requests >= 0 && n != tc.requests {
				t.Errorf("the backend had %d requests, want %d", n, tc.requests)
			}
		})
	}
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// TestStaleWhileRevalidate: the client gets what is stale at once, and the next
// one what was fetched meanwhile.
func TestStaleWhileRevalidate(t *testing.T) {
	t.Parallel()
	d, o := startStandard(t)
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	t.Cleanup(open) // a backend that is stuck would never end
	o.answers["/swr"] = func(n int, r *http.Request) string {
		if n > 1 {
			<-release
		}
		return respond(200, fmt.Sprintf("#%d", n), "Cache-Control: max-age=1, stale-while-revalidate=100", fmt.Sprintf(`ETag: "%d"`, n))
	}
	d.ask("GET", "/prod/any/swr", "").expect(t, "first", 200, "#1")
	time.Sleep(2100 * time.Millisecond)
	for range 3 {
		d.ask("GET", "/prod/any/swr", "").expect(t, "stale", 200, "#1")
	}
	open()
	eventually(t, 5*time.Second, func() error {
		if got := d.ask("GET", "/prod/any/swr", ""); got.body != "#2" {
			return fmt.Errorf("%q", got.body)
		}
		return nil
	})
	requests := o.requests("/swr")
	if len(requests) != 2 || requests[1].Header.Get("If-None-Match") != `"1"` {
		t.Errorf("%d requests, the second with If-None-Match %q", len(requests), requests[1].Header.Get("If-None-Match"))
	}
}

// TestStandardStampede: many clients that miss a target at once cause one request,
// also when the response varies.
func TestStandardStampede(t *testing.T) {
	d, o := startStandard(t)
	release := make(chan struct{})
	open := sync.OnceFunc(func() { close(release) })
	t.Cleanup(open) // a backend that is stuck would never end
	for _, path := range []string{"/plain", "/vary"} {
		o.answers[path] = func(n int, r *http.Request) string {
			<-release
			fields := []string{"Cache-Control: max-age=100"}
			if path == "/vary" {
				fields = append(fields, "Vary: X-A")
			}
			return respond(200, fmt.Sprintf("#%d", n), fields...)
		}
	}
	const clients = 50
	var wg sync.WaitGroup
	for i := range 2 * clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := askOnce(d.addr, "GET", "/prod/any"+[]string{"/plain", "/vary"}[i%2], "", "X-A: 1")
			if err != nil || got.body != "#1" {
				t.Errorf("%+v, %v", got, err)
			}
		}()
	}
	eventually(t, 10*time.Second, func() error {
		if n := d.metric("tidegate_cache_miss_count_total"); n != 2*clients {
			return fmt.Errorf("%g misses", n)
		}
		return nil
	})
	open()
	wg.Wait()
	for _, path := range []string{"/plain", "/vary"} {
		if n := len(o.requests(path)); n != 1 {
			t.Errorf("%s: %d requests", path, n)
		}
	}
}
