package telemetry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func startAdmin(t *testing.T, ready func() error) (s *AdminServer, address string, served chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = NewAdminServer(AdminOptions{
		Metrics: NewRegistry(1, "test"),
		Healthy: func() error { return nil },
		Ready:   ready,
		Logger:  slog.New(slog.DiscardHandler),
	})
	served = make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	return s, ln.Addr().String(), served
}

func TestAdminServer(t *testing.T) {
	s, address, served := startAdmin(t, func() error { return errors.New("draining") })
	client := &http.Client{Transport: &http.Transport{}}
	for _, row := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/readyz", 503, "draining\n"},
		{"GET", "/metrics", 200, "# HELP"},
		{"POST", "/metrics", 405, ""},
		{"GET", "/", 404, ""},
	} {
		req, _ := http.NewRequest(row.method, "http://"+address+row.path, nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != row.status || !strings.Contains(string(body), row.body) {
			t.Errorf("%s %s: got %d %.100q, want %d %q", row.method, row.path, resp.StatusCode, body, row.status, row.body)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

func TestAdminServerLimits(t *testing.T) {
	_, address, _ := startAdmin(t, func() error { return nil })

	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", strings.Repeat("x", 2*adminHeaderBytes))
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != 431 {
		t.Errorf("large header: got %v, %v", resp, err)
	}
	conn.Close()

	var open []net.Conn
	for range adminConnections + 8 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
	}
	var cut atomic.Int64
	var readers sync.WaitGroup
	for _, conn := range open {
		conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		readers.Go(func() {
			if _, err := conn.Read(make([]byte, 1)); err == io.EOF {
				cut.Add(1)
			}
		})
	}
	readers.Wait()
	if n := cut.Load(); n < 8 || n > 9 { // the first connection may not be gone yet
		t.Errorf("%d of %d connections were closed, want 8", n, len(open))
	}
	for _, conn := range open {
		conn.Close()
	}
	eventually(t, "room for a new connection", func() bool {
		resp, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == 200
	})
}
