package corpus

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// TestR8NoDisagreementReachesABackend sends what reached the backend on to
// other readers: each must see as many requests as we routed, with the same
// method, target, host and length.
func TestR8NoDisagreementReachesABackend(t *testing.T) {
	rec := newRecorder(t)
	g := startGate(t, rec)
	readers := map[string]func([]byte) ([]string, error){"net/http": readAsNetHTTP, "nginx": startNginx(t).read, "haproxy": startHAProxy(t).read}
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
		for reader, read := range readers {
			got, err := read(stream)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(hideHeadBodies(want, reader)) {
				disagreements++
				t.Errorf("%s: %s sees %.300q, %v; we routed %.300q", m.Name, reader, got, err, want)
			}
		}
	}
	t.Logf("%d requests forwarded, %d disagreements", forwarded, disagreements)
}

// hideHeadBodies leaves out what servers cannot tell us: their answer to HEAD has
// no body to say it in.
func hideHeadBodies(want []string, reader string) []string {
	out := []string{}
	for _, w := range want {
		if reader != "net/http" && bytes.HasPrefix([]byte(w), []byte("HEAD ")) {
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
