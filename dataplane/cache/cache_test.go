package cache

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

var limits = http1.Limits{Target: 10 << 10, Header: 20 << 10, Count: 100}

// request parses a head: a request line without version, and field lines.
func request(t testing.TB, head string) *http1.Request {
	t.Helper()
	line, fields, _ := strings.Cut(head, "\n")
	raw := line + " HTTP/1.1\r\nHost: h\r\n"
	if fields != "" {
		raw += strings.ReplaceAll(fields, "\n", "\r\n") + "\r\n"
	}
	r := new(http1.Request)
	if fault := r.Parse([]byte(raw+"\r\n"), limits); fault != 0 {
		t.Fatalf("%q: fault %d", head, fault)
	}
	return r
}

func response(t testing.TB, head string) *http1.Response {
	t.Helper()
	r := new(http1.Response)
	if fault := r.Parse([]byte("HTTP/1.1 " + strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")); fault != 0 {
		t.Fatalf("%q: fault %d", head, fault)
	}
	return r
}

type params []string

func (p params) Param(i int) []byte { return []byte(p[i]) }

func (p params) AppendCaller(dst []byte) ([]byte, bool) { return dst, false }

// ofCaller is input of a caller, or of one that cannot be told from others.
type ofCaller string

func (ofCaller) Param(int) []byte { return nil }

func (c ofCaller) AppendCaller(dst []byte) ([]byte, bool) { return append(dst, c...), c != "" }

var resource = &definition.Resource{ID: "res", Path: "/pets/{id}"}

// method compiles GET /pets/{id} with the key parameters.
func method(t testing.TB, keys ...string) *Method {
	t.Helper()
	m, err := compiled(definition.CacheModeAWS, "GET", "GET", &definition.CacheSetting{Enabled: true, TTLSeconds: 60}, keys...)
	if err != nil || m == nil {
		t.Fatalf("%v, %v", m, err)
	}
	return m
}

func compiled(mode, verb, set string, setting *definition.CacheSetting, keys ...string) (*Method, error) {
	key := "pets~1{id}/" + set
	if set == "*" {
		key = definition.AllMethods
	}
	p, err := Compile(&definition.Stage{APIID: "api", Name: "s", DeploymentID: "d", CacheClusterEnabled: true, CacheMode: mode,
		MethodSettings: map[string]*definition.MethodSetting{key: {Caching: setting}}}, nil)
	if err != nil {
		return nil, err
	}
	return p.Method(resource, &definition.Method{HTTPMethod: verb, Integration: &definition.Integration{
		Type: definition.IntegrationHTTPProxy, CacheKeyParameters: keys, RequestParameters: map[string]string{
			"integration.request.header.X-Mapped": "method.request.querystring.q", "integration.request.header.X-Fixed": "'a'",
			"integration.request.header.X-Request": "context.requestId"}}}, []string{"id"}, nil)
}

// A method that asks who calls has entries for each caller, unless it is told
// otherwise, and is not misled by the fields that it knows callers by.
func TestCallersApart(t *testing.T) {
	for _, mode := range []string{definition.CacheModeAWS, definition.CacheModeStandard} {
		for _, shared := range []bool{false, true} {
			p, err := Compile(&definition.Stage{APIID: "api", Name: "s", DeploymentID: "d", CacheClusterEnabled: true, CacheMode: mode,
				MethodSettings: map[string]*definition.MethodSetting{"a/GET": {Caching: &definition.CacheSetting{Enabled: true, TTLSeconds: 60}}}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := p.Method(&definition.Resource{ID: "res", Path: "/a"}, &definition.Method{HTTPMethod: "GET", AuthorizationType: definition.AuthCustom,
				Integration: &definition.Integration{Type: definition.IntegrationHTTPProxy, CacheAcrossCallers: shared}}, nil, []string{"authorization", "x-token"})
			if err != nil {
				t.Fatal(err)
			}
			key := func(c ofCaller) string {
				r := request(t, "GET /a\nAuthorization: b\nX-Token: a")
				if mode == definition.CacheModeAWS && !m.Usable(r, r.Verb) {
					t.Errorf("%s: not usable", mode)
				}
				k, ok := m.AppendKey(nil, r, r.Verb, r.Path, c)
				if mode == definition.CacheModeStandard {
					k, ok = m.AppendTarget(nil, r.Host, r.Path, r.Query, c)
				}
				if ok != (shared || c != "") {
					t.Errorf("%s, shared %v, caller %q: %v", mode, shared, c, ok)
				}
				return string(k)
			}
			key("")
			if same := key("a") == key("b"); same != shared {
				t.Errorf("%s, shared %v: the same key for two callers: %v", mode, shared, same)
			}
			if one, again := key("a"), key("a"); one != again {
				t.Errorf("%s: two keys for one caller", mode)
			}
			other := request(t, "GET /a\nX-Session: a")
			if mode == definition.CacheModeAWS && m.Usable(other, other.Verb) {
				t.Error("usable with a field that the gateway does not know callers by")
			}
		}
	}
}

// A caller that is known although the method does not ask, by its certificate,
// has entries of its own, and nobody else is kept from theirs.
func TestKnownCallersApart(t *testing.T) {
	for _, shared := range []bool{false, true} {
		p, err := Compile(&definition.Stage{APIID: "api", Name: "s", DeploymentID: "d", CacheClusterEnabled: true,
			MethodSettings: map[string]*definition.MethodSetting{"a/GET": {Caching: &definition.CacheSetting{Enabled: true, TTLSeconds: 60}}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.Method(&definition.Resource{ID: "res", Path: "/a"}, &definition.Method{HTTPMethod: "GET",
			Integration: &definition.Integration{Type: definition.IntegrationHTTPProxy, CacheAcrossCallers: shared}}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		keys := map[string]bool{}
		for _, c := range []ofCaller{"", "a", "b"} {
			r := request(t, "GET /a")
			k, ok := m.AppendKey(nil, r, r.Verb, r.Path, c)
			if !ok {
				t.Errorf("shared %v: caller %q has no key", shared, c)
			}
			keys[string(k)] = true
		}
		if want := map[bool]int{false: 3, true: 1}[shared]; len(keys) != want {
			t.Errorf("shared %v: %d keys for three callers, want %d", shared, len(keys), want)
		}
	}
}

func TestWhatIsCached(t *testing.T) {
	on := &definition.CacheSetting{Enabled: true, TTLSeconds: 60}
	for _, tc := range []struct {
		name, mode, verb, set string
		setting               *definition.CacheSetting
		want                  bool
	}{
		{"GET by its own", "aws", "GET", "GET", on, true},
		{"GET by all", "aws", "GET", "*", on, true},
		{"POST by all", "aws", "POST", "*", on, false},
		{"ANY by all", "aws", "ANY", "*", on, false},
		{"ANY by its own", "aws", "ANY", "ANY", on, true},
		{"another's", "aws", "GET", "POST", on, false},
		{"off", "aws", "GET", "GET", &definition.CacheSetting{TTLSeconds: 60}, false},
		{"no setting", "aws", "GET", "GET", nil, false},
		{"no time", "aws", "GET", "GET", &definition.CacheSetting{Enabled: true}, false},
		{"standard by all", "standard", "ANY", "*", on, true},
		{"standard, POST invalidates", "standard", "POST", "*", on, true},
		{"standard, time is the backend's", "standard", "GET", "GET", &definition.CacheSetting{Enabled: true}, true},
	} {
		m, err := compiled(tc.mode, tc.verb, tc.set, tc.setting)
		if err != nil || (m != nil) != tc.want {
			t.Errorf("%s: %v, %v", tc.name, m != nil, err)
		}
	}
	if p, err := Compile(&definition.Stage{}, nil); p != nil || err != nil {
		t.Errorf("a stage without a cache: %v, %v", p, err)
	}
	if m, err := (*Policy)(nil).Method(resource, &definition.Method{}, nil, nil); m != nil || err != nil {
		t.Errorf("a method of it: %v, %v", m, err)
	}
}

func TestCompileRefuses(t *testing.T) {
	on := &definition.CacheSetting{Enabled: true, TTLSeconds: 60}
	for key, want := range map[string]string{
		"method.request.path.other":            "no parameter {other}",
		"method.request.body.a":                "no header, path or querystring",
		"integration.request.header.X-Unknown": "not mapped in requestParameters",
		"integration.request.header.X-Request": "differs with every request",
	} {
		if _, err := compiled("aws", "GET", "GET", on, key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", key, err, want)
		}
	}
	if _, err := compiled("fast", "GET", "GET", on); err == nil || !strings.Contains(err.Error(), `cache mode "fast"`) {
		t.Errorf("error %v", err)
	}
}

// Requests are told apart by the path and the declared parameters, and by
// nothing else.
func TestKeys(t *testing.T) {
	m := method(t, "method.request.path.id", "method.request.querystring.q", "method.request.header.X-A", "integration.request.header.X-Mapped", "integration.request.header.X-Fixed")
	key := func(head, id string) string {
		r := request(t, head)
		k, ok := m.AppendKey(nil, r, r.Verb, r.Path, params{id})
		if !ok {
			t.Fatalf("%q: too long", head)
		}
		return string(k)
	}
	same := [][2]string{
		{"GET /pets/1?q=a", "GET /pets/1?q=a&other=b"}, {"GET /pets/1?q=a", "GET /pets/1?x=y&q=a&&"}, {"GET /pets/1?%71=a", "GET /pets/1?q=a"},
		{"GET /pets/1\nX-A: 1", "GET /pets/1\nx-a:  1 "}, {"GET /pets/1\nX-B: 1", "GET /pets/1"},
	}
	for _, s := range same {
		if key(s[0], "1") != key(s[1], "1") {
			t.Errorf("%q and %q are told apart", s[0], s[1])
		}
	}
	seen := map[string]string{}
	for _, head := range []string{
		"GET /pets/1", "GET /pets/2", "GET /pets/1/", "GET /pets/%31", "GET /pets/1?q", "GET /pets/1?q=a", "GET /pets/1?q=a&q=a", "GET /pets/1?q=a&q=b", "GET /pets/1?q=b&q=a",
		"GET /pets/1?q=ab", "GET /pets/1?q=%61", "GET /pets/1\nX-A: a", "GET /pets/1\nX-A: a\nX-A: a", "GET /pets/1\nX-A: aa", "GET /pets/1\nX-A:", "GET /pets/1?q=a\nX-A: b", "GET /pets/1?q=b\nX-A: a",
		"HEAD /pets/1",
	} {
		k := key(head, "1")
		if other, twice := seen[k]; twice {
			t.Errorf("%q and %q share a key", head, other)
		}
		seen[k] = head
	}
	long := request(t, "GET /pets/1?q="+strings.Repeat("a", 9000)+"\nX-A: "+strings.Repeat("a", 9000))
	if _, ok := m.AppendKey(nil, long, long.Verb, long.Path, params{"1"}); ok {
		t.Error("a key of 18 KB is accepted")
	}
}

func TestUsable(t *testing.T) {
	m := method(t)
	declared := method(t, "method.request.header.Authorization", "method.request.header.X-Tenant-Id", "method.request.header.Cookie")
	for head, want := range map[string]bool{
		"GET /": true, "GET /\nAccept: a\nUser-Agent: b\nX-Other: c\nSec-Fetch-User: ?1": true, "POST /": false, "HEAD /": false,
		"GET /\nContent-Length: 1": false, "GET /\nTransfer-Encoding: chunked": false, "GET /\nX-API-Key: a": false, "GET /\nRange: bytes=0-": false,
		"GET /\nX-Forwarded-Host: a": false, "GET /\nX-HTTP-Method-Override: GET": false, "GET /\nX-" + strings.Repeat("a", 80) + ": b": false,
	} {
		r := request(t, head)
		if got := m.Usable(r, r.Verb); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
	for _, field := range []string{"Authorization: a", "X-Tenant-Id: a", "Cookie: a"} {
		r := request(t, "GET /\n"+field)
		if m.Usable(r, r.Verb) || !declared.Usable(r, r.Verb) {
			t.Errorf("%s: %v, declared %v; want false, true", field, m.Usable(r, r.Verb), declared.Usable(r, r.Verb))
		}
	}
}

func TestStorable(t *testing.T) {
	m := method(t, "method.request.header.Accept-Encoding", "method.request.header.X-A")
	plain := method(t)
	for head, want := range map[string]bool{
		"200 OK\nContent-Length: 1": true, "204 No": true, "301 Moved\nContent-Length: 0": true, "200 OK\nTransfer-Encoding: chunked": true,
		"200 OK": false, "206 Part\nContent-Length: 1": false, "302 Found\nContent-Length: 0": false, "304 Same": false,
		"404 None\nContent-Length: 0": false, "500 Oops\nContent-Length: 0": false,
		"200 OK\nContent-Length: 1\nSet-Cookie: a=b": false, "200 OK\nContent-Length: 1\nContent-Range: bytes 0-0/1": false,
		"200 OK\nContent-Length: 1\nCache-Control: max-age=0, no-cache": true, "200 OK\nContent-Length: 1\nCache-Control: PRIVATE": false,
		"200 OK\nContent-Length: 1\nCache-Control: a, no-store": false, "200 OK\nContent-Length: 1\nCache-Control: a=\"private": false,
		"200 OK\nContent-Length: 1\nVary: X-A, Accept-Encoding": true, "200 OK\nContent-Length: 1\nVary: X-A\nVary: X-B": false, "200 OK\nContent-Length: 1\nVary: *": false,
		"200 OK\nContent-Length: 1\nContent-Encoding: gzip": true, "200 OK\nContent-Length: 1\nAccess-Control-Allow-Origin: *": true,
		"200 OK\nContent-Length: 1\nAccess-Control-Allow-Origin: https://a": false,
	} {
		r := response(t, head)
		if got := m.Storable(r.Status, r); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
	if r := response(t, "200 OK\nContent-Length: 1\nContent-Encoding: gzip"); plain.Storable(200, r) {
		t.Error("an encoded body is kept for clients that may not read it")
	}
}

func TestInvalidates(t *testing.T) {
	for head, want := range map[string]bool{
		"GET /\nCache-Control: max-age=0": true, "GET /\nCache-Control: Max-Age=0": true, "GET /": false, "GET /\nCache-Control: no-cache": false,
		"GET /\nCache-Control: max-age=00": false, "GET /\nCache-Control: max-age=0, a": false,
	} {
		if got := Invalidates(request(t, head)); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
}

func TestMeta(t *testing.T) {
	meta := AppendMeta(nil, 301, []byte("x-amzn-Remapped-Date: now\r\nA: b\r\nx-amzn-Remapped-Content-Length: 5\r\n"))
	if status, fields, ok := ReadMeta(meta); status != 301 || !bytes.Equal(fields, []byte("A: b\r\n")) || !ok {
		t.Errorf("%d %q %v", status, fields, ok)
	}
	for _, bad := range []string{"", "a", "\x00\x00", "\xff\xff"} {
		if _, _, ok := ReadMeta([]byte(bad)); ok {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestKeysDoNotAllocate(t *testing.T) {
	m := method(t, "method.request.querystring.q", "method.request.header.X-A")
	r := request(t, "GET /pets/1?q=a\nX-A: b\nX-Other: c")
	buf, in := make([]byte, 0, 1024), params{"1"}
	var input Input = in
	if n := testing.AllocsPerRun(1000, func() {
		if !m.Usable(r, r.Verb) {
			t.Fatal("not usable")
		}
		if _, ok := m.AppendKey(buf, r, r.Verb, r.Path, input); !ok {
			t.Fatal("no key")
		}
	}); n != 0 {
		t.Errorf("%f allocations", n)
	}
}

// FuzzKey: whatever a request has, its key can be made, and a request that says
// something else of a declared parameter has another key.
func FuzzKey(f *testing.F) {
	m := method(f, "method.request.querystring.q", "method.request.header.X-A")
	f.Add("q=a", "b")
	f.Add("q=a&q=b&%71=c", "")
	f.Fuzz(func(t *testing.T, query, value string) {
		r := new(http1.Request)
		raw := "GET /?" + query + " HTTP/1.1\r\nHost: h\r\nX-A: " + value + "\r\n"
		if r.Parse([]byte(raw+"\r\n"), limits) != 0 {
			return
		}
		other := new(http1.Request)
		if other.Parse([]byte(raw+"X-A: more\r\n\r\n"), limits) != 0 {
			return
		}
		one, ok := m.AppendKey(nil, r, r.Verb, r.Path, params{})
		two, _ := m.AppendKey(nil, other, other.Verb, other.Path, params{})
		if ok && bytes.Equal(one, two) {
			t.Errorf("%q: the same key with another value", raw)
		}
	})
}
