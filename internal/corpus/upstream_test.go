package corpus

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestR8NoDisagreementReachesABackend sends what reached the backend on to
// other readers: each must see as many requests as we routed, with the same
// method, target, host and length.
func TestR8NoDisagreementReachesABackend(t *testing.T) {
	rec := newRecorder(t)
	g := startGate(t, rec)
	ng := startNginx(t)
	disagreements, forwarded := 0, 0
	for _, m := range messages(t) {
		if _, err := play(dial(t, g.Addr, false), m, whole); err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		var stream []byte
		want := []string{}
		for _, s := range rec.take(t) {
			stream = append(stream, s.raw...)
			if s.Host == "" {
				s.Host = rec.addr
			}
			want = append(want, fmt.Sprintf("%s %s host=%s length=%d", s.Method, s.Target, s.Host, len(s.Body)))
		}
		if len(want) != len(m.Want.Requests) {
			t.Errorf("%s: %d requests forwarded, want %d", m.Name, len(want), len(m.Want.Requests))
		}
		if len(want) == 0 {
			continue
		}
		forwarded += len(want)
		for reader, read := range map[string]func([]byte) ([]string, error){
			"net/http": readAsNetHTTP, "nginx": ng.read,
		} {
			got, err := read(stream)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(hideHeadBodies(want, reader)) {
				disagreements++
				t.Errorf("%s: %s sees %.300q, %v; we routed %.300q", m.Name, reader, got, err, want)
			}
		}
	}
	t.Logf("%d requests forwarded, %d disagreements", forwarded, disagreements)
}

// hideHeadBodies leaves out what nginx cannot tell us: its answer to HEAD has
// no body to say it in.
func hideHeadBodies(want []string, reader string) []string {
	out := []string{}
	for _, w := range want {
		if reader == "nginx" && bytes.HasPrefix([]byte(w), []byte("HEAD ")) {
			w = "HEAD"
		}
		out = append(out, w)
	}
	return out
}

func readAsNetHTTP(stream []byte) (got []string, err error) {
	br := bufio.NewReader(bytes.NewReader(stream))
	for {
		r, err := http.ReadRequest(br)
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%s %s host=%s length=%d", r.Method, r.RequestURI, r.Host, n))
	}
}

// read sends the stream to nginx with a request behind it, so that the number
// of requests is known.
func (n *nginx) read(stream []byte) (got []string, err error) {
	conn, err := net.Dial("unix", n.reading)
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
