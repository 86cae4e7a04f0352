package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// adminClient keeps no connections: they would count as descriptors.
var adminClient = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// answer is an answer that has been read whole.
type answer struct {
	status int
	header http.Header
	body   string
	last   bool // of its connection
}

// errorType is AWS's name for what went wrong.
func (a *answer) errorType() string { return a.header.Get("x-amzn-ErrorType") }

// client is one keep-alive connection to a gateway.
type client struct {
	conn net.Conn
	br   *bufio.Reader
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return &client{conn, bufio.NewReader(conn)}, nil
}

// send writes bytes as they are.
func (c *client) send(raw string) error {
	_, err := io.WriteString(c.conn, raw)
	return err
}

// receive reads one answer to a request with the method. The error is io.EOF
// only if the connection ended before the answer began.
func (c *client) receive(method string) (*answer, error) {
	if _, err := c.br.Peek(1); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return &answer{resp.StatusCode, resp.Header, string(body), resp.Close}, nil
}

// ask sends one request with fields such as "X-A: b".
func (c *client) ask(method, target, body string, fields ...string) (*answer, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	hasHost := false
	for _, f := range fields {
		hasHost = hasHost || strings.HasPrefix(f, "Host:")
		b.WriteString(f + "\r\n")
	}
	if !hasHost {
		b.WriteString("Host: localhost\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if err := c.send(b.String()); err != nil {
		return nil, err
	}
	return c.receive(method)
}

// ask sends one request on a connection of its own.
func (d *daemon) ask(method, target, body string, fields ...string) *answer {
	d.t.Helper()
	a, err := askOnce(d.addr, method, target, body, fields...)
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, target, err)
	}
	return a
}

func askOnce(addr, method, target, body string, fields ...string) (*answer, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	return c.ask(method, target, body, fields...)
}

// expect checks status and body, and what every answer of the gateway has.
func (a *answer) expect(t testing.TB, what string, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("%s: %d %q, want %d %q", what, a.status, a.body, status, body)
	}
	if len(a.header.Get("x-amzn-RequestId")) != 36 || len(a.header.Get("x-amz-apigw-id")) != 16 {
		t.Errorf("%s: ids %q and %q", what, a.header.Get("x-amzn-RequestId"), a.header.Get("x-amz-apigw-id"))
	}
}

// expectError is expect for an answer that the gateway makes itself.
func (a *answer) expectError(t testing.TB, what string, status int, message, errorType string) {
	t.Helper()
	a.expect(t, what, status, `{"message":"`+message+`"}`)
	if a.errorType() != errorType || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: x-amzn-ErrorType %q, Content-Type %q; want %q and application/json",
			what, a.errorType(), a.header.Get("Content-Type"), errorType)
	}
	if v := a.header.Get("X-Amzn-Trace-Id"); v != "" {
		t.Errorf("%s: a gateway error has no X-Amzn-Trace-Id, got %q", what, v)
	}
}
