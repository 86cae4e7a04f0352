package load

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseAnswer(t *testing.T) {
	const good = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  2\r\nX: a:b\r\n\r\nok"
	for name, c := range map[string]struct {
		text string
		want answer
		err  string // "" for none
	}{
		"whole":          {good, answer{status: 200}, ""},
		"no body":        {"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", answer{status: 204}, ""},
		"last":           {"HTTP/1.1 200 x\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", answer{200, true}, ""},
		"chunked":        {"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", answer{status: 200}, "without Content-Length"},
		"too long":       {good + "!", answer{status: 200}, "bytes after"},
		"not HTTP":       {"220 smtp.example.com ready\r\n\r\n", answer{}, "status line"},
		"odd length":     {"HTTP/1.1 200 x\r\nContent-Length: two\r\n\r\n", answer{status: 200}, "Content-Length"},
		"status missing": {"HTTP/1.1 abc\r\n\r\n", answer{}, "status line"},
	} {
		got, err := parseAnswer([]byte(c.text))
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for i := range len(good) {
		if _, err := parseAnswer([]byte(good[:i])); err != errIncomplete {
			t.Fatalf("the first %d bytes: %v", i, err)
		}
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := percentile(hundred, p); got != want {
			t.Errorf("percentile %v: %v, want %v", p, got, want)
		}
	}
	if got := percentile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	var served atomic.Int64
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		_, _ = io.WriteString(w, "ok")
	})
	s, err := OpenLoop{Address: address, Path: "/", Connections: 4, Rate: 500, WarmUp: 50 * time.Millisecond, Duration: 200 * time.Millisecond}.Run(nil)
	if err != nil || s.Failed != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	if s.Requests != 100 {
		t.Errorf("recorded %d requests, want 100", s.Requests)
	}
	if n := served.Load(); n != 125 {
		t.Errorf("sent %d requests, want 125", n)
	}
}

// A server that stalls once is charged for every request that was due meanwhile.
func TestOpenLoopOmitsNothing(t *testing.T) {
	var first atomic.Bool
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			time.Sleep(100 * time.Millisecond)
		}
	})
	s, err := OpenLoop{Address: address, Path: "/", Connections: 1, Rate: 200, Duration: 200 * time.Millisecond}.Run(nil)
	if err != nil || s.Requests != 40 {
		t.Fatalf("%+v, %v", s, err)
	}
	// 20 of 40 were due during the stall and waited 95, 90, ... ms.
	if s.Max < 99e3 || s.P99 < 90e3 {
		t.Errorf("a stall of 100 ms shows as max %v, p99 %v µs", s.Max, s.P99)
	}
}

func TestOpenLoopCountsFailures(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"closed": func(w http.ResponseWriter, _ *http.Request) {
			c, _, _ := w.(http.Hijacker).Hijack()
			_ = c.Close()
		},
	} {
		s, err := OpenLoop{Address: serve(t, h), Path: "/", Connections: 2, Rate: 200, Duration: 50 * time.Millisecond}.Run(nil)
		if err != nil || s.Failed != 10 || s.Requests != 0 || s.Error == "" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// A server may announce that it closes, or close while nothing is under way.
func TestOpenLoopReconnects(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	s, err := OpenLoop{Address: address, Path: "/", Connections: 2, Rate: 200, Duration: 50 * time.Millisecond}.Run(nil)
	if err != nil || s.Failed != 0 || s.Requests != 10 {
		t.Errorf("announced: %+v, %v", s, err)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
				_ = c.Close()
			}()
		}
	}()
	s, err = OpenLoop{Address: l.Addr().String(), Path: "/", Connections: 1, Rate: 20, Duration: 200 * time.Millisecond}.Run(nil)
	if err != nil || s.Failed != 0 || s.Requests != 4 {
		t.Errorf("while idle: %+v, %v", s, err)
	}
}

func TestOpenLoopStops(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	time.AfterFunc(50*time.Millisecond, func() { _ = w.Close() })
	address := serve(t, func(http.ResponseWriter, *http.Request) {})
	began := time.Now()
	s, err := OpenLoop{Address: address, Path: "/", Connections: 1, Rate: 100, Duration: time.Minute}.Run(r)
	if err != nil || s.Failed != 0 || s.Requests == 0 || time.Since(began) > 5*time.Second {
		t.Errorf("%+v, %v after %v", s, err, time.Since(began))
	}
}
