package jwt

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// retain is Keys.Retain without the goroutine: the tests say when a second has
// passed.
func (r *rig) retain(all ...*Authorizer) {
	r.keys.mu.Lock()
	r.keys.running = true
	r.keys.mu.Unlock()
	keep := map[*Authorizer]bool{}
	for _, a := range all {
		keep[a] = true
	}
	r.keys.Retain(keep)
}

// settle waits for the fetches under way.
func (r *rig) settle() {
	r.t.Helper()
	for _, p := range r.issuers {
		w := make(waiter, 1)
		if p.calls.Join(call, w, func() error { return nil }) {
			<-w
		}
	}
}

// tick lets time pass, and the keys be refreshed if they are due.
func (r *rig) tick(d time.Duration) {
	r.t.Helper()
	r.clock.pass(d)
	r.keys.refresh(r.clock.now())
	r.settle()
}

func (r *rig) status() IssuerStatus {
	r.t.Helper()
	all := r.keys.Status()
	if len(all) != 1 {
		r.t.Fatalf("%d issuers", len(all))
	}
	return all[0]
}

// long is claims that are valid for days.
func (r *rig) long(changes ...string) string {
	return r.claims(append([]string{"exp", fmt.Sprint(epoch + 1_000_000)}, changes...)...)
}

// TestFaults: whatever goes wrong with fetching, the last good keys stay and
// valid tokens pass, also those not seen before.
func TestFaults(t *testing.T) {
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

// TestUnknownKeys: a thousand kids a second that nobody knows cause one fetch a
// minute, and valid tokens pass meanwhile.
func TestUnknownKeys(t *testing.T) {
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

// An expired token is no reason to ask for its key.
func TestExpiredTokensFetchNothing(t *testing.T) {
	s, old := newSigner(t, "k", "ES256", "P-256"), newSigner(t, "old", "ES256", "P-256 old")
	r := newRig(t, s)
	r.clock.pass(time.Hour)
	for _, exp := range []string{fmt.Sprint(epoch), "", `"x"`} {
		r.expect(UnknownKey, old.token(t, r.claims("exp", exp)))
	}
}

// TestRotation: a new key is found within a minute, and what a removed one has
// signed is worth nothing, however often it was seen.
func TestRotation(t *testing.T) {
	first, second, third := newSigner(t, "1", "ES256", "P-256"), newSigner(t, "2", "RS256", "RSA 2048"), newSigner(t, "3", "ES256", "P-256 3")
	r := newRig(t, first)
	one, two, three := first.token(t, r.long()), second.token(t, r.long()), third.token(t, r.long())
	r.expect(Valid, one)

	// The keys have just been fetched: not again at once.
	r.idp.publish(first, second)
	if got := r.request(two); got != UnknownKey {
		t.Errorf("within the minute: %d", got)
	}
	r.clock.pass(time.Minute)
	if got := r.request(two); got != Valid {
		t.Errorf("after a minute: %d", got)
	}
	r.expect(Valid, one)
	if got := r.request(three); got != UnknownKey {
		t.Errorf("a key that is not published: %d", got)
	}

	// The first key goes, by itself after two hours.
	r.idp.publish(second, third)
	r.retain(r.Authorizer)
	r.expect(Valid, one)
	r.tick(2*time.Hour + time.Duration(jitter))
	r.expect(UnknownKey, one)
	r.expect(Valid, two)
	r.expect(Valid, three)

	// And comes back.
	r.idp.publish(first, second, third)
	r.clock.pass(time.Minute)
	if got := r.request(one); got != Valid {
		t.Errorf("published again: %d", got)
	}

	// A kid gets another key: what the old one has signed is worth nothing, and
	// what was a bad signature may be a good one.
	changed := newSigner(t, "1", "ES256", "P-256 changed")
	four := changed.token(t, r.long())
	r.expect(BadSignature, four)
	r.expect(Valid, one)
	r.idp.publish(changed)
	r.load()
	r.expect(BadSignature, one)
	r.expect(Valid, four)

	// The same key for another algorithm is another key.
	other := newSigner(t, "1", "ES256", "P-256 changed").jwk("")
	r.idp.publishJWKs(other)
	r.load()
	r.expect(Valid, four)

	// The issuer withdraws all keys.
	r.idp.publish()
	r.load()
	r.expect(UnknownKey, four)
	if st := r.status(); len(st.Keys) != 0 || st.Failures != 0 {
		t.Errorf("%+v", st)
	}
}

// TestSlowIssuer: who waits for a dead issuer delays nobody else.
func TestSlowIssuer(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	dead, alive, c := newIDP(t, s), newIDP(t, s), &clock{}
	release := make(chan struct{})
	dead.fail(func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	})
	keys := newStore(t, c, local)
	keys.fetcher.timeout = time.Minute // longer than the test
	rigs := map[*idp]*rig{}
	for _, p := range []*idp{dead, alive} {
		r := &rig{t: t, clock: c, keys: keys, idp: p}
		r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
		rigs[p] = r
	}
	token := s.token(t, rigs[dead].claims())
	var waiters []waiter
	for n := range mostWaiters + 10 {
		if got, _ := rigs[dead].check(token); got != NeedKeys {
			t.Fatalf("result %q", got)
		}
		w := make(waiter, 1)
		if ok := rigs[dead].Await([]byte(token), w); ok != (n < mostWaiters) {
			t.Fatalf("waiter %d: %t", n, ok)
		} else if ok {
			waiters = append(waiters, w)
		}
	}
	left := waiters[0]
	if !rigs[dead].Leave([]byte(token), left) || rigs[dead].Leave([]byte(token), left) {
		t.Error("leaving")
	}
	if got := rigs[alive].request(s.token(t, rigs[alive].claims())); got != Valid {
		t.Errorf("the other issuer: %d", got)
	}
	close(release)
	for _, w := range waiters[1:] {
		if err := <-w; err == nil {
			t.Error("told that keys came")
		}
	}
	if len(left) != 0 || rigs[dead].Leave([]byte(token), waiters[1]) {
		t.Error("told after leaving")
	}
	rigs[dead].expect(DiscoveryFailed, token)
}

// Close tells whoever waits.
func TestClose(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p, c := newIDP(t, s), &clock{}
	p.fail(func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
	r.keys.fetcher.timeout = time.Minute
	r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
	token, w := []byte(s.token(t, r.claims())), make(waiter, 1)
	if !r.Await(token, w) {
		t.Fatal("does not wait")
	}
	r.keys.Close()
	if err := <-w; err == nil {
		t.Error("told that keys came")
	}
	c.pass(time.Hour)
	if r.Await(token, w) {
		t.Error("waits for a store that is closed")
	}
}

// An issuer may end with a slash, which its configuration's address does not
// repeat.
func TestIssuerWithSlash(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p, c := newIDP(t, s), &clock{}
	p.issuer += "/"
	r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
	r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
	if got := r.request(s.token(t, r.claims())); got != Valid {
		t.Errorf("result %q", got)
	}
	r.expect(WrongIssuer, s.token(t, claimsOf(strings.TrimSuffix(p.issuer, "/"))))
}

// TestFirstToken: without keys the first tokens wait, all for one fetch. A fetch
// that fails is not repeated for each of them.
func TestFirstToken(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p, c := newIDP(t, s), &clock{}
	r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
	r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
	if p.discoveries.Load()+p.fetches.Load() != 0 {
		t.Fatal("compiling has fetched something")
	}
	p.fail(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/keys" {
			return false
		}
		w.WriteHeader(503)
		return true
	})
	token := s.token(t, r.claims())
	for range 60 {
		for range 100 {
			if got := r.request(token); got != KeysFailed {
				t.Fatalf("result %q", got)
			}
		}
		r.clock.pass(time.Second)
	}
	if n := p.fetches.Load(); n != 4 { // at 0, 5, 15 and 35 s
		t.Errorf("%d fetches in a minute", n)
	}
	p.fail(nil)
	r.clock.pass(time.Minute)
	before := p.fetches.Load()
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if got := r.request(token); got != Valid {
				t.Errorf("result %q", got)
			}
		})
	}
	all.Wait()
	if n := p.fetches.Load() - before; n != 1 {
		t.Errorf("%d fetches for 200 tokens", n)
	}
	// Told, or not waiting, a token of nobody gets an end.
	if r.Await([]byte("x"), make(waiter)) || r.Leave([]byte("x"), make(waiter)) || r.Await([]byte(s.token(t, claimsOf("https://evil.example"))), make(waiter)) {
		t.Error("waits for nobody's keys")
	}
}

// TestStatus is what operators see.
func TestStatus(t *testing.T) {
	s := newSigner(t, "k", "RS256", "RSA 2048")
	r := newRig(t, s)
	r.idp.publishJWKs(s.jwk(""), newSigner(t, "e", "ES384", "P-384").jwk("ES384"), map[string]any{"kid": "x", "kty": "oct"}, 7)
	r.load()
	st := r.status()
	if st.Issuer != r.idp.issuer || st.JWKSURI != r.idp.URL+"/keys" || st.LastError != "" || st.Fetching {
		t.Errorf("%+v", st)
	}
	if got := fmt.Sprint(st.Keys); got != "[{e P-384 [ES384]} {k RSA 2048 [RS256 RS384 RS512 PS256 PS384 PS512]}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(st.Unfit); got != `[key 2: "x": its kty is none of RSA, EC and OKP key 3: it is not an object]` {
		t.Error(got)
	}
	r.expect(Valid, s.token(t, r.claims()))
	forged := newSigner(t, "k", "RS256", "RSA 2048 any").token(t, r.claims())
	r.expect(BadSignature, forged)
	r.expect(BadSignature, forged)
	if got := r.keys.Counts(); got != (Counts{Fetches: 2, Verified: 2, BadSignatures: 1}) {
		t.Errorf("%+v", got)
	}
}

// TestRetain: what serves is fetched in the background, what does not is
// forgotten.
func TestRetain(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p, c := newIDP(t, s), &clock{}
	r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
	def := &definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}}
	r.Authorizer = r.compile(def)
	r.keys.Retain(map[*Authorizer]bool{r.Authorizer: true})
	for deadline := time.Now().Add(20 * time.Second); r.status().FetchedAt.IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never fetched")
		}
	}
	token := s.token(t, r.claims())
	r.expect(Valid, token)

	// The same authorizer in another deployment: nothing is lost.
	verified := r.keys.Counts().Verified
	again := &rig{t: t, clock: c, keys: r.keys, idp: p}
	again.Authorizer = r.compile(def)
	r.keys.Retain(map[*Authorizer]bool{again.Authorizer: true})
	again.expect(Valid, token)
	if r.keys.Counts().Verified != verified || p.fetches.Load() != 1 {
		t.Error("a deployment has cost verdicts or keys")
	}

	// Gone, but requests of the old deployment end as they would have.
	r.keys.Retain(nil)
	if len(r.keys.Status()) != 0 || len(r.keys.verdicts) != 0 {
		t.Error("something is left")
	}
	again.expect(Valid, token)
	c.pass(time.Hour)
	if again.Await([]byte(newSigner(t, "2", "ES256", "P-256").token(t, r.long())), make(waiter)) {
		t.Error("keys are fetched for an authorizer that is gone")
	}
	r.keys.Close()
	r.keys.Retain(map[*Authorizer]bool{r.compile(def): true}) // which starts nothing
}

// TestConcurrent has everything at once, for the race detector: no token passes
// that the published keys have not signed.
func TestConcurrent(t *testing.T) {
	a, b, stranger := newSigner(t, "a", "ES256", "P-256"), newSigner(t, "b", "ES256", "P-256 b"), newSigner(t, "a", "ES256", "P-256 stranger")
	r := newRig(t, a)
	def := &definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: r.idp.issuer, Audience: []string{audience}}
	tokens := []string{a.token(t, r.long()), b.token(t, r.long())}
	forged := stranger.token(t, r.long())
	stop := make(chan struct{})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch got := r.request(tokens[n%2]); got {
				case Valid, UnknownKey, NeedKeys: // time flies here
				default:
					t.Errorf("result %q", got)
					return
				}
				if got, _ := r.check(forged); got == Valid {
					t.Error("a forged token passes")
				}
			}
		})
	}
	for n := range 40 {
		r.idp.publish([]*signer{a, b}[n%2])
		r.tick(time.Minute)
		r.load()
		r.retain(r.Authorizer, r.compile(def))
		_, _ = r.keys.Status(), r.keys.Counts()
		r.keys.sweep(r.clock.now())
	}
	close(stop)
	all.Wait()
}
