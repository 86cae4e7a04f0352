package jwt

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// TestUnfitKeys: one change makes a good key unfit.
func TestUnfitKeys(t *testing.T) {
	rs, es, ed := newSigner(t, "k", "RS256", "RSA 2048"), newSigner(t, "k", "ES256", "P-256"), newSigner(t, "k", "EdDSA", "Ed25519")
	p384 := newSigner(t, "k", "ES384", "P-384").jwk("")
	n := rs.private.Public().(*rsa.PublicKey).N
	sized := func(bits uint) string { return b64(new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1).Bytes()) }
	for _, c := range []struct {
		of    *signer
		name  string
		value any // nil leaves it out
		want  string
	}{
		{rs, "kid", nil, "no kid"}, {rs, "kid", "", "no kid"}, {rs, "kid", 1, "no kid"}, {rs, "kid", strings.Repeat("k", 257), "no kid"},
		{rs, "use", "enc", "not for signatures"}, {rs, "use", 1, "not for signatures"},
		{rs, "key_ops", []string{"sign"}, "not for verifying"}, {rs, "key_ops", "verify", "not for verifying"}, {rs, "key_ops", []any{}, "not for verifying"},
		{rs, "d", "AQAB", "private part"},
		{rs, "kty", nil, "kty is none of"}, {rs, "kty", "oct", "kty is none of"}, {rs, "kty", "rsa", "kty is none of"}, {rs, "kty", []string{"RSA"}, "kty is none of"},
		{rs, "kty", "EC", "crv is none of"}, {es, "kty", "RSA", `"n" is missing`}, {es, "kty", "OKP", "crv is not Ed25519"},
		{rs, "alg", "none", "none that a RSA 2048 key"}, {rs, "alg", "HS256", "none that a RSA 2048 key"}, {rs, "alg", "ES256", "none that a RSA 2048 key"}, {rs, "alg", "RSA-OAEP", "none that a"}, {rs, "alg", 1, "alg is not a string"},
		{es, "alg", "ES384", "none that a P-256 key"}, {ed, "alg", "ES256", "none that a Ed25519 key"},
		{rs, "n", nil, `"n" is missing`}, {rs, "n", "", `"n" is missing`}, {rs, "n", 7, `"n" is missing`}, {rs, "n", b64(n.Bytes()) + "=", `"n" is not base64url`}, {rs, "n", "ab\ncd", `"n" is missing or not base64url`},
		{rs, "n", b64(new(big.Int).Add(n, big.NewInt(1)).Bytes()), "odd number"}, {rs, "n", sized(512), "has 512 bits"}, {rs, "n", sized(1024), "has 1024 bits"}, {rs, "n", sized(2047), "has 2047 bits"}, {rs, "n", sized(8193), "has 8193 bits"}, {rs, "n", sized(100_000), "has 100000 bits"},
		{rs, "e", nil, `"e" is missing`}, {rs, "e", "AQ", "exponent"}, {rs, "e", "AA", "exponent"}, {rs, "e", "Ag", "exponent"}, {rs, "e", "AQAA", "exponent"}, {rs, "e", "gAAAAQ", "exponent"}, {rs, "e", strings.Repeat("_", 100), "exponent"},
		{es, "crv", "P-224", "crv is none of"}, {es, "crv", "secp256k1", "crv is none of"}, {es, "crv", nil, "crv is none of"}, {es, "crv", "P-384", "has 32 bytes, not 48"}, {ed, "crv", "X25519", "crv is not Ed25519"}, {ed, "crv", "Ed448", "crv is not Ed25519"},
		{es, "x", nil, `"x" is missing`}, {es, "y", nil, `"y" is missing`}, {es, "x", b64(make([]byte, 31)), "has 31 bytes, not 32"}, {es, "x", b64(make([]byte, 33)), "has 33 bytes, not 32"},
		{es, "x", b64(make([]byte, 32)), "not on P-256"}, {es, "y", b64([]byte(strings.Repeat("\xff", 32))), "not on P-256"}, {es, "x", es.jwk("")["y"], "not on P-256"}, {es, "x", p384["x"], "has 48 bytes"},
		{ed, "x", b64(make([]byte, 31)), "has 31 bytes, not 32"},
	} {
		m := c.of.jwk("")
		if m[c.name] = c.value; c.value == nil {
			delete(m, c.name)
		}
		text, err := json.Marshal(map[string]any{"keys": []any{m}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := readKeySet(string(text))
		if err != nil || len(s.keys) != 0 || len(s.unfit) != 1 || !strings.Contains(s.unfit[0], c.want) {
			t.Errorf("%s %v: %+v, %v, want %q", c.name, c.value, s, err, c.want)
		}
	}
}

func TestFitKeys(t *testing.T) {
	rs := newSigner(t, "k", "RS256", "RSA 2048")
	for name, value := range map[string]any{
		"use": "sig", "key_ops": []string{"sign", "verify"}, "alg": "PS512", "x5c": []string{"MII"}, "x5u": "https://evil.example", "extra": map[string]any{"a": 1}, "e": "Aw", "issuer": "x",
	} {
		m := rs.jwk("")
		m[name] = value
		text, err := json.Marshal(map[string]any{"keys": []any{m}, "more": []any{1}})
		if err != nil {
			t.Fatal(err)
		}
		if s, err := readKeySet(string(text)); err != nil || s.keys["k"] == nil {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	large := rs.jwk("")
	large["n"] = b64(new(big.Int).SetBit(big.NewInt(1), maxRSABits-1, 1).Bytes())
	text, _ := json.Marshal(map[string]any{"keys": []any{large}})
	if s, err := readKeySet(string(text)); err != nil || s.keys["k"] == nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestKeySetBounds(t *testing.T) {
	es := newSigner(t, "k", "ES256", "P-256")
	jwk, err := json.Marshal(es.jwk("ES256"))
	if err != nil {
		t.Fatal(err)
	}
	list := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, strings.Replace(string(jwk), `"k"`, fmt.Sprintf(`"k%d"`, i), 1))
		}
		return `{"keys":[` + strings.Join(all, ",") + `]}`
	}
	if s, err := readKeySet(list(maxKeys)); err != nil || len(s.keys) != maxKeys {
		t.Error(err)
	}
	if _, err := readKeySet(list(maxKeys + 1)); err == nil {
		t.Error("a key too many")
	}
	if _, err := readKeySet(list(1) + strings.Repeat(" ", maxKeySet)); err == nil {
		t.Error("a byte too many")
	}
	// Of two keys with one kid, the first counts.
	stranger, err := json.Marshal(newSigner(t, "k", "ES256", "P-256 stranger").jwk("ES256"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := readKeySet(fmt.Sprintf(`{"keys":[%s,%s]}`, jwk, stranger))
	if err != nil || len(s.keys) != 1 || len(s.unfit) != 1 || !strings.Contains(s.unfit[0], "the same kid") {
		t.Errorf("%+v, %v", s, err)
	}
	if s.keys["k"].material != mustSet(t, string(jwk)).keys["k"].material {
		t.Error("the second counts")
	}
}

func mustSet(t *testing.T, jwk string) *keySet {
	t.Helper()
	s, err := readKeySet(`{"keys":[` + jwk + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
