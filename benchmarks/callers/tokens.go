package callers

import (
	"crypto"
	"crypto/ecdsa"
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
	"time"

	jose "github.com/golang-jwt/jwt/v5"

	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// signed is a token, and what its bare signature takes to verify.
type signed struct {
	method    jose.SigningMethod
	private   crypto.Signer
	text      string
	signing   string // header and payload
	signature []byte
}

// newSigned makes a key for an algorithm, and signs a token as long as Amazon
// Cognito's.
func newSigned(algorithm string) (*signed, error) {
	s := &signed{method: jose.GetSigningMethod(algorithm)}
	var err error
	if algorithm == "RS256" {
		s.private, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		s.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return nil, err
	}
	return s, s.sign("https://issuer.example.com")
}

func (s *signed) sign(issuer string) (err error) {
	now := time.Now().Unix()
	token := jose.NewWithClaims(s.method, jose.MapClaims{
		"iss": issuer, "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "aud": audience, "iat": now - 60, "exp": now + 86400,
		"auth_time": now - 60, "token_use": "access", "scope": "openid orders/read", "client_id": "1example23456789", "username": "janedoe",
		"cognito:groups": []string{"admin", "users"}, "jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
		"event_id": "64f513be-32db-42b0-b78e-b02127b4f463", "email": "jane@example.com", "email_verified": true,
	})
	token.Header["kid"] = s.method.Alg()
	if s.text, err = token.SignedString(s.private); err != nil {
		return err
	}
	at := strings.LastIndexByte(s.text, '.')
	s.signing = s.text[:at]
	s.signature, err = base64.RawURLEncoding.DecodeString(s.text[at+1:])
	return err
}

// verify is the library's bare verification of the signature.
func (s *signed) verify() error {
	return s.method.Verify(s.signing, s.signature, s.private.Public())
}

func (s *signed) jwk() map[string]string {
	encode := base64.RawURLEncoding.EncodeToString
	k := map[string]string{"kid": s.method.Alg(), "alg": s.method.Alg()}
	switch p := s.private.Public().(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", encode(p.N.Bytes()), encode(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		point, _ := p.Bytes() // of a key that was just made
		k["kty"], k["crv"], k["x"], k["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	}
	return k
}

const audience = "orders"

// waiter waits for the keys of an issuer.
type waiter chan error

func (w waiter) Decided(err error) { w <- err }

// tokens are Tidegate's checks of tokens that it sees for the first time and of one
// that it has seen, and the library's verification of their signatures.
func tokens() (all []Contestant, shut func(), err error) {
	byName := map[string]*signed{}
	set := map[string][]map[string]string{}
	for _, algorithm := range []string{"ES256", "RS256"} {
		if byName[algorithm], err = newSigned(algorithm); err != nil {
			return nil, nil, err
		}
		set["keys"] = append(set["keys"], byName[algorithm].jwk())
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_ = json.NewEncoder(w).Encode(set)
			return
		}
		url := "http://" + r.Host
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, url, url+"/keys")
	}))
	keys, err := jwt.NewKeys(jwt.Options{AllowHTTP: true, AllowPrivate: true})
	if err != nil {
		issuer.Close()
		return nil, nil, err
	}
	shut = func() { keys.Close(); issuer.Close() }
	authorizer, err := jwt.Compile(&definition.Authorizer{Name: "a", Type: definition.AuthorizerJWT, Issuer: issuer.URL, Audience: []string{audience}}, keys)
	if err != nil {
		shut()
		return nil, nil, err
	}
	for name, s := range byName {
		if err := s.sign(issuer.URL); err != nil {
			shut()
			return nil, nil, err
		}
		if w := make(waiter, 1); authorizer.Await([]byte(s.text), w) {
			if err := <-w; err != nil {
				shut()
				return nil, nil, err
			}
		}
		all = append(all, Contestant{map[string]string{"ES256": ES256, "RS256": RS256}[name], s.verify, few})
	}
	first := func(s *signed) func() error {
		token, now := []byte(s.text), int64(1)
		return func() error { // so late that what was remembered has expired
			now += 2 * int64(time.Hour)
			return check(authorizer, token, now)
		}
	}
	seen := *byName["ES256"]
	if err = seen.sign(issuer.URL); err == nil { // another token, of which the signature is another
		err = check(authorizer, []byte(seen.text), 1)
	}
	if err != nil {
		shut()
		return nil, nil, err
	}
	token := []byte(seen.text)
	return append(all,
		Contestant{JWTCached, func() error { return check(authorizer, token, 1) }, many},
		Contestant{JWTES256, first(byName["ES256"]), few}, Contestant{JWTRS256, first(byName["RS256"]), few}), shut, nil
}

func check(a *jwt.Authorizer, token []byte, now int64) error {
	if result, _ := a.Check(token, jwt.Scopes{}, now, time.Now().UnixNano()); result != jwt.Valid {
		return fmt.Errorf("a token is refused: %s", result)
	}
	return nil
}
