package front_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

func TestFirstByteTimeout(t *testing.T) {
	t.Parallel()
	const limit = 400 * time.Millisecond
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.FirstByte = limit })
	for _, secure := range []bool{false, true} {
		start := time.Now()
		ends(t, g.Dial(secure))
		within(t, fmt.Sprintf("silent connection, TLS %v, closed", secure), time.Since(start), limit)
	}
}

func TestTLSHandshakeTimeout(t *testing.T) {
	t.Parallel()
	const limit = 400 * time.Millisecond
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.TLSHandshake = limit })
	g.Addr = g.TLSAddr // in the clear, to the TLS listener
	conn := g.Dial(false)
	start := time.Now()
	send(t, conn, "\x16\x03\x01")
	ends(t, conn)
	within(t, "half a handshake cut", time.Since(start), limit)
}

// TestSlowHead: bytes that keep coming do not keep a head alive.
func TestSlowHead(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.Header = limit })
	for _, first := range []string{"", "GET /prod/a HTTP/1.1\r\n" + host + "\r\n"} {
		for _, secure := range []bool{false, true} {
			conn := g.Dial(secure)
			br := bufio.NewReader(conn)
			if send(t, conn, first); first != "" {
				answer(t, br, "GET")
			}
			done := make(chan struct{})
			start := time.Now()
			go func() {
				drip := "GET /prod/a HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 50)
				for i := range drip {
					select {
					case <-done:
						return
					case <-time.After(20 * time.Millisecond):
					}
					if _, err := io.WriteString(conn, drip[i:i+1]); err != nil {
						return
					}
				}
			}()
			ends(t, br)
			within(t, fmt.Sprintf("slow head cut (TLS %v, after a request %v)", secure, first != ""), time.Since(start), limit)
			close(done)
		}
	}
}

// TestSlowPipelinedHead: the clock of a head that came with the request before
// it starts when its turn comes.
func TestSlowPipelinedHead(t *testing.T) {
	t.Parallel()
	const limit = 400 * time.Millisecond
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.Header = limit })
	conn := g.Dial(false)
	br := bufio.NewReader(conn)
	start := time.Now()
	send(t, conn, "GET /prod/a HTTP/1.1\r\n"+host+"\r\nGET /prod/b HTTP/1.1\r\n")
	answer(t, br, "GET")
	ends(t, br)
	within(t, "half a pipelined head cut", time.Since(start), limit)
}

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	const limit = 600 * time.Millisecond
	g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.Idle = limit })
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		br := bufio.NewReader(conn)
		for range 3 {
			send(t, conn, "GET /prod/a HTTP/1.1\r\n"+host+"\r\n")
			answer(t, br, "GET")
			time.Sleep(limit / 3)
		}
		start := time.Now().Add(-limit / 3)
		ends(t, br)
		within(t, "idle connection closed", time.Since(start), limit-250*time.Millisecond)
	}
}

// TestBodyMinimumRate: a body slower than the rate is cut after the grace of 5
// seconds, one that is a little faster is not, and 0 accepts any.
func TestBodyMinimumRate(t *testing.T) {
	t.Parallel()
	const rate = 100 // bytes per second
	for _, row := range []struct {
		limit int
		speed int
		cut   bool
	}{{rate, rate / 2, true}, {rate, rate * 2, false}, {0, 1, false}} {
		t.Run(fmt.Sprintf("limit %d, %d B per s", row.limit, row.speed), func(t *testing.T) {
			t.Parallel()
			g := gate(t, echo(t).Addr, func(h *configs.Host) { h.Timeouts.BodyMinRate = row.limit })
			conn := g.Dial(false)
			br := bufio.NewReader(conn)
			const seconds = 7
			total := row.speed * seconds
			start := time.Now()
			send(t, conn, fmt.Sprintf("POST /prod/a HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n", host, total))
			stop := make(chan struct{})
			go func() {
				for sent := 0; sent < total; sent++ {
					select {
					case <-stop:
						return
					case <-time.After(time.Second/time.Duration(row.speed) - 200*time.Microsecond):
					}
					if _, err := conn.Write([]byte("x")); err != nil {
						return
					}
				}
			}()
			defer close(stop)
			if row.cut {
				ends(t, br)
				within(t, "slow body cut", time.Since(start), 5*time.Second)
				return
			}
			if resp, body := answer(t, br, "POST"); resp.StatusCode != 200 || len(body) != len("POST /a ")+total {
				t.Errorf("got %d with %d bytes", resp.StatusCode, len(body))
			}
		})
	}
}

// TestSendTimeout: a client that does not take its answer is cut.
func TestSendTimeout(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	g := gate(t, large(t, 10<<20).Addr, func(h *configs.Host) { h.Timeouts.Send = limit })
	for _, secure := range []bool{false, true} {
		conn := g.Dial(secure)
		send(t, conn, "GET /prod/a HTTP/1.1\r\n"+host+"\r\n")
		start := time.Now()
		for open(g) == 0 && time.Since(start) < 5*time.Second {
			time.Sleep(time.Millisecond)
		}
		for open(g) > 0 && time.Since(start) < 5*time.Second {
			time.Sleep(10 * time.Millisecond)
		}
		within(t, fmt.Sprintf("client that reads nothing, TLS %v, cut", secure), time.Since(start), limit)
		if n, _ := io.Copy(io.Discard, conn); n >= 10<<20 {
			t.Errorf("TLS %v: all %d bytes had been sent", secure, n)
		}
		_ = conn.Close()
	}
}

func open(g *gatetest.Gate) int { return g.Gateway.Status().Connections }
