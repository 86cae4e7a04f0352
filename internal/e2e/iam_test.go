package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tidegate/tidegate/dataplane/control"
)

// echo is a backend that remembers what it got and answers with the hash of the
// body and the caller it was told of.
type echo struct {
	addr string
	mu   sync.Mutex
	seen []string // verb, path and hash of the body
}

func startEcho(t testing.TB) *echo {
	t.Helper()
	e := &echo{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		sum := sha256.Sum256(body)
		e.mu.Lock()
		e.seen = append(e.seen, fmt.Sprintf("%s %s %x", r.Method, r.URL.Path, sum[:4]))
		e.mu.Unlock()
		fmt.Fprintf(w, "%d %x caller=%s authorization=%q", len(body), sum[:4], r.Header.Get("X-Caller"), r.Header.Get("Authorization"))
	}))
	t.Cleanup(s.Close)
	e.addr = s.Listener.Addr().String()
	return e
}

func (e *echo) requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen)
}

// signedAPI is an API whose methods ask for signed requests, except /open. policy
// is its resource policy, as YAML.
func signedAPI(backend, policy string) string {
	operation := func(auth string) string {
		return fmt.Sprintf(`{responses: {"200": {description: ok}}, x-amazon-apigateway-auth: {type: %s}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "http://%s/{proxy}",
        requestParameters: {integration.request.path.proxy: method.request.path.proxy, integration.request.header.X-Caller: context.identity.userArn}}, parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]}`, auth, backend)
	}
	if policy != "" {
		policy = "x-amazon-apigateway-policy: " + policy + "\n"
	}
	return "openapi: 3.0.1\ninfo: {title: test, version: \"1\"}\n" + policy + "paths:\n  /pets/{proxy+}:\n    x-amazon-apigateway-any-method: " + operation("AWS_IAM") +
		"\n  /open/{proxy+}:\n    x-amazon-apigateway-any-method: " + operation("NONE") + "\n"
}

// internalCaller makes a user with a policy, and a key.
func (d *daemon) internalCaller(name, policy string) aws.Credentials {
	d.t.Helper()
	ctx := context.Background()
	if _, err := d.client.CreateUser(ctx, control.UserInput{UserName: name}); err != nil {
		d.t.Fatal(err)
	}
	if policy != "" {
		if _, err := d.client.PutUserPolicy(ctx, name, "own", policy); err != nil {
			d.t.Fatal(err)
		}
	}
	key, err := d.client.CreateAccessKey(ctx, name)
	if err != nil {
		d.t.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
}

// signing says how a request is signed.
type signing struct {
	at      time.Time
	region  string
	service string
	declare bool // the hash of the body in X-Amz-Content-Sha256
	presign bool
	chunked bool
	edit    func(*http.Request) // after it was signed
}

// signed makes a request and signs it as the unmodified SDK does.
func (d *daemon) signed(c aws.Credentials, method, path, body string, s signing) *http.Request {
	d.t.Helper()
	r, err := http.NewRequest(method, "http://"+d.addr+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if body == "" {
		r.Body = http.NoBody
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if s.declare {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if s.chunked {
		r.ContentLength = -1
	}
	if s.at.IsZero() {
		s.at = time.Now()
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.service == "" {
		s.service = "execute-api"
	}
	signer := v4.NewSigner()
	if s.presign {
		uri, _, err := signer.PresignHTTP(context.Background(), c, r, hash, s.service, s.region, s.at)
		if err != nil {
			d.t.Fatal(err)
		}
		if r, err = http.NewRequest(method, uri, strings.NewReader(body)); err != nil {
			d.t.Fatal(err)
		}
	} else if err := signer.SignHTTP(context.Background(), c, r, hash, s.service, s.region, s.at); err != nil {
		d.t.Fatal(err)
	}
	if s.edit != nil {
		s.edit(r)
	}
	return r
}

// do sends a request on a connection of its own.
func (d *daemon) do(r *http.Request) *answer {
	d.t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return &answer{resp.StatusCode, resp.Header, string(body), resp.Close}
}

const mayAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:*","Resource":"*"},{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/prod/DELETE/*"}]}`

// Whatever the SDK signs is served, with any body, and the backend is told who
// calls.
func TestSignedRequests(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann := d.internalCaller("ann", mayAll)
	large := strings.Repeat("0123456789abcdef", 200_000) // 3.2 MB
	for _, tc := range []struct {
		name, method, path, body string
		s                        signing
	}{
		{"GET", "GET", "/prod/pets/a", "", signing{}},
		{"GET with a query", "GET", "/prod/pets/a?b=2&a=1&c=%20x&d=&a=0", "", signing{}},
		{"odd path", "GET", "/prod/pets/a%20b/%C3%A9*~", "", signing{}},
		{"POST", "POST", "/prod/pets/a", `{"name":"rex"}`, signing{}},
		{"POST that declares its hash", "POST", "/prod/pets/a", `{"name":"rex"}`, signing{declare: true}},
		{"large", "POST", "/prod/pets/a", large, signing{}},
		{"large that declares its hash", "PUT", "/prod/pets/a", large, signing{declare: true}},
		{"in chunks", "POST", "/prod/pets/a", large[:300_000], signing{chunked: true}},
		{"in few chunks", "POST", "/prod/pets/a", "abc", signing{chunked: true}},
		{"presigned", "GET", "/prod/pets/a?x=1", "", signing{presign: true}},
		{"empty POST", "POST", "/prod/pets/a", "", signing{}},
		{"four minutes off", "GET", "/prod/pets/a", "", signing{at: time.Now().Add(-4 * time.Minute)}},
	} {
		before := e.requests()
		a := d.do(d.signed(ann, tc.method, tc.path, tc.body, tc.s))
		sum := sha256.Sum256([]byte(tc.body))
		a.expect(t, tc.name, 200, fmt.Sprintf("%d %x caller=arn:aws:iam::000000000000:user/ann authorization=\"\"", len(tc.body), sum[:4]))
		if e.requests() != before+1 {
			t.Errorf("%s: %d requests reached the backend", tc.name, e.requests()-before)
		}
	}
	// Without a guard nobody is asked, and nobody is named.
	a := d.ask("GET", "/prod/open/a", "", "X-Caller: me")
	a.expect(t, "open", 200, `0 e3b0c442 caller= authorization=""`)
}

// Every refusal has AWS's status, body and type, and nothing reaches the backend.
func TestSignatureRefusals(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	id := d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann, bob, eve := d.internalCaller("ann", mayAll), d.internalCaller("bob", ""), d.internalCaller("eve", mayAll)
	keys, err := d.client.AccessKeys(context.Background(), "eve")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.client.SetAccessKeyStatus(context.Background(), keys[0].AccessKeyID, control.KeyInactive); err != nil {
		t.Fatal(err)
	}
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const unknown = "The security token included in the request is invalid."
	wrong := aws.Credentials{AccessKeyID: ann.AccessKeyID, SecretAccessKey: bob.SecretAccessKey}
	nobody := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: ann.SecretAccessKey}
	arn := func(what string) string { return "arn:aws:execute-api:us-east-1:********0000:" + id + "/prod/" + what }
	edit := func(f func(*http.Request)) signing { return signing{edit: f} }
	other := func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("other")), 5 }
	for _, tc := range []struct {
		name               string
		c                  aws.Credentials
		method, path, body string
		s                  signing
		message, kind      string
	}{
		{"unsigned", ann, "GET", "/prod/pets/a", "", edit(func(r *http.Request) { r.Header.Del("Authorization") }), "Missing Authentication Token", missingTokenType},
		{"another's secret", wrong, "GET", "/prod/pets/a", "", signing{}, mismatch, "InvalidSignatureException"},
		{"another path", ann, "GET", "/prod/pets/a", "", edit(func(r *http.Request) { r.URL.Path = "/prod/pets/b" }), mismatch, "InvalidSignatureException"},
		{"another query", ann, "GET", "/prod/pets/a?x=1", "", edit(func(r *http.Request) { r.URL.RawQuery = "x=2" }), mismatch, "InvalidSignatureException"},
		{"another host", ann, "GET", "/prod/pets/a", "", edit(func(r *http.Request) { r.Host = "other.example" }), mismatch, "InvalidSignatureException"},
		{"another body", ann, "POST", "/prod/pets/a", "these", edit(other), mismatch, "InvalidSignatureException"},
		{"another body than declared", ann, "POST", "/prod/pets/a", "these", signing{declare: true, edit: other}, mismatch, "InvalidSignatureException"},
		{"an unsigned body", ann, "POST", "/prod/pets/a", "these", edit(func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }), "", "InvalidSignatureException"},
		{"unknown key", nobody, "GET", "/prod/pets/a", "", signing{}, unknown, "UnrecognizedClientException"},
		{"switched off", eve, "GET", "/prod/pets/a", "", signing{}, unknown, "UnrecognizedClientException"},
		{"session that is none", ann, "GET", "/prod/pets/a", "", edit(func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }), "", ""},
		{"another region", ann, "GET", "/prod/pets/a", "", signing{region: "eu-west-1"}, "Credential should be scoped to a valid Region, not 'eu-west-1'.", "InvalidSignatureException"},
		{"another service", ann, "GET", "/prod/pets/a", "", signing{service: "s3"}, "Credential should be scoped to correct service: 'execute-api'.", "InvalidSignatureException"},
		{"no pair", ann, "GET", "/prod/pets/a", "", edit(func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }), "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.", "IncompleteSignatureException"},
	} {
		a := d.do(d.signed(tc.c, tc.method, tc.path, tc.body, tc.s))
		if tc.message == "" {
			if a.status != 403 {
				t.Errorf("%s: %d %s", tc.name, a.status, a.body)
			}
			continue
		}
		a.expectError(t, tc.name, 403, tc.message, tc.kind)
	}
	for _, tc := range []struct {
		name   string
		c      aws.Credentials
		method string
		arn    string
		says   string
	}{
		{"no policy", bob, "GET", "user/bob", arn("GET/pets/a")},
		{"a policy that denies", ann, "DELETE", "user/ann", arn("DELETE/pets/a") + " with an explicit deny"},
	} {
		a := d.do(d.signed(tc.c, tc.method, "/prod/pets/a", "", signing{}))
		want := `{"Message":"User: arn:aws:iam::000000000000:` + tc.arn + ` is not authorized to perform: execute-api:Invoke on resource: ` + tc.says + `"}`
		a.expect(t, tc.name, 403, want)
		if a.errorType() != "AccessDeniedException" {
			t.Errorf("%s: %s", tc.name, a.errorType())
		}
	}
	if n := e.requests(); n != 0 {
		t.Errorf("%d requests reached the backend: %v", n, e.seen)
	}
}

func TestChecklist23Skew(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann := d.internalCaller("ann", mayAll)
	const stamp = "20060102T150405Z"
	for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute} {
		at := time.Now().Add(off).UTC()
		a := d.do(d.signed(ann, "GET", "/prod/pets/a", "", signing{at: at}))
		start := "Signature expired: " + at.Format(stamp) + " is now earlier than "
		end := " - 5 min.)"
		if off > 0 {
			start, end = "Signature not yet current: "+at.Format(stamp)+" is still later than ", " + 5 min.)"
		}
		if a.status != 403 || a.errorType() != "InvalidSignatureException" || !strings.HasPrefix(a.body, `{"message":"`+start) || !strings.HasSuffix(a.body, end+`"}`) {
			t.Errorf("%s: %d %s %s", off, a.status, a.errorType(), a.body)
		}
	}
	if e.requests() != 0 {
		t.Error("the backend was called")
	}
}

// A sender that is unknown cannot have the gateway keep a large body, and one
// whose body is not what it said reaches no backend.
func TestBodiesOfUnknownSenders(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	d.deploy("prod", signedAPI(e.addr, ""), nil)
	ann := d.internalCaller("ann", mayAll)
	nobody := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: ann.SecretAccessKey}
	r := d.signed(nobody, "POST", "/prod/pets/a", "x", signing{declare: true})
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	var head bytes.Buffer
	fmt.Fprintf(&head, "POST /prod/pets/a HTTP/1.1\r\nHost: %s\r\nContent-Length: 9000000\r\n", d.addr)
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256"} {
		fmt.Fprintf(&head, "%s: %s\r\n", name, r.Header.Get(name))
	}
	c := client{conn: conn, br: bufio.NewReader(conn)}
	if err := c.send(head.String() + "\r\n"); err != nil {
		t.Fatal(err)
	}
	a, err := c.receive("POST") // before a byte of the body
	if err != nil || a.status != 403 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A resource policy alone decides for methods that anybody may call, by the
// address too, and together with the caller's own for signed ones.
func TestResourcePolicies(t *testing.T) {
	e := startEcho(t)
	d := start(t, host{})
	ann, bob := d.internalCaller("ann", mayAll), d.internalCaller("bob", "")
	statement := func(effect, resource, more string) string {
		return fmt.Sprintf(`{"Effect":%q,"Principal":"*","Action":"execute-api:Invoke","Resource":%q%s}`, effect, resource, more)
	}
	policy := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	const all = "execute-api:/*"
	const here, elsewhere = `,"Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, `,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`
	for _, tc := range []struct {
		name, policy   string
		open, ann, bob int
		encodedAdmin   int
	}{
		{"none", "", 200, 200, 403, 200},
		{"silent", policy(statement("Allow", "execute-api:/prod/GET/else", "")), 403, 200, 403, 403},
		{"allowed", policy(statement("Allow", all, "")), 200, 200, 200, 200},
		{"allowed from here", policy(statement("Allow", all, here)), 200, 200, 200, 200},
		{"allowed from elsewhere", policy(statement("Allow", all, elsewhere)), 403, 200, 403, 403},
		{"denied from here", policy(statement("Allow", all, ""), statement("Deny", all, here)), 403, 403, 403, 403},
		{"denied from elsewhere", policy(statement("Allow", all, ""), statement("Deny", all, elsewhere)), 200, 200, 200, 200},
		{"a path is denied", policy(statement("Allow", all, ""), statement("Deny", "execute-api:/prod/*/open/admin", "")), 200, 200, 200, 403},
	} {
		id := d.deploy("prod", signedAPI(e.addr, tc.policy), nil)
		a := d.ask("GET", "/prod/open/a", "")
		if a.status != tc.open {
			t.Errorf("%s: open: %d %s", tc.name, a.status, a.body)
		}
		if a.status == 403 {
			deny := ""
			if strings.Contains(tc.policy, "Deny") {
				deny = " with an explicit deny"
			}
			a.expect(t, tc.name, 403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:`+id+`/prod/GET/open/a`+deny+`"}`)
		}
		if a := d.do(d.signed(ann, "GET", "/prod/pets/a", "", signing{})); a.status != tc.ann {
			t.Errorf("%s: ann: %d %s", tc.name, a.status, a.body)
		}
		if a := d.do(d.signed(bob, "GET", "/prod/pets/a", "", signing{})); a.status != tc.bob {
			t.Errorf("%s: bob: %d %s", tc.name, a.status, a.body)
		}
		if a := d.ask("GET", "/prod/open/%61dmin", ""); a.status != tc.encodedAdmin {
			t.Errorf("%s: an encoded path: %d %s", tc.name, a.status, a.body)
		}
	}
	// A policy that cannot be understood is refused with the place.
	_, err := d.client.Put(context.Background(), d.deploy("prod", signedAPI(e.addr, ""), nil), []byte(signedAPI(e.addr, `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}]}`)), "overwrite", control.ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "Statement[0].Effect") {
		t.Errorf("a wrong policy: %v", err)
	}
}
