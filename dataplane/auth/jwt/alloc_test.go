package jwt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

// TestAllocations: none for a token seen before, whatever it is worth.
func TestAllocations(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	s := newSigner(t, "k", "ES256", "P-256")
	r, pools := newRig(t, s), newPoolRig(t, "ord.*", s)
	ask, err := CompileScopes([]string{"admin", "write"})
	if err != nil {
		t.Fatal(err)
	}
	now, wall := r.clock.now(), r.clock.wall()
	check := func(a *Authorizer, token string, scopes Scopes, want Result) func() {
		value := []byte("Bearer " + token)
		if got, _ := a.Check(Token(value), scopes, now, wall); got != want {
			t.Fatalf("result %q, want %q", got, want)
		}
		return func() {
			if got, _ := a.Check(Token(value), scopes, now, wall); got != want {
				t.Errorf("result %q, want %q", got, want)
			}
		}
	}
	good := s.token(t, r.claims("scope", `"read write"`, "cognito:groups", `["a","b"]`))
	_, claims := r.Check([]byte(good), Scopes{}, now, wall)
	buffer := make([]byte, 0, 512)
	for name, f := range map[string]func(){
		"valid":           check(r.Authorizer, good, Scopes{}, Valid),
		"valid by scope":  check(r.Authorizer, good, ask, Valid),
		"without a scope": check(r.Authorizer, s.token(t, r.claims()), ask, WrongScope),
		"another's":       check(r.Authorizer, s.token(t, r.claims("aud", `"x"`)), Scopes{}, WrongAudience),
		"expired":         check(r.Authorizer, s.token(t, r.claims("exp", "1")), Scopes{}, Expired),
		"bad signature":   check(r.Authorizer, newSigner(t, "k", "ES256", "P-256 stranger").token(t, r.claims()), Scopes{}, BadSignature),
		"ID token":        check(pools.Authorizer, s.token(t, pools.claims("token_use", `"id"`)), Scopes{}, Valid),
		"access token":    check(pools.Authorizer, s.token(t, pools.claims("token_use", `"access"`, "client_id", `"orders"`, "scope", `"write"`)), ask, Valid),
		"no token":        func() { r.Check(nil, ask, now, wall) },
		"claims": func() {
			_, _ = claims.Get("cognito:groups")
			_, _ = claims.Get("nobody")
			_ = claims.Principal()
		},
		"challenge": func() { buffer = r.AppendChallenge(buffer[:0], WrongScope, ask) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestVerdicts: a verdict holds until the token's exp, by the clock on the wall,
// and is found again after a while.
func TestVerdicts(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	r := newRig(t, s)
	verified := func(want int64) {
		t.Helper()
		if got := r.keys.Counts().Verified; got != want {
			t.Errorf("%d signatures verified, want %d", got, want)
		}
	}
	short, long := s.token(t, r.claims("exp", "1800000010")), s.token(t, r.long())
	for range 3 {
		r.expect(Valid, short)
		r.expect(Valid, long)
	}
	verified(2)
	r.clock.pass(9*time.Second + 999*time.Millisecond)
	r.expect(Valid, short)
	r.clock.pass(time.Millisecond)
	for range 3 {
		r.expect(Expired, short)
	}
	verified(3) // once more, since the verdict was to end with the token
	r.clock.pass(time.Hour)
	r.expect(Valid, long)
	verified(4)

	// The clock on the wall is set, while the other goes on as ever.
	wall := r.clock.wall()
	if got, _ := r.Check([]byte(long), Scopes{}, r.clock.now(), wall+int64(2_000_000*time.Second)); got != Expired {
		t.Errorf("a verdict outlives its token: %d", got)
	}
	if got, _ := r.Check([]byte(long), Scopes{}, r.clock.now(), wall-int64(5000*time.Second)); got != IssuedInFuture {
		t.Errorf("before it was issued: %d", got)
	}
	r.expect(Valid, long)
	verified(4)

	// A bad signature is remembered for half a minute.
	forged := newSigner(t, "k", "ES256", "P-256 stranger").token(t, r.long())
	for range 3 {
		r.expect(BadSignature, forged)
	}
	verified(5)
	r.clock.pass(30 * time.Second)
	r.expect(BadSignature, forged)
	verified(6)
}

// Tokens with bad signatures do not push good ones out, however many they are.
func TestBadTokensPushOutNoGoodOnes(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	r := newRig(t, s)
	good := s.token(t, r.long())
	r.expect(Valid, good)
	signed := good[:strings.LastIndexByte(good, '.')+1]
	for n := range 4 * mostBad {
		signature := make([]byte, 64)
		signature[0], signature[1], signature[40] = byte(n>>8), byte(n), 1
		r.expect(BadSignature, signed+b64(signature))
	}
	verified := r.keys.Counts().Verified
	r.expect(Valid, good)
	if r.keys.Counts().Verified != verified {
		t.Error("the good one had to be verified again")
	}
	if n := r.verdicts.bad.Len(); n > mostBad {
		t.Errorf("%d bad ones are remembered", n)
	}
}

// Nor do tokens that the issuer has made for somebody else, or that have expired.
func TestRefusedTokensPushOutNoGoodOnes(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	r := newRig(t, s)
	r.verdicts.good, r.verdicts.bad = verdict.NewCache[*judged](64), verdict.NewCache[*judged](16)
	var good []string
	for n := range 8 {
		good = append(good, s.token(t, r.long("jti", fmt.Sprint(n))))
		r.expect(Valid, good[n])
	}
	for n := range 200 {
		r.expect(WrongAudience, s.token(t, r.long("aud", `"other"`, "jti", fmt.Sprint(n))))
		r.expect(Expired, s.token(t, r.claims("exp", fmt.Sprint(epoch-n))))
	}
	verified := r.keys.Counts().Verified
	for _, token := range good {
		r.expect(Valid, token)
	}
	if n := r.keys.Counts().Verified - verified; n != 0 {
		t.Errorf("%d of %d had to be verified again", n, len(good))
	}
	// They are remembered all the same, each as what it is.
	last := s.token(t, r.long("aud", `"other"`))
	r.expect(WrongAudience, last)
	verified = r.keys.Counts().Verified
	r.expect(WrongAudience, last)
	if r.keys.Counts().Verified != verified {
		t.Error("a refused token was verified again")
	}
}
