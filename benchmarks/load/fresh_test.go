package load

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestFreshConnectionsEachHaveTheirRequest(t *testing.T) {
	var opened atomic.Int64
	var host atomic.Value
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		opened.Add(1)
		host.Store(r.Host + r.URL.Path)
		if !r.Close {
			t.Error("a request without Connection: close")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, strings.Repeat("no ", 500)) // in more than one read
	})
	f := Fresh{Address: address, Host: "h.test", Path: "/p", Connections: 4, Patience: time.Second, Duration: 100 * time.Millisecond}
	s, err := f.Run(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Only(429); err != nil || s.Opened < 8 || s.Opened != opened.Load() {
		t.Errorf("%+v, %v; the server saw %d", s, err, opened.Load())
	}
	if s.Only(200) == nil {
		t.Error("answers with 429 are taken for 200")
	}
	if got := host.Load(); got != "h.test/p" {
		t.Errorf("asked for %v", got)
	}
	if s.Micros < 100_000 || s.PerSecond() <= 0 {
		t.Errorf("%v per second over %v µs", s.PerSecond(), s.Micros)
	}
}

func TestFreshConnectionsKeepTheirRate(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") })
	s, err := Fresh{Address: address, Path: "/", Connections: 1000, Rate: 500, Patience: time.Second, Duration: 200 * time.Millisecond}.Run(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Only(200); err != nil || s.Opened+s.Excess > 101 || s.Opened < 50 {
		t.Errorf("%+v, %v; want 100 connections", s, err)
	}
}

func TestFreshConnectionsThatAreNotAnswered(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel accepts, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		conn.Close()
	})
	for name, c := range map[string]struct {
		address string
		count   func(FreshSummary) int64
	}{
		"nobody listens": {nobody, func(s FreshSummary) int64 { return s.Reset }},
		"no answer":      {silent.Addr().String(), func(s FreshSummary) int64 { return s.Silent }},
		"half an answer": {broken, func(s FreshSummary) int64 { return s.Failed }},
	} {
		f := Fresh{Address: c.address, Path: "/", Connections: 2, Patience: 20 * time.Millisecond, Duration: 50 * time.Millisecond}
		s, err := f.Run(nil)
		if err != nil || s.Opened == 0 || c.count(s) != s.Opened || s.Only(200) == nil {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	f := Fresh{Address: silent.Addr().String(), Path: "/", Connections: 3, Rate: 1000, Patience: time.Second, Duration: 100 * time.Millisecond}
	if s, err := f.Run(nil); err != nil || s.Opened != 3 || s.Excess < 50 {
		t.Errorf("more are due than may be under way: %+v, %v", s, err)
	}
}

func TestFreshConnectionsStop(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "ok") })
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	time.AfterFunc(50*time.Millisecond, func() { w.Close() })
	s, err := Fresh{Address: address, Path: "/", Connections: 2, Patience: time.Second, Duration: time.Hour}.Run(r)
	if err != nil || s.Only(200) != nil || s.Micros > 60e6 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestFreshRefusals(t *testing.T) {
	for _, f := range []Fresh{
		{Address: "127.0.0.1:1", Connections: 0, Patience: 1},
		{Address: "127.0.0.1:1", Connections: 1},
		{Address: "localhost:1", Connections: 1, Patience: 1},
	} {
		if _, err := f.Run(nil); err == nil {
			t.Errorf("%+v runs", f)
		}
	}
}
