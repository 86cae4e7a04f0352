package upstream_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/internal/gatetest"
)

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// TestConnectTimeout: an address that drops what is sent to it. A listener whose
// queue is full does.
func TestConnectTimeout(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	full := false
	for range 10000 { // fill the queue of connections that nobody accepts
		conn, err := net.DialTimeout("tcp", ln.Addr().String(), 300*time.Millisecond)
		if err != nil {
			full = true
			break
		}
		defer conn.Close()
	}
	if !full {
		t.Skip("the accept queue here does not fill up")
	}
	r := newRig(t, func(c *upstream.Config) { c.ConnectTimeout = 100 * time.Millisecond })
	r.do(r.target(ln.Addr().String()), http1.GET).expectFailure(upstream.ConnectTimeout)
}

// TestQueue: calls beyond the connections wait their turn, and beyond the queue
// fail at once.
func TestQueue(t *testing.T) {
	release := make(chan struct{})
	b := gatetest.Answering(t, func(*http.Request) string {
		<-release
		return ok
	})
	r := newRig(t, func(c *upstream.Config) { c.MaxConnections, c.MaxWaiting = 2, 3 })
	target := r.target(b.Addr)
	var calls []*exchange
	for range 5 {
		calls = append(calls, r.start(target, http1.GET, get, true, nil))
	}
	r.start(target, http1.GET, get, true, nil).wait().expectFailure(upstream.Busy)
	r.loop.Do(calls[4].call.Cancel)
	// Its place is free again, but not for long.
	r.start(target, http1.GET, get, true, func(x *exchange) { x.call.Deadline = r.loop.Now() + int64(50*time.Millisecond) }).
		wait().expectFailure(upstream.Timeout)
	close(release)
	for _, x := range calls[:4] {
		x.wait().expect(200, "ok")
	}
	r.expectOpened(2, 2, 0)
}

// TestEarlyAnswer comes before the request is whole: the rest is not sent, and
// the connection not used again.
func TestEarlyAnswer(t *testing.T) {
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		if _, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
			_, _ = io.WriteString(conn, ok)
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	r := newRig(t)
	target := r.target(b.Addr)
	for range 2 {
		r.start(target, http1.POST, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", false, nil).wait().expect(200, "ok")
	}
	r.expectOpened(2, 0, 0)
	r.eventuallyOpen(0)
}

// TestSend streams a request to a backend that reads slowly, as Unsent allows.
func TestSend(t *testing.T) {
	const total = 8 << 20
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
		n, _ := io.Copy(io.Discard, r.Body)
		text := fmt.Sprint(n)
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
	})
	r := newRig(t)
	x := r.start(r.target(b.Addr), http1.PUT, fmt.Sprintf("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", total), false, nil)
	piece := make([]byte, 64<<10)
	most := 0
	for sent := 0; sent < total; {
		r.loop.Do(func() {
			for sent < total && x.call.Unsent() < 256<<10 {
				sent += len(piece)
				x.call.Send(piece, sent == total)
			}
			most = max(most, x.call.Unsent())
		})
		time.Sleep(time.Millisecond)
	}
	x.wait().expect(200, fmt.Sprint(total))
	if most > 512<<10 {
		t.Errorf("%d bytes were held", most)
	}
	if x.drained == 0 {
		t.Error("Drained was never called")
	}
}

// TestPause holds an answer back: the backend is made to wait, and nothing comes
// until Resume.
func TestPause(t *testing.T) {
	const total = 32 << 20
	sent := make(chan int, 1)
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		n, _ := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", total)
		_ = conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		body := make([]byte, 64<<10)
		for {
			k, err := conn.Write(body)
			if n += k; err != nil {
				break
			}
		}
		sent <- n
	})
	r := newRig(t)
	x := r.start(r.target(b.Addr), http1.GET, get, true, func(x *exchange) { x.hold, x.call.MaxBody = true, total })
	if n := <-sent; n > 16<<20 {
		t.Errorf("the backend sent %d bytes to a call that is paused", n)
	}
	pieces := 0
	r.loop.Do(func() { pieces = x.pieces })
	if pieces != 1 {
		t.Errorf("%d pieces while paused", pieces)
	}
	r.loop.Do(func() {
		x.hold = false
		x.call.Resume()
	})
	x.wait().expectFailure(upstream.Truncated) // the backend has gone meanwhile
	if x.body.Len() < 64<<10 {
		t.Errorf("only %d bytes came of what was sent before", x.body.Len())
	}
}

// TestResumeAfterEnd: the backend has sent all and gone while the call was
// paused.
func TestResumeAfterEnd(t *testing.T) {
	body := strings.Repeat("0123456789", 20000)
	b := gatetest.NewBackend(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"+body)
		}
	})
	r := newRig(t)
	x := r.start(r.target(b.Addr), http1.GET, get, true, func(x *exchange) { x.hold = true })
	time.Sleep(100 * time.Millisecond)
	for over := false; !over; {
		r.loop.Do(x.call.Resume)
		select {
		case <-x.over:
			over = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	x.expect(200, body)
}

// TestCancel ends calls in every state, without a word to the receiver.
func TestCancel(t *testing.T) {
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	r := newRig(t, func(c *upstream.Config) { c.MaxConnections = 1 })
	target := r.target(hanging.Addr)
	cancel := func(what string, x *exchange) {
		t.Helper()
		r.loop.Do(func() {
			if !x.call.Active() {
				t.Errorf("%s: not active", what)
			}
			x.call.Cancel()
			if x.call.Active() {
				t.Errorf("%s: still active", what)
			}
		})
		select {
		case <-x.over:
			t.Errorf("%s: the receiver was told", what)
		default:
		}
	}
	connecting := &exchange{rig: r, over: make(chan struct{})}
	r.loop.Do(func() {
		connecting.call.Receiver, connecting.call.Verb, connecting.call.Deadline = connecting, http1.GET, r.loop.Now()+int64(time.Second)
		connecting.call.Start(r.loop, target, []byte(get), true)
		connecting.call.Cancel()
	})
	active := r.start(target, http1.GET, get, true, nil)
	time.Sleep(20 * time.Millisecond)
	waiting := r.start(target, http1.GET, get, true, nil)
	cancel("waiting", waiting)
	cancel("active", active)
	unresolved := r.start(r.target("no-such-host.invalid:80"), http1.GET, get, true, nil)
	select {
	case <-unresolved.over: // resolved to nothing already
	default:
		r.loop.Do(unresolved.call.Cancel)
	}
	r.eventuallyOpen(0)
}

// TestShutdown: Close fails what waits.
func TestShutdown(t *testing.T) {
	hanging := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	r := newRig(t, func(c *upstream.Config) { c.MaxConnections = 1 })
	target := r.target(hanging.Addr)
	active := r.start(target, http1.GET, get, true, nil)
	waiting := r.start(target, http1.GET, get, true, nil)
	r.store.Close()
	waiting.wait().expectFailure(upstream.ShuttingDown)
	r.loop.Do(active.call.Cancel)
	r.eventuallyOpen(0)
}

// TestName resolves a name, and goes to the next address if one does not answer.
func TestName(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string { return ok })
	_, port, _ := net.SplitHostPort(b.Addr)
	r := newRig(t)
	target := r.target("localhost:" + port) // perhaps ::1 too, where nobody listens
	for range 4 {
		r.do(target, http1.GET).expect(200, "ok")
	}
}

func TestTLS(t *testing.T) {
	cert, key := gatetest.Certificate(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	large := strings.Repeat("0123456789abcdef", 1<<16)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %d %s", r.Method, len(body), large)
	}), ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close() })
	port := uint16(ln.Addr().(*net.TCPAddr).Port)

	for _, c := range []struct {
		name     string
		host     string
		roots    *x509.CertPool
		insecure bool
		want     upstream.Failure
	}{
		{"trusted address", "127.0.0.1", roots, false, 0},
		{"trusted name", "localhost", roots, false, 0},
		{"wrong address", "127.0.0.2", roots, false, upstream.Refused},
		{"unknown authority", "127.0.0.1", x509.NewCertPool(), false, upstream.Refused},
		{"anything goes", "127.0.0.1", x509.NewCertPool(), true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(config *upstream.Config) { config.RootCAs = c.roots })
			target := r.store.Group(upstream.Key{APIID: "api", Host: c.host, Port: port, TLS: true, Insecure: c.insecure})
			for range 2 {
				request := fmt.Sprintf("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(large), large)
				x := r.start(target, http1.PUT, request, true, func(x *exchange) { x.call.MaxBody = 2 << 20 }).wait()
				if c.want != 0 {
					x.expectFailure(c.want)
				} else {
					x.expect(200, fmt.Sprintf("PUT %d %s", len(large), large))
				}
			}
			if c.want == 0 {
				r.expectOpened(1, 1, 0)
			}
		})
	}
}
