package dataplane_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestSteadyStateAllocatesNothing counts what the whole process allocates while
// a client and a backend that allocate nothing exchange requests through the
// gateway, access log and metrics included.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=3600\r\nServer: s\r\nContent-Length: 2\r\n\r\nok"
	serve := func(conn net.Conn) {
		buf, n, out := make([]byte, 16<<10), 0, []byte(answer)
		for {
			k, err := conn.Read(buf[n:])
			if err != nil {
				return
			}
			n += k
			head := bytes.Index(buf[:n], []byte("\r\n\r\n"))
			if head < 0 || bytes.HasPrefix(buf, []byte("POST")) && n < head+4+3 {
				continue
			}
			n = 0
			if _, err := conn.Write(out); err != nil {
				return
			}
		}
	}
	backend, second := gatetest.NewBackend(t, serve), gatetest.NewBackend(t, serve)
	g := gatetest.Start(t, func(h *configs.Host) {
		h.Workers = 1
		h.Domains = append(h.Domains, configs.Domain{Name: "limited.example", Mappings: []configs.Mapping{{API: "limited"}}},
			configs.Domain{Name: "several.example", Mappings: []configs.Mapping{{API: "several"}}})
	})
	g.ProxyAll(backend.Addr)
	cachingStage(t, g, backend.Addr, "aws")
	cachingStage(t, g, backend.Addr, "standard")
	g.Deploy("prod", `
openapi: 3.0.3
info: {title: several, version: "1"}
paths:
  /pets:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://pets.example/", x-tidegate-targets: ["`+backend.Addr+`", "`+second.Addr+`"]}
`)
	key := limitedAPI(t, g, backend.Addr)
	protectedStage(t, g, backend.Addr)
	g.Quiet()
	const limited = "GET /prod/pets HTTP/1.1\r\nHost: limited.example\r\n"
	const fields = " HTTP/1.1\r\nHost: api.example\r\nUser-Agent: test\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"
	for _, c := range []struct{ name, request, end string }{
		{"proxy", "GET /prod/a/b/c?d=e" + fields + "\r\n", "ok"},
		{"proxy with a body", "POST /prod/a" + fields + "Content-Length: 3\r\n\r\nxyz", "ok"},
		{"proxy with a chunked body", "POST /prod/a" + fields + "Transfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n", "ok"},
		{"proxy to several targets", "GET /prod/pets HTTP/1.1\r\nHost: several.example\r\n\r\n", "ok"},
		{"mock", "GET /prod/health" + fields + "\r\n", `{"status":"ok"}`},
		{"every limit", limited + "X-API-Key: " + key + "\r\n\r\n", "ok"},
		{"unknown key", limited + "X-API-Key: 0123456789012345678901234567890123456789\r\n\r\n", `{"message":"Forbidden"}`},
		{"throttled", "POST" + limited[3:] + "X-API-Key: " + key + "\r\n\r\n", `{"message":"Too Many Requests"}`},
		{"cache hit", "GET /aws/a?b=c HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\n\r\n", "ok"},
		{"standard cache hit", "GET /standard/a?b=c HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\n\r\n", "ok"},
		{"web ACL", "GET /waf/a/b/c?d=e" + fields + "Cookie: a=b; c=d\r\nX-HTTP-Method-Override: PATCH\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n", "ok"},
		{"blocked by a web ACL", "GET /waf/a?evil" + fields + "\r\n", `{"message":"Forbidden"}`},
		{"custom response of a web ACL", "GET /waf/a?slow" + fields + "\r\n", `no`},
		{"gateway response", "GET /none" + fields + "\r\n", `{"message":"Forbidden"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := g.Dial(false)
			defer conn.Close()
			perRequest := allocations(t, conn, counted(8000), c.request, c.end)
			t.Logf("%.4f allocations per request", perRequest)
			if perRequest >= 0.01 && !underRace {
				t.Errorf("%.4f allocations per request, want none", perRequest)
			}
		})
	}
}

// counted is how many requests allocations are counted of: n, or few under the race
// detector, which makes pools forget and the count say nothing.
func counted(n int) int {
	if underRace {
		return n / 20
	}
	return n
}

// cachingStage deploys the API "test" at a stage that caches in the mode of its
// name.
func cachingStage(t *testing.T, g *gatetest.Gate, address, mode string) {
	t.Helper()
	id := g.Deploy(mode, gatetest.ProxyAll(address, 29000))
	replace := func(path, value string) control.PatchOperation {
		return control.PatchOperation{Op: "replace", Path: path, Value: value}
	}
	if _, err := g.Client.UpdateStage(context.Background(), id, mode, replace("/cacheClusterEnabled", "true"), replace("/~1{proxy+}/ANY/caching/enabled", "true"),
		replace("/~1{proxy+}/ANY/caching/ttlInSeconds", "3600"), replace("/x-tidegate-cache-mode", mode)); err != nil {
		t.Fatal(err)
	}
}

// protectedStage deploys the API "test" at a stage with a web ACL of every kind of
// rule that needs no goroutine.
func protectedStage(t *testing.T, g *gatetest.Gate, address string) {
	t.Helper()
	id := g.Deploy("waf", gatetest.ProxyAll(address, 29000))
	addresses, err := definition.NewPrefixes([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	const none = `"TextTransformations": [{"Priority": 0, "Type": "NONE"}]`
	const document = `{"DefaultAction": {"Allow": {}}, "CustomResponseBodies": {"no": {"ContentType": "TEXT_PLAIN", "Content": "no"}}, "Rules": [
  {"Name": "set", "Priority": 0, "Action": {"Block": {}}, "Statement": {"IPSetReferenceStatement": {"ARN": "bad"}}},
  {"Name": "forwarded", "Priority": 1, "Action": {"Block": {}}, "Statement": {"IPSetReferenceStatement": {"ARN": "bad", "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}}}},
  {"Name": "rate", "Priority": 2, "Action": {"Block": {}}, "Statement": {"RateBasedStatement": {"Limit": 2000000000, "AggregateKeyType": "IP"}}},
  {"Name": "query", "Priority": 3, "Action": {"Block": {}}, "Statement": {"ByteMatchStatement": {"FieldToMatch": {"QueryString": {}}, "PositionalConstraint": "CONTAINS", "SearchString": "ZXZpbA==",
    "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}, {"Priority": 1, "Type": "LOWERCASE"}]}}},
  {"Name": "expression", "Priority": 4, "Action": {"Count": {}}, "RuleLabels": [{"Name": "cookie"}], "Statement": {"RegexMatchStatement": {"FieldToMatch": {"SingleHeader": {"Name": "Cookie"}}, "RegexString": "a=[bc]", ` + none + `}}},
  {"Name": "slow", "Priority": 5, "Action": {"Block": {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "no", "ResponseHeaders": [{"Name": "X-Slow", "Value": "1"}]}}},
    "Statement": {"ByteMatchStatement": {"FieldToMatch": {"QueryString": {}}, "PositionalConstraint": "EXACTLY", "SearchString": "c2xvdw==", ` + none + `}}},
  {"Name": "method", "Priority": 6, "Action": {"Count": {}}, "Statement": {"ByteMatchStatement": {"FieldToMatch": {"Method": {}}, "PositionalConstraint": "EXACTLY", "SearchString": "UEFUQ0g=", ` + none + `}}}]}`
	err = g.Gateway.Update(context.Background(), func(c *definition.Catalog) (definition.Change, error) {
		next := *c.Stages[definition.StageKey{APIID: id, Stage: "waf"}]
		next.WebACLID = "1"
		return definition.Change{
			PutIPSets:  []*definition.IPSet{{ID: "bad", Name: "bad", IPAddressVersion: definition.IPv4, Addresses: addresses}},
			PutWebACLs: []*definition.WebACL{{ID: "1", Name: "shop", Document: document}}, PutStages: []*definition.Stage{&next},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// limitedAPI deploys an API under every kind of limit, none of which GET reaches
// and one of which denies POST, and returns the value of an API key for it.
func limitedAPI(t *testing.T, g *gatetest.Gate, address string) (key string) {
	t.Helper()
	method := `{security: [{key: []}], responses: {"200": {description: ok}},
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "http://` + address + `/pets"}}`
	id := g.Deploy("prod", `
openapi: 3.0.3
info: {title: limited, version: "1"}
x-tidegate-guaranteed-rate: 10
components: {securitySchemes: {key: {type: apiKey, name: x-api-key, in: header}}}
paths:
  /pets:
    get: `+method+`
    post: `+method+`
`)
	ctx := context.Background()
	rate, burst, none := control.Double(1e6), 1_000_000, 0
	throttle := &control.ThrottleSettings{RateLimit: &rate, BurstLimit: &burst}
	replace := func(path, value string) control.PatchOperation {
		return control.PatchOperation{Op: "replace", Path: path, Value: value}
	}
	_, err := g.Client.UpdateStage(ctx, id, "prod", replace("/*/*/throttling/rateLimit", "1000000"), replace("/*/*/throttling/burstLimit", "1000000"),
		replace("/x-tidegate-throttle/rateLimit", "1000000"), replace("/x-tidegate-throttle/burstLimit", "1000000"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := g.Client.CreateUsagePlan(ctx, control.UsagePlanInput{Name: "plan", Throttle: throttle,
		Quota: &control.QuotaSettings{Limit: 1 << 30, Period: definition.PeriodMonth},
		APIStages: []control.APIStage{{APIID: id, Stage: "prod", Throttle: map[string]control.ThrottleSettings{
			"/pets/POST": {RateLimit: &rate, BurstLimit: &none}}}}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := g.Client.CreateAPIKey(ctx, control.APIKeyInput{Name: "key", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Client.CreateUsagePlanKey(ctx, plan.ID, made.ID); err != nil {
		t.Fatal(err)
	}
	return made.Value
}

// TestNothingLeft: a gateway that was used and closed leaves no goroutine.
func TestNothingLeft(t *testing.T) {
	const fasthttpClock = 1 // the control server's library starts it once for the process
	before := runtime.NumGoroutine() + fasthttpClock
	t.Run("gateway", func(t *testing.T) {
		backend := gatetest.Answering(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" })
		g := gatetest.Start(t)
		g.ProxyAll(backend.Addr)
		for _, secure := range []bool{false, true} {
			conn := g.Dial(secure)
			_, _ = io.WriteString(conn, "GET /prod/x HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := io.ReadFull(conn, make([]byte, 16)); err != nil {
				t.Fatal(err)
			}
		}
		g.Dial(true) // and one that says nothing
	})
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
