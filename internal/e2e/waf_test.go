package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// Parts of web ACLs.
const (
	toAllow = `{"Allow": {}}`
	toBlock = `{"Block": {}}`
	toCount = `{"Count": {}}`
)

// aclRule is a rule of a web ACL.
func aclRule(name string, priority int, action, statement string) string {
	return fmt.Sprintf(`{"Name": %q, "Priority": %d, "Action": %s, "Statement": %s}`, name, priority, action, statement)
}

// coreRules is a rule with the OWASP Core Rule Set.
func coreRules(priority int, override string) string {
	return fmt.Sprintf(`{"Name": "crs", "Priority": %d, "OverrideAction": {%q: {}}, "Statement": {"ManagedRuleGroupStatement": {"VendorName": "OWASP", "Name": "CoreRuleSet"}}}`, priority, override)
}

func hasText(field, text string) string {
	return fmt.Sprintf(`{"ByteMatchStatement": {"FieldToMatch": %s, "PositionalConstraint": "CONTAINS", "SearchString": %q, "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}`,
		field, base64.StdEncoding.EncodeToString([]byte(text)))
}

const inQuery = `{"QueryString": {}}`

// putACL puts the web ACL shop before a stage.
func (d *daemon) putACL(apiID, stage, more string, rules ...string) {
	d.t.Helper()
	ctx := context.Background()
	document := fmt.Sprintf(`{"DefaultAction": %s, "Rules": [%s]%s}`, toAllow, strings.Join(rules, ","), more)
	if _, err := d.client.PutWebACL(ctx, "shop", control.WebACLInput{Document: document}); err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.client.AttachWebACL(ctx, apiID, stage, "shop"); err != nil {
		d.t.Fatal(err)
	}
}

// putIPSet makes an IP set, of one network a line.
func (d *daemon) putIPSet(name, networks string, kernelGate bool) *control.IPSet {
	d.t.Helper()
	set, err := d.client.PutIPSetText(context.Background(), name, []byte(networks), control.IPSetInput{KernelGate: &kernelGate})
	if err != nil {
		d.t.Fatal(err)
	}
	return set
}

// ruleStats is what a rule of the web ACL shop has done.
func (d *daemon) ruleStats(rule string) control.RuleStats {
	d.t.Helper()
	stats, err := d.client.WAFStats(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, a := range stats.WebACLs {
		for _, r := range a.Rules {
			if a.Name == "shop" && r.Rule == rule {
				return r
			}
		}
	}
	d.t.Fatalf("no rule %s", rule)
	return control.RuleStats{}
}

// from sends a request from another address of this host.
func (d *daemon) from(source, method, target, body string, fields ...string) *answer {
	d.t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}).Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	a, err := (&client{conn, bufio.NewReader(conn)}).ask(method, target, body, fields...)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// TestWAFByAddress: sources are known by their own address, and by what a trusted
// proxy says, in sets of any size; a web ACL outlives the daemon.
func TestWAFByAddress(t *testing.T) {
	t.Parallel()
	e := startEcho(t)
	d := start(t, host{more: "trusted_proxies: [127.0.0.9]"})
	api := d.deploy("prod", gatetest.ProxyAll(e.addr, 29000), nil)
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, "%d.%d.%d.%d/30\n", 11+i%100, i/100%256, i/25600, i*4%256)
	}
	if set := d.putIPSet("many", many.String()+"127.0.0.2\n198.51.100.0/24\n", false); set.AddressCount < 90_000 {
		t.Fatalf("%d networks", set.AddressCount)
	}
	d.putACL(api, "prod", "", aclRule("own", 1, toBlock, `{"IPSetReferenceStatement": {"ARN": "many"}}`),
		aclRule("forwarded", 2, toBlock, `{"IPSetReferenceStatement": {"ARN": "many", "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}}}`))
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			source, forwarded string
			blocked           bool
		}{
			{"127.0.0.1", "", false}, {"127.0.0.2", "", true}, {"127.0.0.3", "198.51.100.7", false}, // anybody can write that
			{"127.0.0.9", "198.51.100.7", true}, {"127.0.0.9", "203.0.113.7", false}, {"127.0.0.9", "198.51.100.7, 203.0.113.7", false},
			{"127.0.0.2", "203.0.113.7", true},
		} {
			var fields []string
			if c.forwarded != "" {
				fields = append(fields, "X-Forwarded-For: "+c.forwarded)
			}
			before := e.requests()
			a := d.from(c.source, "GET", "/prod/a", "", fields...)
			if c.blocked {
				a.expectError(t, when+": "+c.source+" for "+c.forwarded, 403, "Forbidden", "ForbiddenException")
			} else if a.status != 200 {
				t.Errorf("%s: %s for %q: %d %s", when, c.source, c.forwarded, a.status, a.body)
			}
			if reached := e.requests() != before; reached == c.blocked {
				t.Errorf("%s: %s for %q: reached the backend: %v", when, c.source, c.forwarded, reached)
			}
		}
	}
	check("put")
	if own, forwarded := d.ruleStats("own"), d.ruleStats("forwarded"); own.Blocked != 2 || forwarded.Blocked != 1 {
		t.Errorf("own %+v, forwarded %+v", own, forwarded)
	}
	if n, err := readMetric(d.admin, "tidegate_blocked_requests_total", `rule="own",web_acl="shop"`); err != nil || n != 2 {
		t.Errorf("blocked: %v, %v", n, err)
	}
	samples, err := d.client.WAFSamples(t.Context(), "shop")
	if err != nil || len(samples) == 0 || samples[0].Action == "" || samples[0].Method != "GET" || time.Since(samples[0].Time) > time.Minute {
		t.Errorf("samples %+v, %v", samples, err)
	}
	d.kill()
	d.run()
	d.waitReady()
	check("after a crash")
}

// TestWAFByRate: who asks too often is blocked, whatever is deployed meanwhile, and
// served again when he has been quiet, or allowed more.
func TestWAFByRate(t *testing.T) {
	t.Parallel()
	d := start(t, host{})
	document := gatetest.ProxyAll("127.0.0.1:1024", 29000)
	api := d.deploy("prod", document, nil)
	rate := func(limit int) {
		d.putACL(api, "prod", "", aclRule("rate", 1, toBlock, fmt.Sprintf(`{"RateBasedStatement": {"Limit": %d, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"}}`, limit)))
	}
	rate(10)
	ask := func(source string, n int) (served int) {
		for range n {
			if d.from(source, "GET", "/prod/health", "").status == 200 {
				served++
			}
		}
		return served
	}
	if n := ask("127.0.0.2", 8); n != 8 {
		t.Errorf("%d of the first 8 are served", n)
	}
	d.deploy("prod", strings.ReplaceAll(document, `{"status":"ok"}`, `{"status":"new"}`), nil)
	if n := ask("127.0.0.2", 12); n != 2 {
		t.Errorf("%d are served after another deployment, want 2", n)
	}
	if n := ask("127.0.0.3", 5); n != 5 {
		t.Errorf("%d of another source's are served", n)
	}
	predecessor := d.exited
	if err := d.upgrade(); err != nil {
		t.Fatal(err)
	}
	<-predecessor // or it would still serve some
	if n, other := ask("127.0.0.2", 3), ask("127.0.0.3", 8); n != 0 || other != 5 {
		t.Errorf("%d and %d are served by a successor, want 0 and 5", n, other)
	}
	rate(100)
	if n := ask("127.0.0.2", 5); n != 5 {
		t.Errorf("%d are served of 5 with a larger limit", n)
	}
	rate(10)
	if n := ask("127.0.0.2", 3); n != 0 {
		t.Errorf("%d are served with the smaller one again", n)
	}
	if testing.Short() { // what is left is a minute's sleep
		return
	}
	time.Sleep(65 * time.Second)
	if n := ask("127.0.0.2", 12); n != 10 {
		t.Errorf("%d are served after a window, want 10", n)
	}
}

// TestWAFResponses: a rule that counts lets pass; one with a response of its own
// answers that.
func TestWAFResponses(t *testing.T) {
	t.Parallel()
	d := start(t, host{})
	api := d.deploy("prod", gatetest.ProxyAll("127.0.0.1:1024", 29000), nil)
	d.putACL(api, "prod", `, "CustomResponseBodies": {"busy": {"ContentType": "APPLICATION_JSON", "Content": "{\"error\":\"busy\"}"}}`,
		aclRule("bots", 1, toCount, hasText(`{"SingleHeader": {"Name": "User-Agent"}}`, "bot")),
		aclRule("busy", 2, `{"Block": {"CustomResponse": {"ResponseCode": 503, "CustomResponseBodyKey": "busy", "ResponseHeaders": [{"Name": "X-Reason", "Value": "busy"}]}}}`, hasText(inQuery, "busy")),
		aclRule("evil", 3, toBlock, hasText(inQuery, "evil")))
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	do := func(method, target string, fields ...string) *answer {
		t.Helper()
		a, err := c.ask(method, target, "", fields...)
		if err != nil {
			t.Fatalf("%s %s: %v", method, target, err)
		}
		return a
	}
	do("GET", "/prod/health", "User-Agent: a bot").expect(t, "counted", 200, `{"status":"ok"}`)
	a := do("GET", "/prod/health?busy", "User-Agent: a bot")
	a.expect(t, "custom", 503, `{"error":"busy"}`)
	if a.header.Get("X-Reason") != "busy" || a.header.Get("Content-Type") != "application/json" || a.errorType() != "" || a.last {
		t.Errorf("custom: %v", a.header)
	}
	do("GET", "/prod/health?evil").expectError(t, "blocked", 403, "Forbidden", "ForbiddenException")
	do("HEAD", "/prod/health?evil").expect(t, "HEAD", 403, "")
	do("OPTIONS", "/prod/nothing/at/all?evil").expectError(t, "OPTIONS of no method", 403, "Forbidden", "ForbiddenException")
	do("GET", "/prod/health").expect(t, "the same connection", 200, `{"status":"ok"}`)
	if bots, busy := d.ruleStats("bots"), d.ruleStats("busy"); bots.Counted != 2 || bots.Blocked != 0 || busy.Blocked != 1 {
		t.Errorf("bots %+v, busy %+v", bots, busy)
	}
	var line map[string]string
	eventually(t, 5*time.Second, func() error {
		text, err := os.ReadFile(d.log)
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) < 6 {
			return fmt.Errorf("%d lines", len(lines))
		}
		return json.Unmarshal([]byte(lines[2]), &line)
	})
	if line["wafResponseCode"] != "WAF_BLOCK" || line["error.responseType"] != "WAF_FILTERED" || line["waf.status"] != "403" || !strings.HasPrefix(line["webaclArn"], "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/") {
		t.Errorf("logged %v", line)
	}
}

const order = `{"customer":{"name":"Ada Lovelace","email":"ada@example.com"},"note":"2 of them, please; the red ones","items":[{"sku":"A-1001","quantity":2}]}`

// TestWAFCoreRuleSet: it finds attacks in queries and in bodies, lets pass what is
// none, and in detection mode everything.
func TestWAFCoreRuleSet(t *testing.T) {
	t.Parallel()
	e := startEcho(t)
	d := start(t, host{})
	api := d.deploy("prod", gatetest.ProxyAll(e.addr, 29000), nil)
	browser := []string{"Host: shop.example.com", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Accept: application/json"}
	typed := append([]string{"Content-Type: application/json"}, browser...)
	sum := sha256.Sum256([]byte(order))
	ordered := fmt.Sprintf("%d %x", len(order), sum[:4])
	for override, attacked := range map[string]int{"None": 403, "Count": 200} {
		d.putACL(api, "prod", "", coreRules(1, override))
		for _, c := range []struct {
			what, method, target, body string
			fields                     []string
			attack                     bool
		}{
			{"a query", "GET", "/prod/pets?page=2&sort=-created_at&q=red+shoes", "", browser, false},
			{"an order", "POST", "/prod/orders?dry=false", order, typed, false},
			{"an injection in a query", "GET", "/prod/pets?id=1%27%20UNION%20SELECT%20password%20FROM%20users--", "", browser, true},
			{"an injection in a body", "POST", "/prod/orders", `{"name":"x' OR '1'='1' UNION SELECT password FROM users --"}`, typed, true},
			{"a script in a body", "POST", "/prod/orders", `{"name":"<script>alert(document.cookie)</script>"}`, typed, true},
			{"a path", "GET", "/prod/file?name=../../../../etc/passwd", "", browser, true},
			{"a form", "POST", "/prod/orders", "name=Ada&note=hello", append([]string{"Content-Type: application/x-www-form-urlencoded"}, browser...), false},
		} {
			want := 200
			if c.attack {
				want = attacked
			}
			a := d.ask(c.method, c.target, c.body, c.fields...)
			if a.status != want || c.body == order && !strings.HasPrefix(a.body, ordered) {
				t.Errorf("%s, %s: %d %s, want %d", override, c.what, a.status, a.body, want)
			}
		}
	}
	if s := d.ruleStats("crs"); s.Blocked != 4 || s.Counted != 4 {
		t.Errorf("crs %+v", s)
	}
}

// TestWAFBodies: what is looked at of a body, and what a rule says of a longer one;
// bodies reach the backend as they came in any framing.
func TestWAFBodies(t *testing.T) {
	t.Parallel()
	e := startEcho(t)
	d := start(t, host{})
	api := d.deploy("prod", gatetest.ProxyAll(e.addr, 29000), nil)
	const limit = 64 << 10
	for handling, over := range map[string]int{"CONTINUE": 200, "MATCH": 403, "NO_MATCH": 200} {
		d.putACL(api, "prod", "", aclRule("evil", 1, toBlock, hasText(`{"Body": {"OversizeHandling": "`+handling+`"}}`, "evil")))
		for _, c := range []struct {
			size, at, want int
		}{
			{100, -1, 200}, {100, 50, 403}, {limit, -1, 200}, {limit, limit - 4, 403}, {limit + 1, -1, over}, {4 * limit, 2 * limit, over},
			{4 * limit, 10, map[string]int{"CONTINUE": 403, "MATCH": 403, "NO_MATCH": 200}[handling]},
		} {
			body := []byte(strings.Repeat("x", c.size))
			if c.at >= 0 {
				copy(body[c.at:], "evil")
			}
			sum := sha256.Sum256(body)
			for _, chunked := range []bool{false, true} {
				r, err := http.NewRequest("POST", "http://"+d.addr+"/prod/a", strings.NewReader(string(body)))
				if err != nil {
					t.Fatal(err)
				}
				if chunked {
					r.ContentLength = -1
				}
				a := d.do(r)
				if a.status != c.want || a.status == 200 && !strings.HasPrefix(a.body, fmt.Sprintf("%d %x", c.size, sum[:4])) {
					t.Errorf("%s, %+v, chunked %t: %d %s", handling, c, chunked, a.status, a.body)
				}
			}
		}
	}

	// A body that is waited for is asked for; not if the head says enough.
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	d.putACL(api, "prod", "", aclRule("query", 1, toBlock, hasText(inQuery, "evil")), aclRule("body", 2, toBlock, hasText(`{"Body": {"OversizeHandling": "CONTINUE"}}`, "evil")))
	const head = " HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
	for body, want := range map[string]int{"good": 200, "evil": 403} {
		if err := c.send("POST /prod/a" + head); err != nil {
			t.Fatal(err)
		}
		if line, err := c.br.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = c.br.ReadString('\n')
		if err := c.send(body); err != nil {
			t.Fatal(err)
		}
		if a, err := c.receive("POST"); err != nil || a.status != want || a.last {
			t.Fatalf("%s: %+v, %v", body, a, err)
		}
	}
	if err := c.send("POST /prod/a?evil" + head); err != nil {
		t.Fatal(err)
	}
	if a, err := c.receive("POST"); err != nil || a.status != 403 || !a.last {
		t.Errorf("blocked by the head: %+v, %v", a, err)
	}
}

// TestWAFBeforeAuthentication: what a web ACL blocks is not told that a signature is
// missing; and a body that it looked into is the one whose signature is checked.
func TestWAFBeforeAuthentication(t *testing.T) {
	t.Parallel()
	e := startEcho(t)
	d := start(t, host{})
	api := d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann := d.internalCaller("ann", mayAll)
	d.putACL(api, "prod", "", aclRule("query", 1, toBlock, hasText(inQuery, "evil")), aclRule("body", 2, toBlock, hasText(`{"Body": {"OversizeHandling": "CONTINUE"}}`, "evil")))
	d.ask("GET", "/prod/pets/a", "").expectError(t, "unsigned", 403, "Missing Authentication Token", missingTokenType)
	d.ask("GET", "/prod/pets/a?evil", "").expectError(t, "unsigned and blocked", 403, "Forbidden", "ForbiddenException")
	d.ask("GET", "/prod/nothing?evil", "").expectError(t, "nothing and blocked", 403, "Forbidden", "ForbiddenException")
	large := strings.Repeat("0123456789abcdef", 50_000)
	for what, body := range map[string]string{"small": "abc", "large": large, "small evil": "evil", "large evil": "evil" + large} {
		for _, s := range []signing{{}, {declare: true}, {chunked: true}} {
			a := d.do(d.signed(ann, "POST", "/prod/pets/a", body, s))
			sum := sha256.Sum256([]byte(body))
			switch evil := strings.Contains(what, "evil"); {
			case evil:
				a.expectError(t, what, 403, "Forbidden", "ForbiddenException")
			case a.status != 200 || !strings.HasPrefix(a.body, fmt.Sprintf("%d %x caller=arn:aws:iam::000000000000:user/ann", len(body), sum[:4])):
				t.Errorf("%s, %+v: %d %s", what, s, a.status, a.body)
			}
		}
	}
	forged := d.signed(ann, "POST", "/prod/pets/a", "abc", signing{declare: true, edit: func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader("abd"))
	}})
	if a := d.do(forged); a.errorType() != "InvalidSignatureException" {
		t.Errorf("another body than was signed: %d %s", a.status, a.body)
	}
}

// TestWAFSaturated: however many requests wait for the Core Rule Set, other stages
// are served by the event loops as before, and what cannot be inspected is refused.
func TestWAFSaturated(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{more: "waf: {concurrency: 1, queue: 8, timeout: 10s}"})
	api := d.deploy("prod", gatetest.ProxyAll(e.addr, 29000), nil)
	d.deploy("free", gatetest.ProxyAll(e.addr, 29000), nil)
	d.putACL(api, "prod", "", coreRules(1, "None"))
	heavy := `{"items":[` + strings.Repeat(`{"sku":"A-1001","note":"2 of them, please; the red ones, if there are any left of them"},`, 300) + `{"sku":"Z"}]}`
	served := func(d2 time.Duration) int64 {
		tr := newTraffic(2, d.addr, 0, get("/free/health", len(`{"status":"ok"}`)))
		time.Sleep(d2)
		tr.Stop(t)
		return tr.requests.Load()
	}
	const window = time.Second
	before := served(window)
	load := newTraffic(32, d.addr, 50*time.Millisecond, func(c *client, _ int) error {
		a, err := c.ask("POST", "/prod/orders", heavy, "Content-Type: application/json", "User-Agent: test", "Accept: */*", "Host: shop.example.com")
		if err == nil && a.status != 200 && a.status != 503 {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		return err
	})
	time.Sleep(window / 2)
	during := served(window)
	load.Stop(t)
	t.Logf("%d requests in %v without, %d with 32 clients of the Core Rule Set", before, window, during)
	if during < before/20 {
		t.Errorf("%d requests are served of %d before", during, before)
	}
	if refused := d.metric("tidegate_waf_inspections_refused_total"); refused == 0 {
		t.Error("nothing was refused")
	}
	eventually(t, 30*time.Second, func() error {
		if n := d.metric("tidegate_waf_inspections") + d.metric("tidegate_waf_inspections_waiting"); n != 0 {
			return fmt.Errorf("%v inspections", n)
		}
		return nil
	})
}
