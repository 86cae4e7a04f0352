package pipeline_test

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
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// protect puts a web ACL with these rules before the stage prod of the API test.
func protect(t *testing.T, g *gatetest.Gate, defaultAction, rest string, rules ...string) {
	t.Helper()
	local, err := definition.NewPrefixes([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	if err != nil {
		t.Fatal(err)
	}
	document := fmt.Sprintf(`{"DefaultAction": %s, "Rules": [%s]%s}`, defaultAction, strings.Join(rules, ","), rest)
	err = g.Gateway.Update(context.Background(), func(c *definition.Catalog) (definition.Change, error) {
		ch := definition.Change{
			PutWebACLs: []*definition.WebACL{{ID: "1", Name: "shop", Document: document}},
			PutIPSets:  []*definition.IPSet{{ID: "local", Name: "local", IPAddressVersion: definition.IPv4, Addresses: local}},
		}
		for _, st := range c.Stages {
			if c.APIs[st.APIID].Name == "test" && st.Name == "prod" {
				next := *st
				next.WebACLID = "1"
				ch.PutStages = append(ch.PutStages, &next)
			}
		}
		return ch, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Parts of documents.
const (
	allow = `{"Allow": {}}`
	block = `{"Block": {}}`
)

// rule is a rule of a priority.
func rule(priority int, action, statement string) string {
	return fmt.Sprintf(`{"Name": "rule%d", "Priority": %d, "Action": %s, "Statement": %s}`, priority, priority, action, statement)
}

// contains is a statement that looks for a text in a component.
func contains(field, text string) string {
	return fmt.Sprintf(`{"ByteMatchStatement": {"FieldToMatch": %s, "PositionalConstraint": "CONTAINS", "SearchString": %q,
      "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}`, field, base64.StdEncoding.EncodeToString([]byte(text)))
}

func inBody(oversize, text string) string {
	return contains(`{"Body": {"OversizeHandling": "`+oversize+`"}}`, text)
}

// hashing is a backend that answers with the verb, the length and the hash of what
// it got.
func hashing(t *testing.T) *gatetest.Backend {
	return gatetest.Answering(t, func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return ""
		}
		text := fmt.Sprintf("%s %s %d %x", r.Method, r.URL.Path, len(body), sha256.Sum256(body))
		if r.Method == "HEAD" {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(text))
		}
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
}

// TestBlocked: AWS's answer to what a web ACL blocks, whatever the request is for,
// and the connection goes on.
func TestBlocked(t *testing.T) {
	g := gatetest.Start(t)
	g.ProxyAll(hashing(t).Addr)
	protect(t, g, allow, "", rule(1, block, contains(`{"QueryString": {}}`, "evil")), rule(2, block, contains(`{"Method": {}}`, "PUT")))
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	for _, c := range []struct {
		method, target, fields string
		status                 int
	}{
		{"GET", "/prod/a?evil", "", 403},
		{"HEAD", "/prod/a?evil", "", 403},
		{"OPTIONS", "/prod/a?evil", "", 403},
		{"GET", "/prod/a?good", "", 200},
		{"BREW", "/prod/health?evil", "", 403}, // there is no such method
		{"POST", "/prod/a?evil", "Content-Length: 3\r\n", 403},
		{"GET", "/prod/a", "X-HTTP-Method-Override: PUT\r\n", 403},
		{"PUT", "/prod/a", "X-HTTP-Method-Override: GET\r\n", 200},
		{"GET", "/none/a?evil", "", 403}, // of no stage, and so of no web ACL
	} {
		body := ""
		if strings.Contains(c.fields, "Content-Length") {
			body = "abc"
		}
		resp, text := exchange(t, conn, br, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", c.method, c.target, c.fields, body))
		want := `{"message":"Forbidden"}`
		if c.method == "HEAD" {
			want = ""
		}
		if resp.StatusCode != c.status || resp.Close || c.status == 403 && (text != want || resp.ContentLength != 23 ||
			resp.Header.Get("x-amzn-ErrorType") != "ForbiddenException" || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("x-amzn-RequestId") == "") {
			t.Errorf("%s %s: %d %v %q", c.method, c.target, resp.StatusCode, resp.Header, text)
		}
	}
}

// TestCustomResponse has the status, the fields and the body of the rule.
func TestCustomResponse(t *testing.T) {
	g := gatetest.Start(t)
	g.ProxyAll(hashing(t).Addr)
	protect(t, g, `{"Block": {"CustomResponse": {"ResponseCode": 204}}}`, `, "CustomResponseBodies": {"b": {"ContentType": "TEXT_HTML", "Content": "<p>no</p>"}}`,
		rule(1, `{"Block": {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "b", "ResponseHeaders": [{"Name": "Retry-After", "Value": "7"}, {"Name": "X-Rule", "Value": "one"}]}}}`, contains(`{"QueryString": {}}`, "one")),
		rule(2, `{"Block": {"CustomResponse": {"ResponseCode": 302, "ResponseHeaders": [{"Name": "Location", "Value": "https://example.com/"}]}}}`, contains(`{"QueryString": {}}`, "two")))
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	for target, want := range map[string]struct {
		status           int
		body, kind       string
		field, fieldText string
	}{
		"/prod/a?one":   {429, "<p>no</p>", "text/html", "Retry-After", "7"},
		"/prod/a?two":   {302, "", "", "Location", "https://example.com/"},
		"/prod/a?three": {204, "", "", "x-amzn-ErrorType", ""},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			resp, text := exchange(t, conn, br, method+" "+target+" HTTP/1.1\r\nHost: x\r\n\r\n")
			body := want.body
			if method == "HEAD" {
				body = ""
			}
			if resp.StatusCode != want.status || text != body || resp.Header.Get("Content-Type") != want.kind || resp.Header.Get(want.field) != want.fieldText || resp.Close {
				t.Errorf("%s %s: %d %v %q", method, target, resp.StatusCode, resp.Header, text)
			}
		}
	}
}

// TestInspectedBodies reach the backend as they came, in any framing and of any
// length, and are found in wherever rules look.
func TestInspectedBodies(t *testing.T) {
	g := gatetest.Start(t)
	g.ProxyAll(hashing(t).Addr)
	const limit = 16 << 10
	protect(t, g, allow, `, "AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_16"}}}`,
		rule(1, block, inBody("CONTINUE", "evil")))
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		for _, size := range []int{0, 1, 100, limit - 1, limit, limit + 1, 5 * limit, 40 * limit} {
			for _, at := range []int{-1, 0, limit - 5, limit - 3, limit + 10} { // where the evil is; -1: nowhere
				if at+4 > size {
					continue
				}
				body := []byte(strings.Repeat("0123456789abcdef", size/16+1)[:size])
				if at >= 0 {
					copy(body[at:], "evil")
				}
				for _, how := range []string{"length", "chunked", "expect"} {
					field := fmt.Sprintf("Content-Length: %d\r\n", size)
					payload := string(body)
					switch how {
					case "chunked":
						field, payload = "Transfer-Encoding: chunked\r\n", ""
						for rest := string(body); len(rest) > 0; {
							n := min(len(rest), 5000)
							payload += fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n])
							rest = rest[n:]
						}
						payload += "0\r\n\r\n"
					case "expect":
						if size == 0 {
							continue
						}
						field += "Expect: 100-continue\r\n"
					}
					what := fmt.Sprintf("%s, %d bytes, evil at %d, secure %t", how, size, at, secure)
					resp, text := upload(t, conn, br, "POST /prod/a HTTP/1.1\r\nHost: x\r\n"+field+"\r\n", payload, how == "expect")
					blocked := at >= 0 && at+4 <= limit
					want := fmt.Sprintf("POST /a %d %x", size, sha256.Sum256(body))
					switch {
					case blocked && (resp.StatusCode != 403 || text != `{"message":"Forbidden"}`):
						t.Errorf("%s: %d %s", what, resp.StatusCode, text)
					case !blocked && (resp.StatusCode != 200 || text != want):
						t.Errorf("%s: %d %s, want %s", what, resp.StatusCode, text, want)
					}
					if resp.Close || blocked && size > 2*limit { // more than is thrown away may be coming
						conn = g.Dial(secure)
						br = bufio.NewReader(conn)
					}
				}
			}
		}
		_ = conn.Close()
	}
}

// upload sends a head, and the body at the same time as it reads the answer. With
// expect it waits for the gateway to ask for the body.
func upload(t *testing.T, conn net.Conn, br *bufio.Reader, head, body string, expect bool) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	if expect {
		if line, err := br.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = br.ReadString('\n')
	}
	sent := make(chan struct{})
	go func() {
		_, _ = io.WriteString(conn, body)
		close(sent)
	}()
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !resp.Close {
		<-sent
	}
	return resp, string(text)
}

// TestOversizeBodies: what a rule says of a body that is longer than is inspected.
func TestOversizeBodies(t *testing.T) {
	g := gatetest.Start(t)
	g.ProxyAll(hashing(t).Addr)
	for handling, want := range map[string]int{"CONTINUE": 200, "MATCH": 403, "NO_MATCH": 200} {
		protect(t, g, allow, "", rule(1, block, inBody(handling, "evil")))
		for _, chunked := range []bool{false, true} {
			for size, want := range map[int]int{64 << 10: 200, 64<<10 + 1: want} { // as long as is inspected is not longer
				head, body := fmt.Sprintf("Content-Length: %d\r\n\r\n", size), strings.Repeat("x", size)
				if chunked {
					head, body = "Transfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, body)
				}
				conn := g.Dial(false)
				if resp, text := upload(t, conn, bufio.NewReader(conn), "POST /prod/a HTTP/1.1\r\nHost: x\r\n"+head, body, false); resp.StatusCode != want {
					t.Errorf("%s, %d bytes, chunked %t: %d %s, want %d", handling, size, chunked, resp.StatusCode, text, want)
				}
				_ = conn.Close()
			}
		}
	}
}

// TestInspectedMock: a body that was asked for by the web ACL alone is out of the
// way of the next request.
func TestInspectedMock(t *testing.T) {
	g := gatetest.Start(t)
	g.Deploy("prod", strings.ReplaceAll(gatetest.ProxyAll("127.0.0.1:1024", 29000), "  /health:\n    get:", "  /health:\n    post:"))
	protect(t, g, allow, "", rule(1, block, inBody("CONTINUE", "evil")))
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	for range 3 {
		for _, size := range []int{10, 100_000} {
			resp, text := upload(t, conn, br, fmt.Sprintf("POST /prod/health HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size), strings.Repeat("x", size), false)
			if resp.StatusCode != 200 || text != `{"status":"ok"}` {
				t.Fatalf("%d bytes: %d %s", size, resp.StatusCode, text)
			}
			if resp.Close {
				conn = g.Dial(false)
				br = bufio.NewReader(conn)
			}
		}
	}
}

// TestNotInspected: what cannot be inspected in time does not pass, and the log
// says why.
func TestNotInspected(t *testing.T) {
	g := gatetest.Start(t, func(h *configs.Host) { h.WAF.Timeout = time.Nanosecond })
	g.ProxyAll(hashing(t).Addr)
	protect(t, g, allow, "", rule(1, block, inBody("CONTINUE", "evil")))
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	resp, text := exchange(t, conn, br, "POST /prod/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
	if resp.StatusCode != 503 || text != `{"message":"Service Unavailable"}` || resp.Header.Get("Retry-After") != "1" || resp.Close {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
	}
	if resp, text := exchange(t, conn, br, "GET /prod/a HTTP/1.1\r\nHost: x\r\n\r\n"); resp.StatusCode != 200 { // nothing of it takes a goroutine
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, _ := exchange(t, conn, br, "GET /prod/health?x HTTP/1.1\r\nHost: x\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	lines := logged(t, g, 3)
	const arn = "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/1"
	for i, want := range []map[string]string{
		{"webaclArn": arn, "wafResponseCode": "-", "waf.status": "503", "waf.error": "The request could not be inspected, or not in time", "error.responseType": "NOT_READY", "resourcePath": "-"},
		{"webaclArn": arn, "wafResponseCode": "WAF_ALLOW", "waf.status": "200", "waf.latency": "0", "waf.error": "-", "resourcePath": "/{proxy+}"},
	} {
		for name, value := range want {
			if lines[i][name] != value {
				t.Errorf("request %d: %s is %q, want %q", i, name, lines[i][name], value)
			}
		}
	}
}

// logged waits for n lines of the access log. One connection's are in order.
func logged(t *testing.T, g *gatetest.Gate, n int) (lines []map[string]string) {
	t.Helper()
	for range 200 {
		text, err := os.ReadFile(g.LogPath)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(text), "\n") < n {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := map[string]string{}
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fields)
		}
		return lines
	}
	t.Fatalf("the access log has fewer than %d lines", n)
	return nil
}

// TestClientsLeaveInspections: who does not wait for the verdict leaves nothing
// behind.
func TestClientsLeaveInspections(t *testing.T) {
	b := gatetest.Answering(t, func(r *http.Request) string {
		_, _ = io.Copy(io.Discard, r.Body)
		return "HTTP/1.1 204 No Content\r\n\r\n"
	})
	g := gatetest.Start(t)
	g.ProxyAll(b.Addr)
	protect(t, g, allow, "", `{"Name": "crs", "Priority": 1, "OverrideAction": {"None": {}}, "Statement": {"ManagedRuleGroupStatement": {"VendorName": "OWASP", "Name": "CoreRuleSet"}}}`)
	const request = "POST /prod/a HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
	for i := range 60 {
		conn := g.Dial(false)
		_, _ = io.WriteString(conn, request+`{"a": 12}`[:9-i%3])
		if i%2 == 0 {
			time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	conn := g.Dial(false)
	if resp, text := exchange(t, conn, bufio.NewReader(conn), request+`{"a": 12}`); resp.StatusCode != 204 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	for range 100 {
		if g.Gateway.Status().RequestsInFlight == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d requests are in flight", g.Gateway.Status().RequestsInFlight)
}
