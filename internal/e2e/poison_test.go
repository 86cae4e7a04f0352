package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestR35CacheAttacks sends pairs of requests through a caching stage, in both
// modes. The backend answers with whatever of the request names a client, a host
// or a target, and calls it cacheable. No answer may have anything of a request
// of the other side of its pair.
func TestR35CacheAttacks(t *testing.T) {
	backend := newCounting(t, func(n int64, r *http.Request) string {
		var told []string
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amzn") || name == "Accept" || name == "User-Agent" {
				continue
			}
			told = append(told, name+"="+strings.Join(values, ","))
		}
		slices.Sort(told)
		fields := []string{"Cache-Control: max-age=1000"}
		if r.URL.Query().Has("cookie") {
			fields = append(fields, "Set-Cookie: id=mallory")
		}
		if v := r.URL.Query().Get("vary"); v != "" {
			fields = append(fields, "Vary: "+v)
		}
		status := r.URL.Query().Get("status")
		answer := ok(fmt.Sprintf("%s %s %s %s", r.Method, r.URL.RequestURI(), r.Host, strings.Join(told, "; ")), fields...)
		if status != "" {
			answer = strings.Replace(answer, "200 OK", status+" Status", 1)
		}
		return answer
	})
	var pairs []pair
	// Fields by which a backend may know a client, or take the request for
	// another one: the attacker's must not be the victim's, and the reverse.
	for _, name := range []string{
		"Authorization: Bearer ", "Authorization: Basic ", "Authorization: Negotiate ", "Cookie: session=", "Cookie: a=b; id=", "cookie: ",
		"X-Auth-Token: ", "X-Access-Token: ", "X-Amz-Security-Token: ", "X-Session-Id: ", "X-User: ", "X-User-Id: ", "X-Remote-User: ",
		"X-Tenant-Id: ", "X-Account: ", "X-Customer-Id: ", "X-Csrf-Token: ", "X-Jwt-Assertion: ", "X-Client-Cert: ", "X-SSL-Client-Cert: ",
		"X-API-Key: ", "X-Identity: ", "X-Authenticated-Userid: ", "Proxy-Auth-User: ", "X-Principal: ", "X-Credential-Username: ",
		"X-Forwarded-Host: ", "X-Forwarded-Scheme: ", "X-Forwarded-Server: ", "X-Forwarded-Prefix: /", "X-Forwarded-Path: /",
		"X-Host: ", "X-Original-Host: ", "X-HTTP-Host-Override: ", "X-Original-URL: /", "X-Rewrite-URL: /", "X-Override-URL: /",
		"X-Original-URI: /", "X-Request-URI: /", "Forwarded: host=", "X-Real-IP: ", "X-Client-IP: ", "True-Client-IP: ", "CF-Connecting-IP: ",
		"X-Cluster-Client-IP: ", "Base-Url: ", "Request-Uri: ", "X-Proxy-Url: ",
	} {
		label := strings.TrimSuffix(name, ": ")
		pairs = append(pairs,
			pair{"poisoning by " + label, "", []string{name + "mallory"}, "", nil},
			pair{"leak to none, " + label, "", []string{name + "alice"}, "", nil},
			pair{"leak to another, " + label, "", []string{name + "alice"}, "", []string{name + "mallory"}})
	}
	// Deception: a path that looks like a file does not make an answer public.
	for _, suffix := range []string{"/x.css", ".css", ";x.css", "%3fx.css", "%23x.css", "/x.js", "%00x"} {
		pairs = append(pairs, pair{"deception " + suffix, suffix, []string{"Cookie: session=alice"}, suffix, nil})
	}
	// Collisions: different requests are different keys.
	for _, two := range [][2]string{
		{"?kind=a&kind=b", "?kind=a%26kind%3db"}, {"?kind=ab", "?kind=a&kind=b"}, {"?kind=", ""}, {"?kind=a", "?KIND=a"}, {"?kind=a", "?kind=a%00"},
		{"?kind=%61b", "?kind=a%62"}, {"/a%2fb", "/a/b"}, {"/A", "/a"}, {"/a;b", "/a"}, {"/a%3fb", "/a?b"}, {"?kind=a;kind=b", "?kind=a"},
		{"?kind=%2500", "?kind=%00"}, {"?kind=+", "?kind=%2b"}, {"/%61", "/a"},
	} {
		pairs = append(pairs, pair{"collision " + two[0] + " " + two[1], two[0], nil, two[1], nil})
	}
	// What must not be kept at all.
	for _, query := range []string{"?cookie", "?status=206", "?status=401", "?status=403", "?status=500", "?status=503", "?vary=*", "?vary=X-Other", "?vary=X-Other,%20Accept"} {
		pairs = append(pairs, pair{"not kept " + query, query, []string{"X-Other: mallory"}, query, []string{"X-Other: alice"}})
	}

	for _, mode := range []string{"aws", "standard"} {
		t.Run(mode, func(t *testing.T) {
			d := start(t, host{})
			// Every path has a key of its own; kind is declared.
			doc := strings.Replace(caching(backend.Addr), "method.request.path.proxy}", `method.request.path.proxy}, cacheKeyParameters: [method.request.querystring.kind]`, 1)
			doc = strings.Replace(doc, "parameters: [{name: proxy,", "parameters: [{name: kind, in: query, schema: {type: string}}, {name: proxy,", 1)
			api := d.deploy("prod", doc, nil)
			d.account(t).enableCache(api, "/x-tidegate-cache-mode", mode, "/~1any~1{proxy+}/ANY/caching/enabled", "true")
			hits := 0
			for i, p := range pairs {
				hits += p.play(t, d, mode, fmt.Sprintf("/prod/any/%d", i))
			}
			found(t, "R35", "%s: %d pairs, none across principals; %d of the second requests answered from the cache", mode, len(pairs), hits)
			harmless := pair{"harmless", "?kind=a", []string{"Accept: */*", "User-Agent: harmless-agent"}, "?kind=a", []string{"Sec-Fetch-User: ?1", "X-Request-Id: 7"}}
			if harmless.play(t, d, "aws", "/prod/any/harmless") != 1 {
				t.Error("the cache is not at work: a harmless pair does not share an answer")
			}
		})
	}
	if len(pairs) < 100 {
		t.Errorf("only %d pairs", len(pairs))
	}
}

// pair is two requests that must not share an answer.
type pair struct {
	name         string
	first        string // behind the path
	firstFields  []string
	second       string
	secondFields []string
}

func (p *pair) play(t *testing.T, d *daemon, mode, path string) (hit int) {
	t.Helper()
	if mode == "standard" && !p.forStandard() {
		return 0
	}
	one := d.ask("GET", path+p.first, "", p.firstFields...)
	two := d.ask("GET", path+p.second, "", p.secondFields...)
	if two.status == 200 && (two.header.Get("X-Cache") == "Hit from tidegate" || strings.Contains(two.header.Get("Cache-Status"), "hit")) {
		hit = 1
	}
	for _, f := range p.firstFields {
		_, value, _ := strings.Cut(f, ": ")
		if strings.Contains(two.body, value) && !slices.Contains(p.secondFields, f) {
			t.Errorf("%s: the second client got %q", p.name, two.body)
		}
	}
	if p.first != p.second && one.status == 200 && one.body == two.body {
		t.Errorf("%s: one answer to two targets: %q", p.name, two.body)
	}
	if strings.HasPrefix(p.name, "not kept") && hit != 0 {
		t.Errorf("%s: it was kept: %q", p.name, two.body)
	}
	return hit
}

// forStandard leaves out what a backend itself calls fit for everyone: the
// standard has it say so with Vary or private.
func (p *pair) forStandard() bool {
	for _, f := range slices.Concat(p.firstFields, p.secondFields) {
		name, _, _ := strings.Cut(f, ":")
		switch name {
		case "Authorization", "X-Forwarded-Host", "X-Forwarded-Scheme", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-Other":
		default:
			return false
		}
	}
	return !strings.Contains(p.name, "?status=") // with explicit freshness they may be kept
}
