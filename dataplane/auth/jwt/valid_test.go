package jwt

import (
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// TestValid: as many tokens as there are attacks, by algorithm, header and
// claims, which all pass at first and second sight.
func TestValid(t *testing.T) {
	var signers []*signer
	for _, k := range [][2]string{
		{"RS256", "RSA 2048"}, {"RS384", "RSA 2048 any"}, {"RS512", "RSA 2048 ps"}, {"PS256", "RSA 2048 ps"}, {"PS384", "RSA 2048"}, {"PS512", "RSA 2048 any"},
		{"ES256", "P-256"}, {"ES384", "P-384"}, {"ES512", "P-521"}, {"EdDSA", "Ed25519"},
	} {
		signers = append(signers, newSigner(t, "key "+k[0], k[0], k[1]))
	}
	r := newRig(t, signers...)
	count := 0
	pass := func(name, token string, scopes ...string) {
		t.Helper()
		count++
		for sight := range 2 {
			if got, claims := r.check(token, scopes...); got != Valid || claims == nil || claims.Issuer != r.idp.issuer {
				t.Errorf("%s: result %d at sight %d", name, got, sight+1)
			}
		}
	}

	claims := map[string]string{
		"plain":                   r.claims(),
		"aud a list":              r.claims("aud", `["others","orders"]`),
		"aud a list of one":       r.claims("aud", `["orders"]`),
		"client_id without aud":   r.claims("aud", "", "client_id", `"orders"`),
		"client_id of another":    r.claims("client_id", `"others"`),
		"exp in a second":         r.claims("exp", fmt.Sprint(epoch+1)),
		"exp with a fraction":     r.claims("exp", fmt.Sprintf("%d.5", epoch+60)),
		"exp with an exponent":    r.claims("exp", "1.90e+9"),
		"exp far away":            r.claims("exp", fmt.Sprint(maxDate)),
		"nbf now":                 r.claims("nbf", fmt.Sprint(epoch)),
		"nbf within the leeway":   r.claims("nbf", fmt.Sprint(epoch+skew)),
		"iat now":                 r.claims("iat", fmt.Sprint(epoch)),
		"iat within the leeway":   r.claims("iat", fmt.Sprint(epoch+skew)),
		"without iat":             r.claims("iat", ""),
		"sub empty":               r.claims("sub", `""`),
		"azp another":             r.claims("azp", `"others"`, "nonce", `"x"`),
		"without sub":             r.claims("sub", ""),
		"names escaped":           strings.Replace(r.claims(), `"aud"`, `"\u0061\u0075d"`, 1),
		"values escaped":          r.claims("aud", `"\u006frders"`, "name", `"\ud83d\ude00 \" \\ \/ \b\f\n\r\t"`),
		"UTF-8":                   r.claims("name", `"Zoë 😀"`),
		"space":                   " \t\r\n" + strings.NewReplacer(`":`, "\" :\t", `,"`, " ,\n\"").Replace(r.claims()) + "\n",
		"empty names and values":  r.claims("", `""`, "a", "[]", "b", "{}"),
		"all kinds of values":     r.claims("a", `[1,-0.5e-3,true,false,null,"x",{"y":[{}]}]`),
		"a name twice, elsewhere": r.claims("a", `{"sub":"x","iss":"y","a":{"a":1}}`, "b", `[{"c":1},{"c":2}]`),
		"nested deeply":           r.claims("deep", strings.Repeat("[", 15)+strings.Repeat("]", 15)),
	}
	for name, payload := range claims {
		for _, s := range signers {
			pass(s.alg+", "+name, s.token(t, payload))
		}
	}

	es := signers[6]
	for name, header := range map[string]string{
		"without typ":          `{"alg":"ES256","kid":"key ES256"}`,
		"typ at+jwt":           `{"typ":"at+jwt","alg":"ES256","kid":"key ES256"}`,
		"typ application":      `{"typ":"application/at+JWT","alg":"ES256","kid":"key ES256"}`,
		"typ jwt":              `{"typ":"jwt","alg":"ES256","kid":"key ES256"}`,
		"names escaped":        `{"\u0061lg":"ES256","k\u0069d":"key\u0020ES256"}`,
		"space":                "\n{ \"alg\" : \"ES256\" ,\t\"kid\":\"key ES256\" }\r\n",
		"a key comes along":    `{"alg":"ES256","kid":"key ES256","jku":"https://evil.example/","x5u":"https://evil.example/","x5c":["x"],"jwk":{"kty":"oct","k":"eA"},"x5t":"x"}`,
		"unknown header":       `{"alg":"ES256","kid":"key ES256","nonce":"x","exp":1,"iss":["x"]}`,
		"capitals are another": `{"alg":"ES256","kid":"key ES256","ALG":"none","Kid":"x","CRIT":["x"]}`,
	} {
		pass(name, es.sign(t, header, r.claims()))
	}

	// Either s signs: two texts, one meaning.
	token := es.token(t, r.claims())
	at := strings.LastIndexByte(token, '.')
	sig := es.signature(t, token[:at])
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(sig[32:]))
	s.FillBytes(sig[32:])
	pass("the other s", token[:at+1]+b64(sig))

	for name, c := range map[string]string{
		"scope":                   r.claims("scope", `"read write"`),
		"scope alone":             r.claims("scope", `"write"`),
		"scope with spaces":       r.claims("scope", `"  read  write "`),
		"scope a list":            r.claims("scope", `["read","write"]`),
		"scp a list":              r.claims("scp", `["write"]`),
		"scp a string":            r.claims("scp", `"read write"`),
		"scope goes before scp":   r.claims("scope", `"write"`, "scp", `["none"]`),
		"a list with other items": r.claims("scp", `[1,null,"write",{}]`),
	} {
		pass(name, es.token(t, c), "admin", "write")
	}
	pass("none asked for", es.token(t, r.claims("scope", "7")))

	pass("8 KiB", sized(&scene{t: t, r: r, es: es}, maxToken))
	t.Logf("%d tokens", count)
}

// Key ids are map keys and nothing else: an issuer may call its keys anything.
func TestKeyIDs(t *testing.T) {
	for _, kid := range []string{"../../../../dev/null", "x' OR '1'='1", "https://evil.example/keys.json", "ключ", "a b", " ", `"\`, "\x00", strings.Repeat("k", maxKeyID)} {
		s := newSigner(t, kid, "ES256", "P-256")
		r := newRig(t, s)
		text, err := json.Marshal(kid)
		if err != nil {
			t.Fatal(err)
		}
		r.expect(Valid, s.sign(t, fmt.Sprintf(`{"alg":"ES256","kid":%s}`, text), r.claims()))
	}
	long := newSigner(t, strings.Repeat("k", maxKeyID+1), "ES256", "P-256")
	r := newRig(t, long)
	r.expect(UnknownKey, long.token(t, r.claims()))
}

// A key without alg allows all algorithms of its kind, a key with one only that.
func TestKeyChoosesAlgorithm(t *testing.T) {
	for _, published := range []string{"", "RS256", "PS384"} {
		r := newRig(t)
		k := newSigner(t, "k", "RS256", "RSA 2048")
		r.idp.publishJWKs(k.jwk(published))
		r.load()
		for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
			want := WrongAlgorithm
			if published == "" || published == alg {
				want = Valid
			}
			r.expect(want, newSigner(t, "k", alg, "RSA 2048").token(t, r.claims()))
		}
	}
	r := newRig(t)
	ed := newSigner(t, "ed", "EdDSA", "Ed25519")
	r.idp.publishJWKs(ed.jwk(""))
	r.load()
	r.expect(Valid, ed.sign(t, `{"alg":"Ed25519","kid":"ed"}`, r.claims()))
}

func TestScopesRefused(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	r := newRig(t, s)
	for name, claims := range map[string]string{
		"another": r.claims("scope", `"read"`), "more in front": r.claims("scope", `"overwrite"`), "more behind": r.claims("scope", `"write:all"`),
		"another case": r.claims("scope", `"Write"`), "a comma": r.claims("scope", `"read,write"`), "a tab": r.claims("scope", `"read\twrite"`), "a wide space": r.claims("scope", `"read\u00a0write"`),
		"absent": r.claims(), "empty": r.claims("scope", `""`), "null": r.claims("scope", "null"), "a number": r.claims("scope", "1"), "an object": r.claims("scope", `{"write":true}`),
		"nested": r.claims("scp", `[["write"]]`), "in a list, with another": r.claims("scp", `["read write"]`), "scp where there is scope": r.claims("scope", `"read"`, "scp", `["write"]`),
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			token := s.token(t, claims)
			r.expect(WrongScope, token, "write")
			r.expect(WrongScope, token, "write", "admin")
			r.expect(Valid, token)
		})
	}
}
