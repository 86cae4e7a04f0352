package gatetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Issuer is an OpenID provider: it publishes keys, and what they sign are its
// tokens. Its methods may be called from any goroutine.
type Issuer struct {
	URL     string
	Fetches atomic.Int64 // of the keys

	server *httptest.Server
	mu     sync.Mutex
	keys   string // the JWKS
	serve  func(http.ResponseWriter, *http.Request) bool
}

// NewIssuer starts an issuer with keys, over https if secure.
func NewIssuer(t testing.TB, secure bool, keys ...*SigningKey) *Issuer {
	t.Helper()
	i := &Issuer{}
	i.server = httptest.NewUnstartedServer(http.HandlerFunc(i.handle))
	if secure {
		i.server.StartTLS()
	} else {
		i.server.Start()
	}
	i.URL = i.server.URL
	t.Cleanup(i.server.Close)
	i.Publish(keys...)
	return i
}

// CAFile writes the authority of an issuer over https into a folder.
func (i *Issuer) CAFile(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "issuer.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.server.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Publish replaces the keys.
func (i *Issuer) Publish(keys ...*SigningKey) {
	set := struct {
		Keys []map[string]string `json:"keys"`
	}{[]map[string]string{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.jwk())
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = string(text)
}

// Fail has requests answered by f where that returns true, nil for none.
func (i *Issuer) Fail(f func(http.ResponseWriter, *http.Request) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serve = f
}

func (i *Issuer) handle(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	keys, serve := i.keys, i.serve
	i.mu.Unlock()
	if r.URL.Path == "/keys" {
		i.Fetches.Add(1)
	}
	switch {
	case serve != nil && serve(w, r):
	case r.URL.Path == "/keys":
		_, _ = w.Write([]byte(keys))
	case r.URL.Path == "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.URL, i.URL+"/keys")
	default:
		http.NotFound(w, r)
	}
}

// Claims are claims of a token, by name.
type Claims map[string]any

// Claims returns those of a token that is good for ten minutes, with changes: nil
// leaves a claim out.
func (i *Issuer) Claims(changes Claims) Claims {
	now := time.Now().Unix()
	all := Claims{"iss": i.URL, "sub": "user-1", "iat": now - 60, "exp": now + 600}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// SigningKey is a key of an issuer.
type SigningKey struct {
	ID, Algorithm string // RS256 or ES256
	private       crypto.Signer
}

// NewSigningKey makes a key for RS256 or ES256.
func NewSigningKey(t testing.TB, id, algorithm string) *SigningKey {
	t.Helper()
	k := &SigningKey{ID: id, Algorithm: algorithm}
	var err error
	if algorithm == "RS256" {
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Public returns the public key in DER form.
func (k *SigningKey) Public() []byte {
	if p, ok := k.private.Public().(*rsa.PublicKey); ok {
		return p.N.Bytes()
	}
	point, err := k.private.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		panic(err)
	}
	return point
}

func (k *SigningKey) jwk() map[string]string {
	m := map[string]string{"kid": k.ID, "use": "sig", "alg": k.Algorithm}
	if p, ok := k.private.Public().(*rsa.PublicKey); ok {
		m["kty"], m["n"], m["e"] = "RSA", base64url(p.N.Bytes()), base64url(big.NewInt(int64(p.E)).Bytes())
		return m
	}
	point := k.Public()
	m["kty"], m["crv"], m["x"], m["y"] = "EC", "P-256", base64url(point[1:33]), base64url(point[33:])
	return m
}

// Token signs claims.
func (k *SigningKey) Token(c Claims) string {
	return k.Sign(fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, k.Algorithm, k.ID), c)
}

// Sign signs claims under any header.
func (k *SigningKey) Sign(header string, c Claims) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	signed := base64url([]byte(header)) + "." + base64url(payload)
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	switch key := k.private.(type) {
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, key, sum[:]); err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	}
	if err != nil {
		panic(err)
	}
	return signed + "." + base64url(signature)
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
