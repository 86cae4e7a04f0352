package corpus

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// recorder is a backend that keeps the bytes of every request, and answers with
// what it read.
type recorder struct {
	addr string

	mu       sync.Mutex
	requests []seen
	faults   []error
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	rec := &recorder{}
	rec.addr = gatetest.NewBackend(t, rec.serve).Addr
	return rec
}

func (rec *recorder) serve(conn net.Conn) {
	var pending []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		pending = append(pending, buf[:n]...)
		for len(pending) > 0 {
			s, used, parseErr := readSeen(pending)
			if errors.Is(parseErr, io.ErrUnexpectedEOF) || errors.Is(parseErr, io.EOF) {
				break // more is to come
			}
			rec.keep(s, parseErr)
			if parseErr != nil {
				return
			}
			pending = pending[used:]
			text := s.Method + " " + s.Target
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(text))
			if s.Method != "HEAD" {
				_, _ = io.WriteString(conn, text)
			}
		}
		if err != nil {
			return
		}
	}
}

func (rec *recorder) keep(s seen, err error) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if err != nil {
		rec.faults = append(rec.faults, err)
		return
	}
	switch s.Host {
	case rec.addr:
		s.Host = ""
	case "":
		s.Host = "(none)"
	}
	if s.Target != sentinelTarget {
		rec.requests = append(rec.requests, s)
	}
}

// take returns what arrived since the last call.
func (rec *recorder) take(t *testing.T) []seen {
	t.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, err := range rec.faults {
		t.Errorf("the backend cannot read what reached it: %v", err)
	}
	requests := rec.requests
	rec.requests, rec.faults = nil, nil
	return requests
}

// readSeen reads the request at the front of b with net/http, and returns how
// long it is.
func readSeen(b []byte) (s seen, used int, err error) {
	src := bytes.NewReader(b)
	br := bufio.NewReader(src)
	r, err := http.ReadRequest(br)
	if err != nil {
		return s, 0, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return s, 0, err
	}
	used = len(b) - src.Len() - br.Buffered()
	if r.TransferEncoding != nil {
		r.Header.Set("Transfer-Encoding", strings.Join(r.TransferEncoding, ", "))
	}
	for name := range r.Trailer {
		r.Header.Add(name, "in a trailer")
	}
	s = seen{Request{Method: r.Method, Target: r.RequestURI, Host: r.Host, Body: string(body)}, r.Header, bytes.Clone(b[:used])}
	return s, used, nil
}
