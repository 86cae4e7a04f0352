package jwt

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// TestR33Faults: whatever goes wrong with fetching, the last good keys stay and
// valid tokens pass, also those not seen before.
func TestR33Faults(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(code)
			return true
		}
	}
	text := func(text string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/keys" {
				return false
			}
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	release := make(chan struct{})
	defer close(release)
	var many []string
	for i := range maxKeys + 1 {
		many = append(many, fmt.Sprintf(`{"kid":"%d"}`, i))
	}
	for _, f := range []struct {
		name, want string
		fail       func(http.ResponseWriter, *http.Request) bool
	}{
		{"404", "404 Not Found", status(404)},
		{"500", "500 Internal Server Error", status(500)},
		{"204", "204 No Content", status(204)},
		{"hangs", "no answer within", func(_ http.ResponseWriter, r *http.Request) bool {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return true
		}},
		{"drips", "not all of it came within", func(w http.ResponseWriter, r *http.Request) bool {
			_, _ = w.Write([]byte(`{"keys":[`))
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
				time.Sleep(5 * time.Millisecond)
			}
			return true
		}},
		{"closes", "EOF", func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return true
		}},
		{"breaks off", "unexpected EOF", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"keys":[]}`))
			return true
		}},
		{"huge", "more than 262144 bytes", text(`{"keys":[]}` + strings.Repeat(" ", maxKeySet))},
		{"endless", "more than", func(w http.ResponseWriter, _ *http.Request) bool {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return true
				}
			}
		}},
		{"too many keys", "101 keys, more than 100", text(`{"keys":[` + strings.Join(many, ",") + `]}`)},
		{"empty", "not a JSON object", text("")},
		{"HTML", "not a JSON object", text("<html>")},
		{"cut", "not a JSON object", text(`{"keys":[{"kid":"k"`)},
		{"no keys", `no array "keys"`, text(`{}`)},
		{"keys an object", `no array "keys"`, text(`{"keys":{}}`)},
		{"keys twice", "repeated names", text(`{"keys":[],"keys":[]}`)},
		{"nested deeply", "not a JSON object", text(`{"keys":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)},
		{"redirects", "redirects to https://evil.example/keys", func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "https://evil.example/keys", http.StatusFound)
			return true
		}},
	} {
		t.Run(f.name, func(t *testing.T) {
			r := newRig(t, s)
			r.keys.fetcher.timeout = 150 * time.Millisecond
			r.retain(r.Authorizer)
			seen := s.token(t, r.long())
			r.expect(Valid, seen)
			r.idp.fail(f.fail)
			for hour := range 4 {
				r.tick(time.Hour)
				r.expect(Valid, seen)
				r.expect(Valid, s.token(t, r.long("jti", fmt.Sprint(hour))))
			}
			st := r.status()
			if st.Failures == 0 || !strings.Contains(st.LastError, f.want) || len(st.Keys) != 1 || !st.FailedAt.After(st.FetchedAt) {
				t.Fatalf("%+v", st)
			}
			r.idp.fail(nil)
			r.tick(time.Minute + time.Second)
			if st := r.status(); st.Failures != 0 || st.FetchedAt != time.Unix(0, r.clock.wall()) {
				t.Errorf("does not recover: %+v", st)
			}
			r.expect(Valid, seen)
		})
	}
}

// TestDiscoveryFaults: a configuration is worth nothing unless it is the
// issuer's.
func TestDiscoveryFaults(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	for name, f := range map[string]struct{ text, want string }{
		"another issuer":   {`{"issuer":"https://evil.example","jwks_uri":"KEYS"}`, `it is of the issuer "https://evil.example"`},
		"no issuer":        {`{"jwks_uri":"KEYS"}`, `it is of the issuer ""`},
		"issuer twice":     {`{"issuer":"ISSUER","issuer":"ISSUER","jwks_uri":"KEYS"}`, "repeated names"},
		"a slash too many": {`{"issuer":"ISSUER/","jwks_uri":"KEYS"}`, "it is of the issuer"},
		"no jwks_uri":      {`{"issuer":"ISSUER"}`, "no jwks_uri"},
		"jwks_uri a list":  {`{"issuer":"ISSUER","jwks_uri":["KEYS"]}`, "no jwks_uri"},
		"a file":           {`{"issuer":"ISSUER","jwks_uri":"file:///etc/passwd"}`, "not an absolute https URL"},
		"relative":         {`{"issuer":"ISSUER","jwks_uri":"/keys"}`, "not an absolute https URL"},
		"with a password":  {`{"issuer":"ISSUER","jwks_uri":"https://a:b@evil.example/keys"}`, "without user name"},
		"huge":             {`{"issuer":"ISSUER","jwks_uri":"KEYS"}` + strings.Repeat(" ", maxDiscovery), "more than 65536 bytes"},
		"not JSON":         {`issuer: ISSUER`, "not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			p, c := newIDP(t, s), &clock{}
			r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
			r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
			p.discovery = func() string {
				return strings.NewReplacer("ISSUER", p.issuer, "KEYS", p.URL+"/keys").Replace(f.text)
			}
			if got := r.request(s.token(t, r.claims())); got != DiscoveryFailed {
				t.Errorf("result %q", got)
			}
			if st := r.status(); !strings.Contains(st.LastError, f.want) || st.JWKSURI != "" {
				t.Errorf("%+v", st)
			}
			if p.fetches.Load() != 0 {
				t.Error("keys were fetched")
			}
		})
	}
}

// TestR33UnknownKeys: a thousand kids a second that nobody knows cause one fetch a
// minute, and valid tokens pass meanwhile.
func TestR33UnknownKeys(t *testing.T) {
	perSecond, seconds := 1000, 181
	if underRace {
		perSecond = 100
	}
	s := newSigner(t, "k", "ES256", "P-256")
	r := newRig(t, s)
	r.retain(r.Authorizer)
	valid := s.token(t, r.long())
	payload, before := b64([]byte(r.long())), r.idp.fetches.Load()
	waited := 0
	for second := range seconds {
		r.tick(time.Second)
		r.expect(Valid, valid)
		r.expect(Valid, s.token(t, r.long("jti", fmt.Sprint(second))))
		var waiters []waiter
		for n := range perSecond {
			token := b64(fmt.Appendf(nil, `{"alg":"ES256","kid":"%d-%d"}`, second, n)) + "." + payload + "." + b64(make([]byte, 64))
			switch got, _ := r.check(token); got {
			case UnknownKey:
			case NeedKeys:
				if w := make(waiter, 1); r.Await([]byte(token), w) {
					waiters = append(waiters, w)
				}
			default:
				t.Fatalf("result %q", got)
			}
		}
		for _, w := range waiters {
			<-w
		}
		waited += len(waiters)
		r.expect(Valid, s.token(t, r.long("jti", fmt.Sprintf(`"after %d"`, second))))
	}
	// None in the first minute, at whose start the keys were fetched.
	if n := r.idp.fetches.Load() - before; n < 2 || n > 3 {
		t.Errorf("%d fetches in %d seconds", n, seconds)
	}
	if waited == 0 {
		t.Error("nobody ever waited")
	}
	t.Logf("%d unknown kids, %d waited, %d fetches in %d s", perSecond*seconds, waited, r.idp.fetches.Load()-before, seconds)
}
