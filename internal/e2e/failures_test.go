package e2e

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

const (
	serverError  = "InternalServerErrorException"
	networkError = "Network error communicating with endpoint"
)

// proxyTo is an API at GET /x with a backend's URL and a timeout of 700 ms.
func proxyTo(url string) string {
	return `openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /x:
    x-amazon-apigateway-any-method:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, timeoutInMillis: 700, uri: "` + url + `"}
`
}

// TestBackendFailures goes through what a backend can do wrong, and what AWS
// says then.
func TestBackendFailures(t *testing.T) {
	answering := func(text string) string {
		b := gatetest.NewBackend(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, text)
			}
		})
		return "http://" + b.Addr + "/"
	}
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	stalling := gatetest.NewBackend(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Le")
		_, _ = io.Copy(io.Discard, conn)
	})
	d := start(t, host{})
	for _, c := range []struct {
		name, url string
		status    int
		message   string
	}{
		{"refuses the connection", "http://" + freeAddr(t) + "/", 504, networkError},
		{"has a name that does not resolve", "http://no-such-host.invalid/", 504, networkError},
		{"closes without an answer", answering(""), 502, "Internal server error"},
		{"closes within the head", answering("HTTP/1.1 200 OK\r\nContent-"), 502, "Internal server error"},
		{"answers garbage", answering("garbage\r\n\r\n"), 502, "Internal server error"},
		{"answers ambiguously", answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 502, "Internal server error"},
		{"switches protocols", answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), 502, "Internal server error"},
		{"answers more than the limit", answering("HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n"), 502, "Internal server error"},
		{"does not answer", "http://" + hanging.Addr + "/", 504, "Endpoint request timed out"},
		{"does not end its head", "http://" + stalling.Addr + "/", 504, "Endpoint request timed out"},
		{"does not speak TLS", strings.Replace(answering("HTTP/1.1 200 OK\r\n\r\n"), "http:", "https:", 1), 504, networkError},
	} {
		d.deploy("prod", proxyTo(c.url), nil)
		began := time.Now()
		a := d.ask("GET", "/prod/x", "")
		a.expectError(t, "a backend that "+c.name, c.status, c.message, serverError)
		took := time.Since(began)
		if timeout := 700 * time.Millisecond; c.message == "Endpoint request timed out" && (took < timeout || took > timeout+2*time.Second) {
			t.Errorf("a backend that %s: after %s", c.name, took)
		}
	}
	// An answer that breaks off cannot be taken back: the client sees it.
	d.deploy("prod", proxyTo(answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")), nil)
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	if a, err := c.ask("GET", "/prod/x", ""); err == nil {
		t.Errorf("an answer that breaks off was read whole: %d %q", a.status, a.body)
	}
}

// TestUpstreamTLS calls a backend whose certificate a private CA signed.
func TestUpstreamTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := gatetest.Certificate(t, dir) // for localhost and 127.0.0.1
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.ServerName+" "+r.Host)
	})}
	server.ErrorLog = discardLog
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())

	trusting := start(t, host{more: `upstream: {ca_file: "` + cert + `"}`})
	trusting.deploy("prod", proxyTo("https://localhost:"+port+"/"), nil)
	for range 3 {
		trusting.ask("GET", "/prod/x", "").expect(t, "trusted", 200, "localhost localhost:"+port)
	}
	trusting.deploy("prod", proxyTo("https://127.0.0.1:"+port+"/"), nil)
	trusting.ask("GET", "/prod/x", "").expect(t, "trusted, by address", 200, " 127.0.0.1:"+port)

	// Another address of the same backend, which its certificate does not have.
	other, err := tls.Listen("tcp", "127.0.0.2:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(other) }()
	trusting.deploy("prod", proxyTo("https://"+other.Addr().String()+"/"), nil)
	trusting.ask("GET", "/prod/x", "").expectError(t, "wrong name", 504, networkError, serverError)

	wary := start(t, host{})
	wary.deploy("prod", proxyTo("https://localhost:"+port+"/"), nil)
	wary.ask("GET", "/prod/x", "").expectError(t, "unknown CA", 504, networkError, serverError)
}
