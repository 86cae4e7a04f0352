package authorizer

import (
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// An endpoint may close a connection that it has kept, just when it is asked
// again: that is no failure of the request's.
func TestAConnectionThatCloses(t *testing.T) {
	var calls, closed atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1)%3 == 2 {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			closed.Add(1)
			conn.Close()
			return
		}
		if r.Header.Values("Idempotency-Key") != nil {
			t.Error("it is told of what is for us")
		}
		_, _ = io.WriteString(w, allowed)
	})
	a := compiled(t, definitionOf(url, func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(0) }), newStore(t, Options{}))
	for n := range 10 {
		if got := authorize(t, a, told("x"), petARN); got != "200 user|a1" {
			t.Errorf("call %d: %s", n, got)
		}
	}
	if closed.Load() == 0 {
		t.Error("no connection was closed")
	}
}

// An endpoint with https has to have a certificate of those that the host trusts.
func TestCertificates(t *testing.T) {
	server := httptest.NewTLSServer(answer(200, "", allowed))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, c := range []struct {
		roots *x509.CertPool
		want  string
	}{{roots, "200 user|a1"}, {nil, seenFailure}, {x509.NewCertPool(), seenFailure}} {
		s := newStore(t, Options{RootCAs: c.roots})
		a := compiled(t, definitionOf(server.URL), s)
		if got := authorize(t, a, told("x"), petARN); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
		if st := s.Status()[0]; (st.LastError != "") != (c.want == seenFailure) || st.LastError == "" != st.FailedAt.IsZero() || st.Stats.Calls.Load() != 1 {
			t.Errorf("%+v", st)
		}
	}
}
