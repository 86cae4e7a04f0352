package jwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	jose "github.com/golang-jwt/jwt/v5"
)

// plain reports whether encoding/json reads text as one object in which nothing
// is doubtful: no repeated names, no lone surrogates, nothing beyond the bounds.
func plain(text string) bool {
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	type open struct {
		names map[string]bool // nil of a list
		key   bool            // a name is next
	}
	var stack []open
	for first := true; ; first = false {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil || first && token != json.Delim('{') {
			return false
		}
		if s, ok := token.(string); ok && strings.ContainsRune(s, utf8.RuneError) {
			return false // perhaps a lone surrogate
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].names != nil {
			top := &stack[n-1]
			if top.key = !top.key; top.key {
				name := token.(string)
				if top.names[name] || len(top.names) == maxMembers {
					return false
				}
				top.names[name] = true
				continue
			}
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, open{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, open{})
		}
		if len(stack) > maxDepth {
			return false
		}
	}
}

// FuzzJSON compares the reader with encoding/json.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":[true,null,{"c":"\u00e9\ud83d\ude00"}]}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a":"\ud800"}`, "\ufeff{}", `{"a":1e400}`, `{"a":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}`,
		`{"iss":"https://id.example","exp":1.9e9,"aud":["a","b"]}`, ` { "a" : "\"\\\/\b\f\n\r\t" } `,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _, ok := readObject(text, nil, nil)
		if !ok {
			if plain(text) {
				t.Fatalf("%q is refused", text)
			}
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &want); err != nil || len(want) != len(got) {
			t.Fatalf("%q is read as %v; %v", text, got, err)
		}
		for _, m := range got {
			raw, ok := want[m.name]
			if !ok {
				t.Fatalf("%q: member %q is invented", text, m.name)
			}
			if m.kind != isString {
				if m.text != string(raw) {
					t.Fatalf("%q: %q is %q, want %q", text, m.name, m.text, raw)
				}
				continue
			}
			var s string
			if err := json.Unmarshal(raw, &s); err != nil || s != m.text {
				t.Fatalf("%q: %q is %q, want %q", text, m.name, m.text, s)
			}
		}
		for _, m := range got {
			if m.kind == isArray {
				var items []json.RawMessage
				if err := json.Unmarshal([]byte(m.text), &items); err != nil || len(items) != len(readItems(m.text, nil)) {
					t.Fatalf("%q: %d items", m.text, len(items))
				}
			}
		}
	})
}

// FuzzToken: what passes is what the library's own parser lets pass.
func FuzzToken(f *testing.F) {
	es, ed := newSigner(f, "es", "ES256", "P-256"), newSigner(f, "ed", "EdDSA", "Ed25519")
	r := newRig(f, es, ed)
	for _, s := range []*signer{es, ed} {
		f.Add([]byte(s.token(f, r.claims())))
		f.Add([]byte(s.token(f, r.claims("aud", `["orders"]`, "scope", `"a b"`))))
	}
	f.Add([]byte("Bearer a.b.c"))
	f.Add([]byte("...."))
	library := jose.NewParser(jose.WithStrictDecoding(), jose.WithIssuer(r.idp.issuer), jose.WithAudience(audience), jose.WithoutClaimsValidation(), jose.WithValidMethods([]string{"ES256", "EdDSA"}))
	public := map[any]any{"es": es.private.Public(), "ed": ed.private.Public()}
	f.Fuzz(func(t *testing.T, token []byte) {
		before := bytes.Clone(token)
		got, claims := r.Check(token, Scopes{}, r.clock.now(), r.clock.wall())
		if !bytes.Equal(token, before) {
			t.Fatal("the token has changed")
		}
		if got == 0 || got >= results || (got == Valid) != (claims != nil) {
			t.Fatalf("result %d, %v", got, claims)
		}
		if again, _ := r.Check(token, Scopes{}, r.clock.now(), r.clock.wall()); again != got {
			t.Fatalf("result %d, then %d", got, again)
		}
		r.Authorizer.providerOf(token)
		if got != Valid {
			return
		}
		if _, err := library.Parse(string(token), func(t *jose.Token) (any, error) { return public[t.Header["kid"]], nil }); err != nil {
			t.Fatalf("%q passes: %v", token, err)
		}
	})
}

// FuzzClaims signs whatever comes, and compares what is made of it with what
// encoding/json reads.
func FuzzClaims(f *testing.F) {
	s := newSigner(f, "k", "EdDSA", "Ed25519")
	r := newRig(f, s)
	f.Add(s.header(), r.claims())
	f.Add(s.header(), r.claims("aud", `["a","orders"]`, "nbf", "1.5e9", "scp", `["x"]`))
	f.Add(`{"alg":"EdDSA","kid":"k","typ":"at+jwt"}`, r.claims("exp", "1e400"))
	f.Add(`{"alg":"none","kid":"k"}`, r.claims("aud", "", "client_id", `"orders"`))
	f.Fuzz(func(t *testing.T, header, payload string) {
		got, claims := r.Check([]byte(s.sign(t, header, payload)), Scopes{}, r.clock.now(), r.clock.wall())
		if got != Valid {
			return
		}
		var h struct{ Alg, Kid string }
		var c struct {
			Iss, Sub string
			Exp      float64
			Nbf, Iat *float64
			Aud      any
			ClientID string `json:"client_id"`
		}
		// Names without regard to case are encoding/json's own idea.
		if err := json.Unmarshal([]byte(header), &h); err != nil {
			t.Fatalf("header %q: %v", header, err)
		}
		all := map[string]any{}
		if err := json.Unmarshal([]byte(payload), &all); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("payload %q: %v", payload, err)
		}
		exact, err := json.Marshal(keep(all, "iss", "sub", "exp", "nbf", "iat", "aud", "client_id"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(exact, &c); err != nil {
			t.Fatalf("payload %q: %v", payload, err)
		}
		if c.Iss != r.idp.issuer || c.Sub != claims.Subject || c.Exp < epoch || c.Nbf != nil && *c.Nbf > epoch+skew+1 || c.Iat != nil && *c.Iat > epoch+skew+1 {
			t.Fatalf("payload %q passes", payload)
		}
		switch aud := c.Aud.(type) {
		case nil:
			if c.ClientID != audience {
				t.Fatalf("payload %q passes", payload)
			}
		case string:
			if aud != audience {
				t.Fatalf("payload %q passes", payload)
			}
		case []any:
			if !slices.Contains(aud, any(audience)) {
				t.Fatalf("payload %q passes", payload)
			}
		default:
			t.Fatalf("payload %q passes", payload)
		}
		for name, text := range claims.All() {
			if got, ok := claims.Get(name); !ok || got != text {
				t.Fatalf("claim %q", name)
			}
		}
	})
}

func keep(m map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	for _, name := range names {
		if v, ok := m[name]; ok {
			out[name] = v
		}
	}
	return out
}

// FuzzKeySet: the keys of whatever set can be used without harm.
func FuzzKeySet(f *testing.F) {
	for _, k := range [][2]string{{"RS256", "RSA 2048"}, {"ES256", "P-256"}, {"ES512", "P-521"}, {"EdDSA", "Ed25519"}} {
		jwk, err := json.Marshal(newSigner(f, "k", k[0], k[1]).jwk(k[0]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(fmt.Sprintf(`{"keys":[%s]}`, jwk))
	}
	f.Add(`{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQAB"},{"kty":"oct"},7,[],{"kid":"b","key_ops":["verify"]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readKeySet(text)
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) || len(s.keys)+len(s.unfit) != s.listed || s.listed > maxKeys {
			t.Fatalf("%q: %+v", text, s)
		}
		for id, k := range s.keys {
			if k.id != id || id == "" || len(k.algorithms) == 0 || k.material == "" {
				t.Fatalf("%+v", k)
			}
			switch p := k.public.(type) {
			case *rsa.PublicKey:
				if n := p.N.BitLen(); n < minRSABits || n > maxRSABits || p.E < 3 {
					t.Fatalf("%+v", p)
				}
			case *ecdsa.PublicKey:
				if _, err := p.ECDH(); err != nil {
					t.Fatal(err)
				}
			case ed25519.PublicKey:
			default:
				t.Fatalf("%T", p)
			}
			for _, alg := range k.algorithms {
				for _, size := range []int{0, 64, 96, 132, 256} {
					if alg.Verify("x", make([]byte, size), k.public) == nil && alg.name != "EdDSA" && alg.name != "Ed25519" {
						t.Fatal("zeros are a signature")
					}
				}
			}
		}
		again, err := readKeySet(text)
		if err != nil {
			t.Fatal(err)
		}
		keys := again.keys
		again.replace(s)
		for id, k := range s.keys {
			if keys[id] != k || k.revoked.Load() {
				t.Fatal("the same set revokes a key")
			}
		}
		(&keySet{}).replace(s)
		for _, k := range s.keys {
			if !k.revoked.Load() {
				t.Fatal("a key that is gone is not revoked")
			}
		}
	})
}
