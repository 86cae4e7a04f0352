package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/golang-jwt/jwt/v5"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// epoch is what the time is in most tests, in seconds since the Unix epoch.
const epoch = 1_800_000_000

// clock is both clocks of a Keys, moved by hand.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() int64           { return c.nanos.Load() + 1 }
func (c *clock) wall() int64          { return epoch*int64(time.Second) + c.nanos.Load() }
func (c *clock) pass(d time.Duration) { c.nanos.Add(int64(d)) }
func (c *clock) options(o Options) Options {
	o.Now, o.Wall = c.now, c.wall
	return o
}

// signer is a key that an issuer signs with.
type signer struct {
	kid, alg string
	private  crypto.Signer
	method   jose.SigningMethod
}

// Keys are expensive to make, so that tests share them.
var (
	sharedKeys   sync.Mutex
	sharedByName = map[string]crypto.Signer{}
)

// private returns the shared private key of a kind: "RSA 2048", "P-256" and so
// on, perhaps with more behind to tell keys of a kind apart.
func private(t testing.TB, name string) crypto.Signer {
	t.Helper()
	sharedKeys.Lock()
	defer sharedKeys.Unlock()
	if k := sharedByName[name]; k != nil {
		return k
	}
	var k crypto.Signer
	var err error
	var bits int
	switch {
	case strings.HasPrefix(name, "RSA"):
		if _, err = fmt.Sscanf(name, "RSA %d", &bits); err == nil {
			k, err = rsa.GenerateKey(rand.Reader, bits)
		}
	case strings.HasPrefix(name, "P-256"):
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case strings.HasPrefix(name, "P-384"):
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case strings.HasPrefix(name, "P-521"):
		k, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	default:
		_, k, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	sharedByName[name] = k
	return k
}

// newSigner returns a signer with a shared key.
func newSigner(t testing.TB, kid, alg, key string) *signer {
	t.Helper()
	method := jose.GetSigningMethod(alg)
	if method == nil {
		t.Fatalf("no method %s", alg)
	}
	return &signer{kid: kid, alg: alg, private: private(t, key), method: method}
}

func b64(text []byte) string { return base64.RawURLEncoding.EncodeToString(text) }

// jwk is the public key as an issuer publishes it. Without alg it allows all
// algorithms of its kind.
func (s *signer) jwk(alg string) map[string]any {
	m := map[string]any{"kid": s.kid, "use": "sig"}
	if alg != "" {
		m["alg"] = alg
	}
	switch k := s.private.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		m["kty"], m["crv"], m["x"], m["y"] = "EC", k.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(k)
	}
	return m
}

// sign signs a header and a payload as they are.
func (s *signer) sign(t testing.TB, header, payload string) string {
	t.Helper()
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	return signed + "." + b64(s.signature(t, signed))
}

func (s *signer) signature(t testing.TB, signed string) []byte {
	t.Helper()
	sig, err := s.method.Sign(signed, s.private)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// header is the usual one.
func (s *signer) header() string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, s.alg, s.kid)
}

// token signs a payload under the usual header.
func (s *signer) token(t testing.TB, payload string) string {
	t.Helper()
	return s.sign(t, s.header(), payload)
}

// idp is an issuer: an OpenID provider with a configuration and keys that can be
// changed.
type idp struct {
	*httptest.Server
	issuer string

	mu        sync.Mutex
	keys      string                                        // the JWKS
	serve     func(http.ResponseWriter, *http.Request) bool // true if it has answered
	discovery func() string

	discoveries, fetches atomic.Int64
}

func newIDP(t testing.TB, signers ...*signer) *idp {
	t.Helper()
	p := &idp{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.handle))
	t.Cleanup(p.Close)
	p.issuer = p.URL + "/tenant"
	p.publish(signers...)
	return p
}

func (p *idp) handle(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	keys, serve, discovery := p.keys, p.serve, p.discovery
	p.mu.Unlock()
	switch r.URL.Path {
	case "/tenant/.well-known/openid-configuration":
		p.discoveries.Add(1)
		if serve != nil && serve(w, r) {
			return
		}
		text := fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q,"response_types_supported":["code"]}`, p.issuer, p.URL+"/keys")
		if discovery != nil {
			text = discovery()
		}
		_, _ = w.Write([]byte(text))
	case "/keys":
		p.fetches.Add(1)
		if serve != nil && serve(w, r) {
			return
		}
		_, _ = w.Write([]byte(keys))
	default:
		http.NotFound(w, r)
	}
}

// publish replaces the keys by those of signers.
func (p *idp) publish(signers ...*signer) {
	list := []any{}
	for _, s := range signers {
		list = append(list, s.jwk(s.alg))
	}
	p.publishJWKs(list...)
}

func (p *idp) publishJWKs(list ...any) {
	text, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = string(text)
}

// fail answers all requests by f, nil for the usual way.
func (p *idp) fail(f func(http.ResponseWriter, *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serve = f
}

// rig is an authorizer and the issuer that it trusts.
type rig struct {
	*Authorizer
	t     testing.TB
	clock *clock
	keys  *Keys
	idp   *idp
}

// local allows what tests need.
var local = Options{AllowHTTP: true, AllowPrivate: true}

const audience = "orders"

func newStore(t testing.TB, c *clock, o Options) *Keys {
	t.Helper()
	k, err := NewKeys(c.options(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// newRig is a JWT authorizer for the audience. Its keys are there.
func newRig(t testing.TB, signers ...*signer) *rig {
	t.Helper()
	p, c := newIDP(t, signers...), &clock{}
	r := &rig{t: t, clock: c, keys: newStore(t, c, local), idp: p}
	r.Authorizer = r.compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: p.issuer, Audience: []string{audience}})
	r.load()
	return r
}

const poolARN = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_aBcDeFgHi"

// newPoolRig is the same of a user pool, with an identityValidationExpression.
func newPoolRig(t testing.TB, expression string, signers ...*signer) *rig {
	t.Helper()
	p, c := newIDP(t, signers...), &clock{}
	o := local
	o.Pools = map[string]Pool{poolARN: {Issuer: p.issuer}}
	r := &rig{t: t, clock: c, keys: newStore(t, c, o), idp: p}
	r.Authorizer = r.compile(&definition.Authorizer{
		Name: "a", Type: definition.AuthorizerUserPools, ProviderARNs: []string{poolARN}, IdentityValidation: expression,
	})
	r.load()
	return r
}

func (r *rig) compile(def *definition.Authorizer) *Authorizer {
	r.t.Helper()
	a, err := Compile(def, r.keys)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// load fetches the keys.
func (r *rig) load() {
	r.t.Helper()
	for _, p := range r.issuers {
		p.askAt.Store(0) // at any time
		if err := p.fetch(); err != nil {
			r.t.Fatal(err)
		}
	}
}

// claims are valid for the rig, with changes: a value of "" leaves a claim out.
func (r *rig) claims(changes ...string) string {
	return claimsOf(r.idp.issuer, changes...)
}

func claimsOf(issuer string, changes ...string) string {
	all := [][2]string{
		{"iss", fmt.Sprintf("%q", issuer)}, {"aud", fmt.Sprintf("%q", audience)}, {"sub", `"user-1"`},
		{"exp", fmt.Sprint(epoch + 600)}, {"iat", fmt.Sprint(epoch - 60)},
	}
	var out []string
	for i := 0; i < len(changes); i += 2 {
		found := false
		for n := range all {
			if all[n][0] == changes[i] {
				all[n][1], found = changes[i+1], true
			}
		}
		if !found {
			all = append(all, [2]string{changes[i], changes[i+1]})
		}
	}
	for _, c := range all {
		if c[1] != "" {
			out = append(out, fmt.Sprintf("%q:%s", c[0], c[1]))
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

// check checks a token now.
func (r *rig) check(token string, scopes ...string) (Result, *Claims) {
	r.t.Helper()
	s, err := CompileScopes(scopes)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.Check([]byte(token), s, r.clock.now(), r.clock.wall())
}

func (r *rig) expect(want Result, token string, scopes ...string) {
	r.t.Helper()
	got, claims := r.check(token, scopes...)
	if got != want {
		r.t.Fatalf("result %q, want %q", got, want)
	}
	if (claims != nil) != (got == Valid) {
		r.t.Fatalf("claims %v of a token with result %d", claims, got)
	}
}

// request waits as the pipeline does, and returns what a token is in the end.
func (r *rig) request(token string) Result {
	r.t.Helper()
	got, _ := r.check(token)
	if got != NeedKeys {
		return got
	}
	w := make(waiter, 1)
	if r.Await([]byte(token), w) {
		select {
		case <-w:
		case <-time.After(20 * time.Second):
			r.t.Fatal("never told")
		}
	}
	got, _ = r.check(token)
	return got
}

type waiter chan error

func (w waiter) Decided(err error) { w <- err }
