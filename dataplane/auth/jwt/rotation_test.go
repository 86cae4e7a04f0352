package jwt

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestR33Rotation: a new key is found within a minute, and what a removed one has
// signed is worth nothing, however often it was seen.
func TestR33Rotation(t *testing.T) {
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

// TestRotationUnderLoad: while the keys are being fetched, all tokens of the new
// key wait for them, and cause no fetch of their own, also if they come to ask
// when it has just ended.
func TestRotationUnderLoad(t *testing.T) {
	first, second := newSigner(t, "1", "ES256", "P-256"), newSigner(t, "2", "ES256", "P-256 b")
	r := newRig(t, first)
	r.idp.publish(first, second)
	r.clock.pass(time.Minute)
	release, arrived := make(chan struct{}), make(chan struct{}, 2)
	r.idp.fail(func(http.ResponseWriter, *http.Request) bool {
		arrived <- struct{}{}
		<-release
		return false
	})
	before := r.idp.fetches.Load()
	var waiters []waiter
	var tokens []string
	for n := range 100 {
		token := second.token(t, r.long("jti", fmt.Sprint(n)))
		r.expect(NeedKeys, token)
		w := make(waiter, 1)
		if !r.Await([]byte(token), w) {
			t.Fatalf("token %d does not wait", n)
		}
		if n == 0 {
			<-arrived
		}
		waiters, tokens = append(waiters, w), append(tokens, token)
	}
	r.expect(Valid, first.token(t, r.long()))
	close(release)
	for n, w := range waiters {
		if err := <-w; err != nil {
			t.Error(err)
		}
		r.expect(Valid, tokens[n])
	}
	r.settle()
	if r.Await([]byte(tokens[0]), make(waiter)) {
		t.Error("waits for what is there")
	}
	for _, p := range r.issuers {
		if err := p.fetch(); err != nil {
			t.Error(err)
		}
	}
	if n := r.idp.fetches.Load() - before; n != 1 {
		t.Errorf("%d fetches", n)
	}
}

// TestRotationSoon: keys that were fetched because it was time, or could not be
// fetched, are asked for again within seconds.
func TestRotationSoon(t *testing.T) {
	first, second, third := newSigner(t, "1", "ES256", "P-256"), newSigner(t, "2", "ES256", "P-256 b"), newSigner(t, "3", "ES256", "P-256 3")
	r := newRig(t, first)
	r.retain(r.Authorizer)
	r.tick(2*time.Hour + time.Duration(jitter))
	r.idp.publish(first, second)
	token := second.token(t, r.long())
	r.expect(UnknownKey, token)
	r.clock.pass(time.Duration(askSoon))
	if got := r.request(token); got != Valid {
		t.Errorf("%s after it was time: %s", time.Duration(askSoon), got)
	}

	r.idp.publish(first, second, third)
	r.clock.pass(time.Minute)
	r.idp.fail(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(503)
		return true
	})
	token = third.token(t, r.long())
	before := r.keys.Counts().Fetches
	for range 60 {
		if got := r.request(token); got != UnknownKey {
			t.Fatalf("without its key: %s", got)
		}
		r.clock.pass(time.Second)
	}
	if n := r.keys.Counts().Fetches - before; n != 4 { // at 0, 5, 15 and 35 s
		t.Errorf("%d fetches in a minute", n)
	}
	r.idp.fail(nil)
	r.clock.pass(20 * time.Second)
	if got := r.request(token); got != Valid {
		t.Errorf("once the keys can be fetched: %s", got)
	}
	r.expect(Valid, first.token(t, r.long()))
}
