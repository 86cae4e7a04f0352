package load

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// hold holds 50 connections, does meanwhile what it is told, and returns the summary.
func hold(t *testing.T, address string, meanwhile func()) string {
	stdin, release := io.Pipe()
	out, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Hold{Address: address, Path: "/", Connections: 50}.Run(stdin, stdout)
		_ = stdout.Close()
	}()
	lines := bufio.NewReader(out)
	if ready, err := lines.ReadString('\n'); err != nil || ready != "\n" {
		t.Fatalf("ready: %q, %v", ready, err)
	}
	meanwhile()
	_ = release.Close()
	summary, _ := lines.ReadString('\n')
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return summary
}

func TestHold(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	address := s.Listener.Addr().String()
	if got := hold(t, address, func() {}); got != "{\"open\":50}\n" {
		t.Errorf("all open: %q", got)
	}
	if got := hold(t, address, s.CloseClientConnections); got != "{\"open\":0}\n" {
		t.Errorf("all closed: %q", got)
	}
}

func TestHoldNeedsAnswers(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	err := Hold{Address: address, Path: "/", Connections: 2}.Run(strings.NewReader(""), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Errorf("answers of 500: %v", err)
	}
}
