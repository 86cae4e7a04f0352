package upstream_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// slowly writes text in pieces of n bytes.
func slowly(conn net.Conn, text string, n int) {
	for len(text) > 0 {
		k := min(n, len(text))
		if _, err := io.WriteString(conn, text[:k]); err != nil {
			return
		}
		text = text[k:]
		time.Sleep(time.Millisecond)
	}
}

// TestAnswers reads each answer as it comes in one piece, byte by byte, and in
// pieces of seven bytes.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		body         string
		reused       bool
	}{
		{"length", "HTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
		{"no body", "HTTP/1.1 404 Not Found\r\nX-Id: 1\r\nContent-Length: 0\r\n\r\n", 404, "", true},
		{"chunks", "HTTP/1.1 200 OK\r\nX-Id: 1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n", 200, "hello", true},
		{"until close", "HTTP/1.1 200 OK\r\nX-Id: 1\r\n\r\nhello", 200, "hello", false},
		{"HTTP/1.0 until close", "HTTP/1.0 200 OK\r\nX-Id: 1\r\n\r\nhello", 200, "hello", false},
		{"no reason", "HTTP/1.1 200\r\nX-Id: 1\r\nContent-Length: 1\r\n\r\nh", 200, "h", true},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
		{"eight interim", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 8) + "HTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true},
	} {
		for _, size := range []int{1 << 20, 7, 1} {
			t.Run(fmt.Sprintf("%s/%d", c.name, size), func(t *testing.T) {
				b := gatetest.NewBackend(t, func(conn net.Conn) {
					br := bufio.NewReader(conn)
					for {
						if _, err := http.ReadRequest(br); err != nil {
							return
						}
						slowly(conn, c.answer, size)
						if !c.reused {
							return
						}
					}
				})
				r := newRig(t)
				target := r.target(b.Addr)
				for range 2 {
					x := r.do(target, http1.GET)
					x.expect(c.status, c.body)
					if x.header != "1" {
						t.Errorf("X-Id %q", x.header)
					}
				}
				if c.reused {
					r.expectOpened(1, 1, 0)
				} else {
					r.expectOpened(2, 0, 0)
				}
			})
		}
	}
}

func TestFailures(t *testing.T) {
	closing := func(answer string) string {
		return gatetest.NewBackend(t, func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, answer)
			}
		}).Addr
	}
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := ln.Addr().String()
	_ = ln.Close()
	for _, c := range []struct {
		name, addr string
		want       upstream.Failure
	}{
		{"refused", nobody, upstream.Refused},
		{"unresolved", "no-such-host.invalid:80", upstream.Unresolved},
		{"hangs", hanging.Addr, upstream.Timeout},
		{"closes", closing(""), upstream.NoAnswer},
		{"closes in the head", closing("HTTP/1.1 200 OK\r\nCont"), upstream.NoAnswer},
		{"closes in the body", closing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), upstream.Truncated},
		{"closes before the body", closing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), upstream.Truncated},
		{"closes in a chunk", closing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"), upstream.Truncated},
		{"breaks a chunk", closing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhel\r\n"), upstream.Invalid},
		{"floods with interim answers", closing(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 9) + ok), upstream.Invalid},
		{"only interim answers", closing("HTTP/1.1 102 Processing\r\n\r\n"), upstream.NoAnswer},
		{"long head", closing("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n"), upstream.Invalid},
		{"announces too much", closing("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), upstream.TooLarge},
		{"sends too much", closing("HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 1001)), upstream.TooLarge},
		{"sends too many chunks", closing("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("64\r\n"+strings.Repeat("x", 100)+"\r\n", 11) + "0\r\n\r\n"), upstream.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			x := r.start(r.target(c.addr), http1.GET, get, true, func(x *exchange) {
				x.call.MaxBody = 1000
				if c.want == upstream.Timeout {
					x.call.Deadline = r.loop.Now() + int64(150*time.Millisecond)
				}
			}).wait()
			x.expectFailure(c.want)
			r.eventuallyOpen(0)
		})
	}
}

func TestLimitReached(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("x", 1000)
	})
	r := newRig(t)
	r.start(r.target(b.Addr), http1.GET, get, true, func(x *exchange) { x.call.MaxBody = 1000 }).wait().expect(200, strings.Repeat("x", 1000))
}
