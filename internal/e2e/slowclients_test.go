package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// cut has n clients connect at once, each do what it does slowly until its
// connection ends, and returns how long the fastest and the slowest to be cut
// lived. Those that live past a limit fail the test.
func cut(t *testing.T, addr string, n int, limit time.Duration, slowly func(conn net.Conn)) (first, last time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	alive := 0
	for range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			began := time.Now()
			go slowly(conn)
			_ = conn.SetReadDeadline(began.Add(limit))
			_, err = io.Copy(io.Discard, conn)
			lived := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			if e, ok := err.(net.Error); ok && e.Timeout() {
				alive++
				return
			}
			if first == 0 {
				first = lived
			}
			first, last = min(first, lived), max(last, lived)
		}()
	}
	wg.Wait()
	if alive > 0 {
		t.Errorf("%d of %d slow clients were connected after %s", alive, n, limit)
	}
	return first, last
}

// dribble sends a request a byte at a time, every so often, and never its end.
func dribble(every time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		for i := 0; ; i++ {
			const head = "GET /prod/x HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
			b := byte('a')
			if i < len(head) {
				b = head[i]
			}
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(every)
		}
	}
}

// TestR4Slowloris: clients that send a header byte by byte are cut when its time is
// over, and the others hardly notice (R4).
func TestR4Slowloris(t *testing.T) {
	b := gatetest.Answering(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" })
	clients, header := 200, 3*time.Second
	if soaking() {
		clients, header = 2000, 10*time.Second // the default
	}
	d := start(t, host{more: fmt.Sprintf("timeouts: {header: %s}", header)})
	d.deploy("prod", gatetest.ProxyAll(b.Addr, 29000), nil)
	const rounds = 4
	others := func(rounds int) (worst, best time.Duration, failed int) {
		best = time.Hour
		for range rounds { // what disturbs the machine passes; what slow clients cost does not
			o := load(d.addr, "/prod/x", 8, 20*time.Millisecond, header/time.Duration(rounds))
			worst, best = max(worst, o.quantile(200, 0.99)), min(best, o.quantile(200, 0.99))
			failed += o.failed + o.byStatus[503]
		}
		return worst, best, failed
	}
	_, before, _ := others(rounds)
	resident := d.resident()
	done := make(chan struct{})
	var first, last time.Duration
	go func() {
		defer close(done)
		first, last = cut(t, d.addr, clients, header+15*time.Second, dribble(max(header/20, 100*time.Millisecond)))
	}()
	_, during, failed := others(rounds - 1)
	each := (d.resident() - resident) / clients
	<-done
	found(t, "R4", "%d slow clients cut after %s to %s, %d KiB each; p99 of the others %s, then %s", clients, tenths(first), tenths(last), each, tenths(before), tenths(during))
	if failed > 0 {
		t.Errorf("%d requests of others failed", failed)
	}
	if first < header-time.Second || last > header+header/2+2*time.Second {
		t.Errorf("cut after %s to %s, the limit is %s", first, last, header)
	}
	if during > 2*before+20*time.Millisecond { // less is the noise of the machine
		t.Errorf("p99 of the others %s, then %s", before, during)
	}
	if each > 20 && !underRace {
		t.Errorf("%d KiB for each slow client", each)
	}
}
