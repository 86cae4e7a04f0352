package jwt

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	jose "github.com/golang-jwt/jwt/v5"
)

// scene is an issuer with one key of each kind, and some that nobody should
// trust.
type scene struct {
	t                          *testing.T
	r                          *rig
	rs, any, ps, es, es384, ed *signer // any: an RSA key without alg
	stranger                   *signer // not published; has the kid of es

	weak map[string]*rawRSA
}

func newScene(t *testing.T) *scene {
	s := &scene{
		t:  t,
		rs: newSigner(t, "rs", "RS256", "RSA 2048"), any: newSigner(t, "any", "RS512", "RSA 2048 any"), ps: newSigner(t, "ps", "PS256", "RSA 2048 ps"),
		es: newSigner(t, "es", "ES256", "P-256"), es384: newSigner(t, "es384", "ES384", "P-384"), ed: newSigner(t, "ed", "EdDSA", "Ed25519"),
		stranger: newSigner(t, "es", "ES256", "P-256 stranger"),
		weak:     map[string]*rawRSA{"rsa512": newRawRSA(t, 512, 65537), "rsa1024": newRawRSA(t, 1024, 65537), "e1": newRawRSA(t, 2048, 1)},
	}
	p256 := s.es.jwk("ES256")
	off := map[string]any{"kid": "off", "kty": "EC", "crv": "P-256", "x": p256["x"], "y": p256["x"]}
	zero := map[string]any{"kid": "zero", "kty": "EC", "crv": "P-256", "x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))}
	list := []any{s.rs.jwk("RS256"), s.any.jwk(""), s.ps.jwk("PS256"), p256, s.es384.jwk("ES384"), s.ed.jwk("EdDSA"),
		off, zero, map[string]any{"kid": "oct", "kty": "oct", "k": b64([]byte("secret")), "alg": "HS256"}}
	for kid, k := range s.weak {
		list = append(list, map[string]any{"kid": kid, "kty": "RSA", "n": b64(k.n.Bytes()), "e": b64(k.e.Bytes())})
	}
	s.r = newRig(t)
	s.r.idp.publishJWKs(list...)
	s.r.load()
	return s
}

// rawRSA signs with keys that crypto/rsa refuses.
type rawRSA struct{ n, e, d *big.Int }

func newRawRSA(t *testing.T, bits int, e int64) *rawRSA {
	for {
		p, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, bits/2)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		k := &rawRSA{n: new(big.Int).Mul(p, q), e: big.NewInt(e)}
		if k.d = new(big.Int).ModInverse(k.e, phi); k.d != nil && k.n.BitLen() == bits {
			return k
		}
	}
}

// sign makes an RS256 signature (RFC 8017 section 8.2.1).
func (k *rawRSA) sign(signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	info := append([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, sum[:]...)
	size := (k.n.BitLen() + 7) / 8
	em := append([]byte{0, 1}, strings.Repeat("\xff", size-3-len(info))...)
	em = append(append(em, 0), info...)
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.d, k.n).FillBytes(make([]byte, size))
}

// forged signs a header and claims in any way.
func (s *scene) forged(header, payload string, sign func(signed string) []byte) string {
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	return signed + "." + b64(sign(signed))
}

// good is a token that is valid as it is.
func (s *scene) good() string { return s.es.token(s.t, s.r.claims()) }

// resigned is good with another signature.
func (s *scene) resigned(change func(sig []byte) []byte) string {
	token := s.good()
	signed := token[:strings.LastIndexByte(token, '.')]
	return signed + "." + b64(change(s.es.signature(s.t, signed)))
}

// with is a token with a header and the usual claims, signed by the ES256 key.
func (s *scene) with(header string) string { return s.es.sign(s.t, header, s.r.claims()) }

// claiming is a token with changed claims.
func (s *scene) claiming(changes ...string) string { return s.es.token(s.t, s.r.claims(changes...)) }

// payload is a token with a payload as it is.
func (s *scene) payload(text string) string { return s.es.token(s.t, text) }

// mac signs with a secret.
func mac(secret []byte) func(string) []byte {
	return func(signed string) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(signed))
		return h.Sum(nil)
	}
}

func none(string) []byte { return nil }

// public is an RSA key as a file, which attackers use as a secret.
func publicPEM(t *testing.T, s *signer) []byte {
	der, err := x509.MarshalPKIXPublicKey(s.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// attack is a token that must not pass.
type attack struct {
	name string
	want Result
	make func(s *scene) string
}

// attackList collects attacks.
type attackList []attack

func (l *attackList) add(name string, want Result, make func(s *scene) string) {
	*l = append(*l, attack{name, want, make})
}

// header adds a token with a header, in which ' stands for ".
func (l *attackList) header(name string, want Result, text string) {
	l.add(name, want, func(s *scene) string { return s.with(strings.ReplaceAll(text, "'", `"`)) })
}

// claims adds a token with changed claims.
func (l *attackList) claims(name string, want Result, changes ...string) {
	l.add(name, want, func(s *scene) string { return s.claiming(changes...) })
}

// form adds a token with a changed text.
func (l *attackList) form(name string, want Result, change func(token string) string) {
	l.add(name, want, func(s *scene) string { return change(s.good()) })
}

// signature adds a token with a changed signature.
func (l *attackList) signature(name string, want Result, change func(s *scene, sig []byte) []byte) {
	l.add(name, want, func(s *scene) string { return s.resigned(func(b []byte) []byte { return change(s, b) }) })
}

func attacks() (l attackList) {
	l.onAlgorithms()
	l.onKeyIDs()
	l.onHeaders()
	l.onForm()
	l.onSignatures()
	l.onIssuerAndAudience()
	l.onTimes()
	l.onPayloads()
	return l
}

// flipTrailingBit changes a bit that base64url leaves over at the end.
func flipTrailingBit(text string) string {
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(all, text[len(text)-1])
	return text[:len(text)-1] + string(all[last^1])
}

// sized is a valid token of so many bytes.
func sized(s *scene, size int) string {
	for pad := size*3/4 - 400; ; pad++ {
		token := s.claiming("pad", `"`+strings.Repeat("x", pad)+`"`)
		switch {
		case len(token) == size:
			return token
		case len(token) > size: // lengths of 4n+1 do not exist: let the header be longer
			for more := range 8 {
				for less := range 16 {
					header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"x":%q}`, s.es.kid, strings.Repeat("y", more))
					token := s.es.sign(s.t, header, s.r.claims("pad", `"`+strings.Repeat("x", pad-less)+`"`))
					if len(token) == size {
						return token
					}
				}
			}
			s.t.Fatalf("no token of %d bytes", size)
		}
	}
}

// signWithoutSalt makes a PSS signature with an empty salt (RFC 8017 section
// 9.1.1), which the options of crypto/rsa do not have.
func signWithoutSalt(k *rsa.PrivateKey, sum []byte) ([]byte, error) {
	h := sha256.Sum256(append(make([]byte, 8), sum...))
	size := k.Size()
	db := make([]byte, size-32-1)
	db[len(db)-1] = 1
	mask := make([]byte, 0, len(db)+32)
	for i := uint32(0); len(mask) < len(db); i++ {
		block := sha256.Sum256(append(append([]byte{}, h[:]...), byte(i>>24), byte(i>>16), byte(i>>8), byte(i)))
		mask = append(mask, block[:]...)
	}
	for i := range db {
		db[i] ^= mask[i]
	}
	db[0] &= 0x7f
	em := append(append(db, h[:]...), 0xbc)
	return new(big.Int).Exp(new(big.Int).SetBytes(em), k.D, k.N).FillBytes(make([]byte, size)), nil
}

// TestR34TokenAttacks: none passes, neither at first nor at second sight.
func TestR34TokenAttacks(t *testing.T) {
	s := newScene(t)
	s.r.expect(Valid, s.good())
	accepted := 0
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			s := &scene{t: t, r: s.r, rs: s.rs, any: s.any, ps: s.ps, es: s.es, es384: s.es384, ed: s.ed, stranger: s.stranger, weak: s.weak}
			token := a.make(s)
			for sight := range 2 {
				got, claims := s.r.check(token)
				if got == Valid || claims != nil {
					accepted++
					t.Fatalf("accepted at sight %d", sight+1)
				}
				if got != a.want {
					t.Errorf("result %q at sight %d, want %q", got, sight+1, a.want)
				}
			}
		})
	}
	s.r.expect(Valid, s.good())
	t.Logf("%d attacks, %d accepted", len(attacks()), accepted)
}

// The signatures by hand are right, so that it is the keys that are refused.
func TestRawRSA(t *testing.T) {
	k := newRawRSA(t, 2048, 65537)
	if err := jose.SigningMethodRS256.Verify("x", k.sign("x"), &rsa.PublicKey{N: k.n, E: 65537}); err != nil {
		t.Error(err)
	}
	private := private(t, "RSA 2048 ps").(*rsa.PrivateKey)
	sum := sha256.Sum256([]byte("x"))
	sig, err := signWithoutSalt(private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := jose.SigningMethodPS256.Verify("x", sig, &private.PublicKey); err != nil {
		t.Error(err)
	}
}
