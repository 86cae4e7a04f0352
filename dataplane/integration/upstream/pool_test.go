package upstream_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/internal/gatetest"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestReuse(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string { return ok })
	r := newRig(t)
	target := r.target(b.Addr)
	for range 5 {
		r.do(target, http1.GET).expect(200, "ok")
	}
	r.expectOpened(1, 4, 0)
	// Another API's target shares nothing.
	key := target.Key
	key.APIID = "other"
	r.do(r.store.Group(key), http1.GET).expect(200, "ok")
	if b.Connections() != 2 {
		t.Errorf("%d connections", b.Connections())
	}
}

// TestNoSocket: that the host has no descriptor left is not the target's fault, and
// over when it has one.
func TestNoSocket(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string { return ok })
	r := newRig(t)
	target := r.target(b.Addr)
	r.loop.Reserve(1)
	r.do(target, http1.GET).expectFailure(upstream.NoSocket)
	r.loop.Reserve(0)
	r.do(target, http1.GET).expect(200, "ok")
	r.expectOpened(1, 0, 0)
}

// TestNeverReused has answers after which nobody can tell what follows.
func TestNeverReused(t *testing.T) {
	for _, c := range []struct {
		name   string
		verb   http1.Verb
		answer string
		status int // 0: the answer is not valid
		body   string
	}{
		{"close", http1.GET, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
		{"HTTP/1.0", http1.GET, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
		{"HTTP/1.0 keep-alive", http1.GET, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, "ok"},
		{"extra bytes", http1.GET, ok + "x", 200, "ok"},
		{"extra bytes after chunks", http1.GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nx", 200, "ok"},
		{"204 with a length", http1.GET, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", 204, ""},
		{"204 with chunks", http1.GET, "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, ""},
		{"204 with bytes", http1.GET, "HTTP/1.1 204 No Content\r\n\r\nok", 204, ""},
		{"304 with a length", http1.GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304, ""},
		{"HEAD with a body", http1.HEAD, ok, 200, ""},
		{"101", http1.GET, "HTTP/1.1 101 Switching Protocols\r\n\r\n", 0, ""},
		{"length and chunks", http1.GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, ""},
		{"two lengths", http1.GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 0, ""},
		{"unknown coding", http1.GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, ""},
		{"broken chunk", http1.GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, ""},
		{"folded field", http1.GET, "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", 0, ""},
		{"bare line feeds", http1.GET, "HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, ""},
		{"HTTP/2", http1.GET, "HTTP/2 200 OK\r\n\r\n", 0, ""},
		{"not HTTP", http1.GET, "220 ready\r\n\r\n", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := gatetest.Answering(t, func(*http.Request) string { return c.answer })
			r := newRig(t)
			target := r.target(b.Addr)
			for range 2 {
				x := r.do(target, c.verb)
				if c.status == 0 {
					x.expectFailure(upstream.Invalid)
				} else {
					x.expect(c.status, c.body)
				}
			}
			r.expectOpened(2, 0, 0)
			r.eventuallyOpen(0)
		})
	}
}

// TestReusedAfterNoBody: a HEAD, 204 or 304 that announces nothing is in order.
func TestReusedAfterNoBody(t *testing.T) {
	for verb, answer := range map[http1.Verb]string{
		http1.HEAD:   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		http1.DELETE: "HTTP/1.1 204 No Content\r\n\r\n",
		http1.GET:    "HTTP/1.1 304 Not Modified\r\n\r\n",
	} {
		b := gatetest.Answering(t, func(*http.Request) string { return answer })
		r := newRig(t)
		target := r.target(b.Addr)
		for range 2 {
			if x := r.do(target, verb); x.failure != 0 || x.body.Len() > 0 {
				t.Errorf("%s: %d %q", verb, x.failure, x.body.String())
			}
		}
		r.expectOpened(1, 1, 0)
	}
}

// TestIdleByteCloses: a byte, or the end, on an idle connection closes it at
// once, and no call sees it.
func TestIdleByteCloses(t *testing.T) {
	for name, late := range map[string]string{"byte": "x", "answer": "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL", "end": ""} {
		t.Run(name, func(t *testing.T) {
			answered := make(chan net.Conn, 2)
			b := gatetest.NewBackend(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, _ = io.WriteString(conn, ok)
				answered <- conn
				_, _ = io.Copy(io.Discard, conn) // until it is closed
			})
			r := newRig(t)
			target := r.target(b.Addr)
			r.do(target, http1.GET).expect(200, "ok")
			conn := <-answered
			if late == "" {
				_ = conn.(*net.TCPConn).CloseWrite()
			} else if _, err := io.WriteString(conn, late); err != nil {
				t.Fatal(err)
			}
			r.eventuallyOpen(0)
			r.do(target, http1.GET).expect(200, "ok")
			r.expectOpened(2, 0, 0)
		})
	}
}

// TestIdleByteAtCheckout: the byte has arrived, but the loop has not been told,
// when the connection is taken from the pool.
func TestIdleByteAtCheckout(t *testing.T) {
	answered := make(chan net.Conn, 2)
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = io.WriteString(conn, ok)
		answered <- conn
		_, _ = io.Copy(io.Discard, conn)
	})
	r := newRig(t)
	target := r.target(b.Addr)
	r.do(target, http1.GET).expect(200, "ok")
	conn := <-answered
	x := r.start(target, http1.GET, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, func(*exchange) { // on the loop, so it looks at nothing else
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
		time.Sleep(20 * time.Millisecond)
	}).wait()
	x.expect(200, "ok")
	r.expectOpened(2, 0, 0)
}

func TestIdleTimeout(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string { return ok })
	r := newRig(t, func(c *upstream.Config) { c.IdleTimeout = 100 * time.Millisecond })
	r.do(r.target(b.Addr), http1.GET).expect(200, "ok")
	r.eventuallyOpen(0)
}

// TestRetry: a request is sent again once, if it is idempotent and was sent on a
// used connection that had not answered.
func TestRetry(t *testing.T) {
	for _, c := range []struct {
		verb  http1.Verb
		again string // what a used connection says before it closes
		retry bool
	}{
		{http1.GET, "", true}, {http1.PUT, "", true}, {http1.DELETE, "", true}, {http1.HEAD, "", true}, {http1.OPTIONS, "", true},
		{http1.POST, "", false}, {http1.PATCH, "", false},
		{http1.GET, "HTTP/1.1 2", false}, {http1.GET, "HTTP/1.1 103 Early Hints\r\n\r\n", false},
	} {
		t.Run(fmt.Sprintf("%s %.12q", c.verb, c.again), func(t *testing.T) {
			var requests atomic.Int64
			b := gatetest.NewBackend(t, func(conn net.Conn) {
				br := bufio.NewReader(conn)
				for i := 0; ; i++ {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					requests.Add(1)
					if i > 0 {
						_, _ = io.WriteString(conn, c.again)
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
				}
			})
			r := newRig(t)
			target := r.target(b.Addr)
			r.do(target, http1.GET).expect(204, "")
			x := r.do(target, c.verb)
			if c.retry {
				x.expect(204, "")
				r.expectOpened(2, 1, 1)
			} else {
				x.expectFailure(upstream.NoAnswer)
				r.expectOpened(1, 1, 0)
			}
			want := int64(2)
			if c.retry {
				want = 3
			}
			if n := requests.Load(); n != want {
				t.Errorf("the backend saw %d requests, want %d", n, want)
			}
		})
	}
}

// TestNoRetryOnFreshConnection, nor a second retry.
func TestNoRetryOnFreshConnection(t *testing.T) {
	b := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) })
	r := newRig(t)
	r.do(r.target(b.Addr), http1.GET).expectFailure(upstream.NoAnswer)
	r.expectOpened(1, 0, 0)
}

func TestRetire(t *testing.T) {
	release := make(chan struct{})
	b := gatetest.Answering(t, func(r *http.Request) string {
		if r.URL.Path == "/slow" {
			<-release
		}
		return ok
	})
	r := newRig(t, func(c *upstream.Config) { c.MaxConnections = 1 })
	target := r.target(b.Addr)
	slow := r.start(target, http1.GET, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", true, nil)
	waits := r.start(target, http1.GET, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, nil)
	r.store.Retain(upstream.InUse{})
	r.loop.Do(func() {})
	late := r.start(target, http1.GET, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, nil) // of a request that had the old snapshot
	close(release)
	for _, x := range []*exchange{slow, waits, late} {
		x.wait().expect(200, "ok")
	}
	r.eventuallyOpen(0)
	if r.target(b.Addr) == target {
		t.Error("a target that was let go of came back")
	}
}
