package control

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestTenThousandConnects floods the socket as the most privileged peer.
func TestTenThousandConnects(t *testing.T) {
	b := newBench(t)
	b.want(200, "GET", "/restapis", "")
	before, goroutines := descriptors(t), runtime.NumGoroutine()
	var wg sync.WaitGroup
	var mu sync.Mutex
	most := 0
	for range 20 {
		wg.Go(func() {
			var held []net.Conn
			for range 500 {
				c, err := net.Dial("unix", b.socket)
				if err != nil {
					continue
				}
				if held = append(held, c); len(held) > 20 {
					_ = held[0].Close()
					held = held[1:]
				}
				b.server.listener.mu.Lock()
				open := b.server.listener.open
				b.server.listener.mu.Unlock()
				mu.Lock()
				most = max(most, open)
				mu.Unlock()
			}
			for _, c := range held {
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	if most > maxConnections || most < maxConnections/2 {
		t.Errorf("at most %d connections at once, limit %d", most, maxConnections)
	}
	deadline := time.Now().Add(10 * time.Second)
	for descriptors(t) > before+4 || runtime.NumGoroutine() > goroutines+8 {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors before and %d after, %d goroutines before and %d after", before, descriptors(t), goroutines, runtime.NumGoroutine())
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.want(200, "GET", "/restapis", "")
}

func TestConnectionOverTheLimitIsTold(t *testing.T) {
	b := newBench(t)
	for range maxConnections {
		c, err := net.Dial("unix", b.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 429 || resp.Header.Get("x-amzn-ErrorType") != CodeTooManyCalls || !strings.HasPrefix(string(text), `{"message":"`) {
		t.Errorf("%d %q %s %v", resp.StatusCode, resp.Header, text, err)
	}
}

// raw sends a request header, then body as long as the server takes it, and
// returns the answer.
func raw(t *testing.T, socket, header string, body func(io.Writer)) *http.Response {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, header); err != nil {
		t.Fatal(err)
	}
	go body(c)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), `{"message":"`) || resp.Header.Get("x-amzn-RequestId") == "" || !resp.Close {
		t.Errorf("answer %s %v close=%v", text, resp.Header, resp.Close)
	}
	return resp
}

func TestOneGigabyteBody(t *testing.T) {
	b := newBench(t)
	const size = 1 << 30
	before := heap()
	sent := 0
	zeros := make([]byte, 1<<20)
	resp := raw(t, b.socket, fmt.Sprintf("POST /restapis?mode=import HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size), func(w io.Writer) {
		for sent < size {
			n, err := w.Write(zeros)
			sent += n
			if err != nil {
				return
			}
		}
	})
	if resp.StatusCode != 413 || resp.Header.Get("x-amzn-ErrorType") != CodeTooLarge {
		t.Errorf("declared length: %d %v", resp.StatusCode, resp.Header)
	}
	resp = raw(t, b.socket, "POST /restapis?mode=import HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", func(w io.Writer) {
		for range size / len(zeros) {
			if _, err := fmt.Fprintf(w, "%x\r\n%s\r\n", len(zeros), zeros); err != nil {
				return
			}
		}
	})
	if resp.StatusCode != 413 || resp.Header.Get("x-amzn-ErrorType") != CodeTooLarge {
		t.Errorf("chunked: %d %v", resp.StatusCode, resp.Header)
	}
	if after := heap(); after > before+32<<20 {
		t.Errorf("heap grew from %d to %d bytes", before, after)
	}
	b.want(200, "GET", "/restapis", "")
}

func TestBodyAtTheLimit(t *testing.T) {
	b := newBench(t)
	pad := func(n int) string { return `{"name":"x"}` + strings.Repeat(" ", n-12) }
	if a := b.call("POST", "/restapis", pad(maxBody)); a.status != 201 {
		t.Errorf("at the limit: %d %s", a.status, a.body)
	}
	if a := b.call("POST", "/restapis", pad(maxBody+1)); a.status != 413 {
		t.Errorf("one above: %d %s", a.status, a.body)
	}
}

func TestLargeBodiesTogetherAreBounded(t *testing.T) {
	b := newTunedBench(t, func(s *Server) { s.http.ReadTimeout = time.Second })
	var open []net.Conn
	for range 20 { // each announces a large body and stalls
		c, err := net.Dial("unix", b.socket)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		_, _ = fmt.Fprintf(c, "POST /restapis?mode=import HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", largeBody+1, strings.Repeat("x", 64<<10))
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(b.server.large); n > maxLargeBodies {
		t.Errorf("%d large bodies at once", n)
	}
	b.want(200, "GET", "/restapis", "") // small calls go on
	for _, c := range open {
		_ = c.Close()
	}
	deadline := time.Now().Add(5 * time.Second)
	for len(b.server.large) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d slots are still taken", len(b.server.large))
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.imported()
}

func TestRequestsThatAreNotRead(t *testing.T) {
	b := newTunedBench(t, func(s *Server) { s.http.ReadTimeout = 300 * time.Millisecond })
	for name, tt := range map[string]struct {
		header string
		status int
	}{
		"not HTTP":           {"hello\r\n\r\n", 400},
		"huge header":        {"GET /restapis HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", maxHeader) + "\r\n\r\n", 431},
		"stalled header":     {"GET /restapis HTTP/1.1\r\nHost: x\r\n", 408},
		"two lengths":        {"POST /restapis HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
		"length and chunked": {"POST /restapis HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		"stalled body":       {"POST /restapis HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{", 408},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(b.gateway.Catalog().APIs)
			resp := raw(t, b.socket, tt.header, func(io.Writer) {})
			if resp.StatusCode != tt.status || resp.Header.Get("x-amzn-ErrorType") == "" {
				t.Errorf("%d %v", resp.StatusCode, resp.Header)
			}
			if len(b.gateway.Catalog().APIs) != before {
				t.Error("something was changed")
			}
		})
	}
	// A silent connection is closed.
	c, err := net.Dial("unix", b.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("silent connection: %v", err)
	}
}
