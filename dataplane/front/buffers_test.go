package front_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// large answers every request with size bytes, without a copy of them for each.
func large(t *testing.T, size int) *gatetest.Backend {
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	return gatetest.NewBackend(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
			if _, err := conn.Write(body); err != nil {
				return
			}
		}
	})
}

// peak follows the heap until stopped, and returns how far it grew, in bytes.
func peak() (stop func() uint64) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before := heap()
	var highest atomic.Uint64
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			runtime.GC() // what is held, not what is garbage
			highest.Store(max(highest.Load(), heap()))
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-stopped
		return max(highest.Load(), before) - before
	}
}

// TestUnreadAnswersAreBounded: R7's bound. 100 clients that do not read their
// answers of 10 MB hold little of them in the gateway, and get them whole when
// they do.
func TestUnreadAnswersAreBounded(t *testing.T) {
	const clients, size, bound = 100, 10 << 20, 64 << 20
	g := gate(t, large(t, size).Addr, func(h *configs.Host) { h.Timeouts.Send = time.Minute })
	for _, secure := range []bool{false, true} {
		grown := peak()
		conns := make([]net.Conn, clients)
		for i := range conns {
			conns[i] = g.Dial(secure)
			_ = conns[i].SetDeadline(time.Now().Add(time.Minute))
			send(t, conns[i], "GET /prod/a HTTP/1.1\r\n"+host+"\r\n")
		}
		time.Sleep(time.Second)
		if n := grown(); n > bound {
			t.Errorf("TLS %v: the heap grew by %d bytes for %d answers of %d", secure, n, clients, size)
		}
		for _, conn := range conns[:3] {
			if _, body := answer(t, bufio.NewReader(conn), "GET"); len(body) != size {
				t.Errorf("TLS %v: %d bytes of %d", secure, len(body), size)
			}
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
}

// slow counts bodies of whole pieces, with a pause after each piece.
func slow(t *testing.T, pause time.Duration) *gatetest.Backend {
	return gatetest.NewBackend(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			n := 0
			buf := make([]byte, 256<<10)
			for {
				m, err := io.ReadFull(r.Body, buf)
				if n += m; err == io.EOF {
					break
				} else if err != nil {
					return
				}
				time.Sleep(pause)
			}
			text := fmt.Sprint(n)
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	})
}

// TestSlowBackendSlowsTheUpload: a body of 10 MB waits in the client while the
// backend is slow, with either framing, and also when the client has closed its
// sending end behind it.
func TestSlowBackendSlowsTheUpload(t *testing.T) {
	const size, bound = 10 << 20, 4 << 20
	g := gate(t, slow(t, 5*time.Millisecond).Addr)
	body := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	chunked := &bytes.Buffer{}
	for i := 0; i < size; i += 64 << 10 {
		fmt.Fprintf(chunked, "%x\r\n%s\r\n", 64<<10, body[i:i+64<<10])
	}
	chunked.WriteString("0\r\n\r\n")
	for _, row := range []struct {
		name, fields string
		body         []byte
	}{
		{"Content-Length", fmt.Sprintf("Content-Length: %d\r\n", size), body},
		{"chunked", "Transfer-Encoding: chunked\r\n", chunked.Bytes()},
	} {
		for _, secure := range []bool{false, true} {
			for _, half := range []bool{false, true} {
				conn := g.Dial(secure)
				_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
				grown := peak()
				go func() {
					_, _ = io.WriteString(conn, "POST /prod/a HTTP/1.1\r\n"+host+row.fields+"\r\n")
					_, _ = conn.Write(row.body)
					if half {
						_ = conn.(interface{ CloseWrite() error }).CloseWrite()
					}
				}()
				if resp, text := answer(t, bufio.NewReader(conn), "POST"); resp.StatusCode != 200 || text != fmt.Sprint(size) {
					t.Errorf("%s, TLS %v, half-closed %v: %d %s", row.name, secure, half, resp.StatusCode, text)
				}
				if n := grown(); n > bound {
					t.Errorf("%s, TLS %v: the heap grew by %d bytes", row.name, secure, n)
				}
				_ = conn.Close()
			}
		}
	}
}
