package corpus

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reader is a real server with two sockets: reading answers every request with how
// the server understood it, body included; plain answers 200.
type reader struct{ name, reading, plain string }

// startReader starts a server in a folder that is to hold its sockets. It passes
// whole requests to the address echo, with what it read of them in X-Method,
// X-Target and X-Host.
func startReader(t *testing.T, name string, command func(dir, echo string) *exec.Cmd) *reader {
	t.Helper()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "%s %s host=%s length=%d", r.Header.Get("X-Method"), r.Header.Get("X-Target"), r.Header.Get("X-Host"), n)
	}))
	t.Cleanup(echo.Close)
	dir, err := os.MkdirTemp("", name) // short, for the sockets' names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := command(dir, strings.TrimPrefix(echo.URL, "http://"))
	said := &bytes.Buffer{}
	cmd.Stderr, cmd.Stdout = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	r := &reader{name, filepath.Join(dir, "reading"), filepath.Join(dir, "plain")}
	for range 500 {
		if conn, err := net.Dial("unix", r.plain); err == nil {
			_ = conn.Close()
			return r
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended: %s", name, said)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer", name)
	return nil
}

// read sends the stream to the server with a request behind it, so that the number
// of requests is known. What answers HEAD cannot tell what was asked.
func (s *reader) read(stream []byte) (got []string, err error) {
	conn, err := net.Dial("unix", s.reading)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(append(bytes.Clone(stream), "GET /last HTTP/1.1\r\nHost: last\r\n\r\n"...)); err != nil {
		return nil, err
	}
	br := bufio.NewReader(conn)
	for {
		head := isHead(stream, len(got))
		status, body, err := readAnswer(br, head)
		switch {
		case err != nil:
			return got, err
		case status != 200:
			return got, fmt.Errorf("status %d", status)
		case head:
			got = append(got, "HEAD")
		case body == "GET /last host=last length=0":
			return got, nil
		default:
			got = append(got, body)
		}
	}
}

// isHead tells whether request i of the stream is a HEAD.
func isHead(stream []byte, i int) bool {
	for ; i > 0 && len(stream) > 0; i-- {
		_, used, err := readSeen(stream)
		if err != nil {
			return false
		}
		stream = stream[used:]
	}
	return bytes.HasPrefix(stream, []byte("HEAD "))
}
