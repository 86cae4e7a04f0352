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

// An expired token is no reason to ask for its key.
func TestExpiredTokensFetchNothing(t *testing.T) {
	s, old := newSigner(t, "k", "ES256", "P-256"), newSigner(t, "old", "ES256", "P-256 old")
	r := newRig(t, s)
	r.clock.pass(time.Hour)
	for _, exp := range []string{fmt.Sprint(epoch), "", `"x"`} {
		r.expect(UnknownKey, old.token(t, r.claims("exp", exp)))
	}
}

// TestManyPools: the keys of many user pools are fetched by and by, but those
// that a token needs at once.
func TestManyPools(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p, c := newIDP(t, s), &clock{}
	o := local
	o.Pools = map[string]Pool{}
	var arns []string
	for n := range 3 * mostStarts {
		id := fmt.Sprintf("eu-west-1_%d", n)
		o.Pools[id] = Pool{Issuer: fmt.Sprint(p.issuer, "/", n), JWKSURI: p.URL + "/keys"}
		arns = append(arns, "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/"+id)
	}
	r := &rig{t: t, clock: c, keys: newStore(t, c, o), idp: p}
	r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerUserPools, ProviderARNs: arns})
	r.retain(r.Authorizer)
	r.tick(time.Second)
	if n := p.fetches.Load(); n != mostStarts {
		t.Errorf("%d fetches in the first second", n)
	}
	for n := range arns {
		if got := r.request(s.token(t, claimsOf(fmt.Sprint(p.issuer, "/", n), "token_use", `"id"`))); got != Valid {
			t.Fatalf("pool %d: result %q", n, got)
		}
	}
	r.tick(time.Second)
	if n := int(p.fetches.Load()); n != len(arns) || len(r.keys.Status()) != len(arns) {
		t.Errorf("%d fetches for %d pools", n, len(arns))
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
