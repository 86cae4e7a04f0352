package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// crowd is connections that do not do what they should.
type crowd struct {
	conns []net.Conn
	ended []time.Duration // of each, since began
	wg    sync.WaitGroup
}

// gather opens n connections, with a receive buffer of so many bytes unless it is 0,
// says something on each, and notes when the gateway ends it.
func (d *daemon) gather(n, buffer int, say string, each func(net.Conn)) *crowd {
	d.t.Helper()
	began := time.Now()
	c := &crowd{ended: make([]time.Duration, n)}
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		if buffer == 0 {
			return nil
		}
		return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, buffer) })
	}}
	for i := range n {
		conn, err := dialer.Dial("tcp", d.addr)
		if err != nil {
			d.t.Fatalf("connection %d: %v", i, err)
		}
		c.conns = append(c.conns, conn)
		if _, err := io.WriteString(conn, say); err != nil {
			d.t.Fatalf("connection %d: %v", i, err)
		}
		c.wg.Go(func() {
			each(conn)
			c.ended[i] = time.Since(began)
		})
	}
	return c
}

func (c *crowd) close() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.wg.Wait()
}

// untilEnd reads what comes, an answer or nothing, until the connection is ended.
func untilEnd(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// TestR5SlowBodies: uploads that come by drops, and readers that take drops, are cut;
// meanwhile they hold little, and the others are served.
func TestR5SlowBodies(t *testing.T) {
	t.Parallel()
	uploads, readers, cut, timeouts := lesser(200, 50), lesser(200, 50), 20*time.Second, "timeouts: {send: 3s}"
	if soaking() {
		uploads, readers, cut, timeouts = 2000, 2000, 40*time.Second, "upstream: {max_connections: 4096}"
	}
	large := strings.Repeat("x", 1<<20)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			_, _ = io.WriteString(w, large)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(s.Close)
	d := start(t, host{more: timeouts})
	d.deploy("prod", gatetest.ProxyAll(strings.TrimPrefix(s.URL, "http://"), 29000), nil)
	steady := newTraffic(8, d.addr, 5*time.Millisecond, get("/prod/small", 0))
	time.Sleep(time.Second)
	before := d.resident()
	up := d.gather(uploads, 0, "POST /prod/up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", func(conn net.Conn) {
		go func() {
			for range 100 {
				if _, err := conn.Write([]byte("1234567890")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		untilEnd(conn)
	})
	defer up.close()
	down := d.gather(readers, 1<<10, "GET /prod/large HTTP/1.1\r\nHost: x\r\n\r\n", func(conn net.Conn) {
		b := make([]byte, 16)
		for {
			if _, err := conn.Read(b); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	})
	defer down.close()
	held := 0
	began := time.Now()
	eventually(t, cut+10*time.Second, func() error {
		held = max(held, d.resident())
		if n := d.metric("tidegate_connections_open"); n > 12 {
			return fmt.Errorf("%v connections are open", n)
		}
		return nil
	})
	took := time.Since(began)
	steady.Stop(t)
	each := (held - before) / (uploads + readers)
	found(t, "R5", "%d uploads and %d readers cut within %s, %d KiB each, %d requests served", uploads, readers, tenths(took), each, steady.requests.Load())
	if took > cut {
		t.Errorf("cut after %s", took)
	}
	const ordinary = 8 << 10 // KiB that the heap grows by on its way to its first collections
	if held-before > 64*(uploads+readers)+ordinary && !underRace {
		t.Errorf("%d KiB are held for each", each)
	}
}

// TestR6SilentConnections: connections that say nothing are closed when their time is
// over, and new ones are let in meanwhile.
func TestR6SilentConnections(t *testing.T) {
	t.Parallel()
	n, wait, timeouts := lesser(1000, 200), 2*time.Second, "timeouts: {first_byte: 2s}"
	if soaking() {
		n, wait, timeouts = 15_000, 10*time.Second, "limits: {connections: 17000}\noverload: {descriptors: {start: 0.95, full: 1}}"
	}
	d := start(t, host{more: timeouts})
	d.deploy("prod", mocks, nil)
	silent := d.gather(n, 0, "", untilEnd)
	defer silent.close()
	for range 20 {
		d.ask("GET", "/prod/pets", "").expect(t, "meanwhile", 200, "pets")
	}
	began := time.Now()
	silent.wg.Wait()
	last := time.Since(began)
	early := wait
	for _, e := range silent.ended {
		early = min(early, e)
	}
	found(t, "R6", "%d closed, the first after %s, the last %s after it had come", n, tenths(early), tenths(last))
	if last > wait+time.Second {
		t.Errorf("the last is closed after %s", last)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "afterwards", 200, "pets")
}
