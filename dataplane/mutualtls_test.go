package dataplane_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/testpki"
)

// secured is a gateway whose domain secure.test asks for certificates of root.
type secured struct {
	*gatetest.Gate
	t    *testing.T
	root *testpki.Identity
	file string // the trust store
}

// secure starts one. Its backend answers with what it got: "name: value" lines of
// the fields X-Cert-….
func secure(t *testing.T, edit ...func(*configs.Host)) *secured {
	t.Helper()
	s := &secured{t: t, root: testpki.NewCA(t, "root"), file: filepath.Join(t.TempDir(), "clients.pem")}
	testpki.WriteFile(t, s.file, testpki.PEM(s.root.Cert))
	mappings := []configs.Mapping{{API: "certs"}}
	s.Gate = gatetest.Start(t, append([]func(*configs.Host){func(h *configs.Host) {
		h.Domains = []configs.Domain{
			{Name: "secure.test", Mappings: mappings, MutualTLS: &configs.MutualTLS{Truststore: s.file}},
			{Name: "also.test", Mappings: mappings, MutualTLS: &configs.MutualTLS{Truststore: s.file}},
			{Name: "*", Mappings: mappings},
		}
	}}, edit...)...)
	backend := gatetest.Answering(t, func(r *http.Request) string {
		var b strings.Builder
		for _, name := range []string{"Subject", "Issuer", "Serial", "From", "To", "Pem"} {
			if values := r.Header["X-Cert-"+name]; values != nil {
				fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(values, "|"))
			}
		}
		b.WriteString(r.URL.Query().Get("who"))
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", b.Len(), b.String())
	})
	s.Deploy("prod", certsAPI(backend.Addr, ""))
	return s
}

// certsAPI passes what it knows of a client's certificate on to the backend.
func certsAPI(address, security string) string {
	return strings.NewReplacer("ADDRESS", address, "SECURITY", security).Replace(`
openapi: 3.0.3
info: {title: certs, version: "1"}
SECURITY
paths:
  /who:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: GET
        uri: "http://ADDRESS/"
        requestParameters:
          integration.request.header.X-Cert-Subject: context.identity.clientCert.subjectDN
          integration.request.header.X-Cert-Issuer: context.identity.clientCert.issuerDN
          integration.request.header.X-Cert-Serial: context.identity.clientCert.serialNumber
          integration.request.header.X-Cert-From: context.identity.clientCert.validity.notBefore
          integration.request.header.X-Cert-To: context.identity.clientCert.validity.notAfter
          integration.request.header.X-Cert-Pem: context.identity.clientCert.clientCertPem
          integration.request.querystring.who: context.identity.clientCert.subjectDN
`)
}

// connect opens a TLS connection to a domain.
func (s *secured) connect(domain string, as *testpki.Identity) *tls.Conn {
	s.t.Helper()
	config := &tls.Config{ServerName: domain, InsecureSkipVerify: true} //nolint:gosec // its own certificate
	if as != nil {
		config.Certificates = []tls.Certificate{as.TLS()}
	}
	conn, err := tls.Dial("tcp", s.TLSAddr, config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// answer is the answer to a request, or an error.
func answer(conn net.Conn, br *bufio.Reader, target, host string, fields ...string) (status int, body string, closed bool, err error) {
	if _, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, host, strings.Join(append(fields, ""), "\r\n")); err != nil {
		return
	}
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		return
	}
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode == 403 && resp.Header.Get("x-amzn-ErrorType") != "ForbiddenException" {
		err = fmt.Errorf("x-amzn-ErrorType %q", resp.Header.Get("x-amzn-ErrorType"))
	}
	return resp.StatusCode, string(text), resp.Close, err
}

const forbidden = `{"message":"Forbidden"}`

// TestMutualTLS: a domain serves those alone whose certificate it has asked for,
// and tells its backends whose that is.
func TestMutualTLS(t *testing.T) {
	s := secure(t)
	ann := s.root.Client(t, "ann")
	certified := func(domain string) func() net.Conn { return func() net.Conn { return s.connect(domain, ann) } }
	whole := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ann.Cert.Raw})
	serial := ann.Cert.SerialNumber.Bytes()
	const layout = "Jan _2 15:04:05 2006 GMT"
	known := "Subject: O=Example Corp,CN=ann\nIssuer: O=Example Corp,CN=root\n" +
		"Serial: " + strings.ReplaceAll(fmt.Sprintf("% x", serial), " ", ":") + "\n" +
		"From: " + ann.Cert.NotBefore.UTC().Format(layout) + "\nTo: " + ann.Cert.NotAfter.UTC().Format(layout) + "\n" +
		"Pem: " + strings.TrimSpace(strings.ReplaceAll(string(whole), "\n", " ")) + "\nO=Example Corp,CN=ann"
	for _, c := range []struct {
		name         string
		dial         func() net.Conn
		host, target string
		want         string
		status       int
	}{
		{"its domain", certified("secure.test"), "secure.test", "/prod/who", known, 200},
		{"with a port", certified("secure.test"), "secure.test:443", "/prod/who", known, 200},
		{"in capitals", certified("SECURE.test"), "Secure.TEST", "/prod/who", known, 200},
		{"as a URL", certified("secure.test"), "secure.test", "https://secure.test/prod/who", known, 200},
		{"a domain that asks nobody", certified("other.test"), "other.test", "/prod/who", "", 200},
		{"from a domain that asks to one that does not", certified("secure.test"), "other.test", "/prod/who", "", 200},

		{"in cleartext", func() net.Conn { return s.Dial(false) }, "secure.test", "/prod/who", forbidden, 403},
		{"by another domain", certified("other.test"), "secure.test", "/prod/who", forbidden, 403},
		{"by another domain that asks", certified("also.test"), "secure.test", "/prod/who", forbidden, 403},
		{"without a server name", certified(""), "secure.test", "/prod/who", forbidden, 403},
		{"as a URL, by another domain", certified("other.test"), "secure.test", "https://secure.test/prod/who", forbidden, 403},
		{"what is not there", certified("other.test"), "secure.test", "/none", forbidden, 403},
	} {
		conn := c.dial()
		br := bufio.NewReader(conn)
		status, body, closed, err := answer(conn, br, c.target, c.host)
		if status != c.status || body != c.want || err != nil {
			t.Errorf("%s: %d %q, %v; want %q", c.name, status, body, err, c.want)
		}
		if want := c.status == 403 && c.target != "/none"; closed != want {
			t.Errorf("%s: closed is %t", c.name, closed)
		}
		_ = conn.Close()
	}
	// Fields of the client's own do not pass for the gateway's.
	conn := s.connect("secure.test", ann)
	if _, body, _, err := answer(conn, bufio.NewReader(conn), "/prod/who", "secure.test", "X-Cert-Subject: CN=root", "x-cert-pem: a"); body != known || err != nil {
		t.Errorf("with fields of its own: %q, %v", body, err)
	}
	s.logged(t, 2, `"domainName":"secure.test"`, `"identity.clientCert.subjectDN":"O=Example Corp,CN=ann","identity.clientCert.issuerDN":"O=Example Corp,CN=root","identity.clientCert.serialNumber":"`)
	s.logged(t, 1, `"domainName":"other.test"`, `"tlsVersion":"TLSv1.3","identity.accountId"`)
}

// logged waits until the access log has so many lines with both texts.
func (s *secured) logged(t *testing.T, n int, texts ...string) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(s.LogPath)
		found := 0
		for line := range strings.SplitSeq(string(text), "\n") {
			all := true
			for _, want := range texts {
				all = all && strings.Contains(line, want)
			}
			if all {
				found++
			}
		}
		if found >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d lines with %q, %v:\n%s", found, texts, err, text)
		}
	}
}

// TestCachedPerCertificate: what was made for one client's certificate is not
// another's, and not of those who have none.
func TestCachedPerCertificate(t *testing.T) {
	for _, mode := range []string{"aws", "standard"} {
		s := secure(t)
		backend := gatetest.Answering(t, func(r *http.Request) string {
			who := r.Header.Get("X-Cert-Subject")
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n%s", len(who), who)
		})
		id := s.Deploy("prod", certsAPI(backend.Addr, ""))
		replace := func(path, value string) control.PatchOperation {
			return control.PatchOperation{Op: "replace", Path: path, Value: value}
		}
		if _, err := s.Client.UpdateStage(context.Background(), id, "prod", replace("/cacheClusterEnabled", "true"),
			replace("/~1who/GET/caching/enabled", "true"), replace("/~1who/GET/caching/ttlInSeconds", "600"), replace("/x-tidegate-cache-mode", mode)); err != nil {
			t.Fatal(err)
		}
		ann, bob := s.root.Client(t, "ann"), s.root.Client(t, "bob")
		for range 2 {
			for _, c := range []struct {
				conn net.Conn
				host string
				want string
			}{
				{s.connect("secure.test", ann), "secure.test", "O=Example Corp,CN=ann"},
				{s.connect("secure.test", bob), "secure.test", "O=Example Corp,CN=bob"},
				{s.connect("other.test", ann), "other.test", ""},
				{s.Dial(false), "other.test", ""},
			} {
				if _, body, _, err := answer(c.conn, bufio.NewReader(c.conn), "/prod/who", c.host); body != c.want || err != nil {
					t.Errorf("%s: %q, %v, want %q", mode, body, err, c.want)
				}
				time.Sleep(20 * time.Millisecond) // until it is stored
			}
		}
		hits, misses := uint64(0), uint64(0)
		stats, err := s.Client.Caches(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range stats {
			hits, misses = hits+c.Hits, misses+c.Misses
		}
		if misses != 3 || hits != 5 {
			t.Errorf("%s: %d hits, %d misses; want 5 and 3", mode, hits, misses)
		}
	}
}

// TestAuthorizerIsToldOfCertificates, and can go by them.
func TestAuthorizerIsToldOfCertificates(t *testing.T) {
	events := make(chan string, 16)
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event, _ := io.ReadAll(r.Body)
		events <- string(event)
		_, _ = io.WriteString(w, `{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}}`)
	}))
	defer function.Close()
	s := secure(t, func(h *configs.Host) {
		h.Lambda.Functions = []configs.Function{{Name: "guard", URL: function.URL}}
	})
	backend := gatetest.Answering(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" })
	s.Deploy("prod", certsAPI(backend.Addr, `components:
  securitySchemes:
    guard:
      type: apiKey
      name: unused
      in: header
      x-amazon-apigateway-authtype: custom
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: context.identity.clientCert.serialNumber
        authorizerResultTtlInSeconds: 300
        authorizerUri: arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:guard/invocations
security: [{guard: []}]`))
	ann, bob := s.root.Client(t, "ann"), s.root.Client(t, "bob")
	for _, c := range []struct {
		as    *testpki.Identity
		asked bool
	}{{ann, true}, {ann, false}, {bob, true}, {bob, false}} {
		conn := s.connect("secure.test", c.as)
		if status, body, _, err := answer(conn, bufio.NewReader(conn), "/prod/who", "secure.test"); status != 200 || err != nil {
			t.Fatalf("%d %s, %v", status, body, err)
		}
		if !c.asked {
			continue
		}
		var event struct {
			RequestContext struct {
				Identity struct {
					ClientCert struct {
						ClientCertPem, SubjectDN, IssuerDN, SerialNumber string
						Validity                                         struct{ NotBefore, NotAfter string }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(<-events), &event); err != nil {
			t.Fatal(err)
		}
		cert := event.RequestContext.Identity.ClientCert
		block, _ := pem.Decode([]byte(cert.ClientCertPem))
		if block == nil || !bytes.Equal(block.Bytes, c.as.Cert.Raw) || cert.SubjectDN != "O=Example Corp,CN="+c.as.Cert.Subject.CommonName ||
			cert.IssuerDN != "O=Example Corp,CN=root" || !strings.HasSuffix(cert.Validity.NotAfter, " GMT") {
			t.Errorf("%+v", cert)
		}
	}
	if len(events) > 0 {
		t.Errorf("asked once more: %s", <-events)
	}
	// Without a certificate there is no identity.
	if conn := s.Dial(false); conn != nil {
		if status, body, _, _ := answer(conn, bufio.NewReader(conn), "/prod/who", "other.test"); status != 401 {
			t.Errorf("%d %s", status, body)
		}
	}
}

// TestMutualTLSAllocatesNothing compares a domain that asks with one that does
// not: what looking at certificates allocates with every request is nothing, as
// far as the process can tell.
func TestMutualTLSAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	s := secure(t, func(h *configs.Host) { h.Workers = 1 })
	backend := gatetest.NewBackend(t, func(conn net.Conn) {
		buf := make([]byte, 16<<10)
		for n := 0; ; {
			k, err := conn.Read(buf[n:])
			if err != nil {
				return
			}
			if n += k; bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				n = 0
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			}
		}
	})
	inHeaders, _, _ := strings.Cut(certsAPI(backend.Addr, ""), "          integration.request.querystring") // escaping allocates
	s.Deploy("prod", inHeaders)
	s.Quiet()
	perRequest := func(domain, host, end string) float64 {
		conn := s.connect(domain, s.root.Client(t, "ann"))
		return allocations(t, conn, 5000, "GET /prod/who HTTP/1.1\r\nHost: "+host+"\r\n\r\n", end)
	}
	plain, asked := perRequest("other.test", "other.test", "ok"), perRequest("secure.test", "secure.test", "ok")
	t.Logf("%.4f allocations per request, %.4f with a certificate", plain, asked)
	if asked-plain >= 0.01 {
		t.Errorf("%.4f allocations per request with a certificate, %.4f without", asked, plain)
	}
}
