package http1

import (
	"fmt"
	"strings"
	"testing"
)

func parseResponse(head string) string {
	var r Response
	if fault := r.Parse([]byte(head)); fault != 0 {
		return "fault"
	}
	text := fmt.Sprintf("1.%d %d %q", r.Minor, r.Status, r.Line)
	if r.ContentLength >= 0 {
		text += fmt.Sprintf(" length=%d", r.ContentLength)
	}
	if r.Chunked {
		text += " chunked"
	}
	if !r.KeepAlive {
		text += " close"
	}
	return text
}

func TestStatusLine(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"HTTP/1.1 200 OK\r\n", `1.1 200 "200 OK"`},
		{"HTTP/1.0 200 OK\r\n", `1.0 200 "200 OK" close`},
		{"HTTP/1.1 404 Not  Found!\r\n", `1.1 404 "404 Not  Found!"`},
		{"HTTP/1.1 200 \r\n", `1.1 200 "200 "`},
		{"HTTP/1.1 200\r\n", `1.1 200 "200"`},
		{"HTTP/1.1 100 Continue\r\n", `1.1 100 "100 Continue"`},
		{"HTTP/1.1 599 x\r\n", `1.1 599 "599 x"`},
		{"HTTP/1.1 200 caf\xe9\r\n", `1.1 200 "200 caf\xe9"`},
		{"HTTP/1.1 099 x\r\n", "fault"},
		{"HTTP/1.1 600 x\r\n", "fault"},
		{"HTTP/1.1 000 x\r\n", "fault"},
		{"HTTP/1.1 20 OK\r\n", "fault"},
		{"HTTP/1.1 2000 OK\r\n", "fault"},
		{"HTTP/1.1 +20 OK\r\n", "fault"},
		{"HTTP/1.1 20x OK\r\n", "fault"},
		{"HTTP/1.1  200 OK\r\n", "fault"},
		{"HTTP/1.1\t200 OK\r\n", "fault"},
		{"HTTP/1.1 200\tOK\r\n", "fault"},
		{"HTTP/1.1 200-OK\r\n", "fault"},
		{"HTTP/2.0 200 OK\r\n", "fault"},
		{"HTTP/1.2 200 OK\r\n", "fault"},
		{"HTTP/1.10 200 OK\r\n", "fault"},
		{"http/1.1 200 OK\r\n", "fault"},
		{"ICY 200 OK\r\n", "fault"},
		{"\r\nHTTP/1.1 200 OK\r\n", "fault"},
		{" HTTP/1.1 200 OK\r\n", "fault"},
		{"HTTP/1.1 200 OK\n", "fault"},
		{"HTTP/1.1 200 O\rK\r\n", "fault"},
		{"HTTP/1.1 200 O\x00K\r\n", "fault"},
		{"HTTP/1.1\r\n", "fault"},
		{"\r\n", "fault"},
	} {
		if got := parseResponse(row.line + "\r\n"); got != row.want {
			t.Errorf("%q: got %s, want %s", row.line, got, row.want)
		}
	}
}

func TestResponseFields(t *testing.T) {
	const ok = `1.1 200 "200 OK"`
	for _, row := range []struct{ fields, want string }{
		{"Content-Length: 5\r\n", ok + " length=5"},
		{"Transfer-Encoding: chunked\r\n", ok + " chunked"},
		{"Connection: close\r\n", ok + " close"},
		{"Connection: x, Close\r\n", ok + " close"},
		{"Connection: keep-alive\r\n", ok},
		{"X: caf\xe9\r\n", ok},
		{"Content-Length: 5\r\nContent-Length: 5\r\n", "fault"},
		{"Content-Length: 5, 5\r\n", "fault"},
		{"Content-Length: -1\r\n", "fault"},
		{"Content-Length: 05\r\n", "fault"},
		{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "fault"},
		{"Transfer-Encoding: gzip, chunked\r\n", "fault"},
		{"Transfer-Encoding: identity\r\n", "fault"},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "fault"},
		{"Content_Length: 5\r\n", "fault"},
		{"X : y\r\n", "fault"},
		{"X: y\r\n z\r\n", "fault"},
		{"X: y\n", "fault"},
		{"X: \x00\r\n", "fault"},
		{"X\r\n", "fault"},
		{strings.Repeat("X: y\r\n", maxResponseFields), ok},
		{strings.Repeat("X: y\r\n", maxResponseFields+1), "fault"},
	} {
		if got := parseResponse("HTTP/1.1 200 OK\r\n" + row.fields + "\r\n"); got != row.want {
			t.Errorf("%.60q: got %s, want %s", row.fields, got, row.want)
		}
	}
	if got := parseResponse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); got != "fault" {
		t.Errorf("HTTP/1.0 with chunks: %s", got)
	}
	if got := parseResponse("HTTP/1.1 200 OK\r\n\r\nX"); got != "fault" {
		t.Errorf("with a byte after the head: %s", got)
	}
	const head = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"
	for n := range head {
		if got := parseResponse(head[:n]); got != "fault" {
			t.Errorf("%q was accepted as %s", head[:n], got)
		}
	}
}

func TestNoBody(t *testing.T) {
	for _, row := range []struct {
		status int
		verb   Verb
		want   bool
	}{
		{200, GET, false}, {200, HEAD, true}, {204, GET, true}, {304, GET, true}, {101, GET, true}, {205, GET, false}, {404, HEAD, true},
	} {
		if got := NoBody(row.status, row.verb); got != row.want {
			t.Errorf("%d to %s: %v", row.status, row.verb, got)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, row := range []struct {
		got  []byte
		want string
	}{
		{AppendStatus(nil, 200), "HTTP/1.1 200 OK\r\n"},
		{AppendStatus(nil, 418), "HTTP/1.1 418 I'm a teapot\r\n"},
		{AppendStatus(nil, 299), "HTTP/1.1 299 \r\n"},
		{AppendStatus(nil, 999), "HTTP/1.1 999 \r\n"},
		{AppendField([]byte("^"), "X", []byte("y")), "^X: y\r\n"},
		{AppendContentLength(nil, 10485760), "Content-Length: 10485760\r\n"},
		{AppendChunkSize(nil, 255), "ff\r\n"},
	} {
		if string(row.got) != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
	if !ValidValue([]byte("a\tb caf\xe9")) || ValidValue([]byte("a\r\nX: y")) || ValidValue([]byte("a\x00")) {
		t.Error("ValidValue")
	}
}
