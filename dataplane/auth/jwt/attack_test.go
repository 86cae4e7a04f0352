package jwt

import (
	"crypto"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
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

func attacks() []attack {
	var all []attack
	add := func(name string, want Result, make func(s *scene) string) {
		all = append(all, attack{name, want, make})
	}
	// with a header, in which ' stands for "
	header := func(name string, want Result, text string) {
		add(name, want, func(s *scene) string { return s.with(strings.ReplaceAll(text, "'", `"`)) })
	}
	claims := func(name string, want Result, changes ...string) {
		add(name, want, func(s *scene) string { return s.claiming(changes...) })
	}

	// Algorithms.
	for _, alg := range []string{"none", "None", "nOnE", "NONE", "", " none", "es256", "ES256 ", "ES256K", "RSA-OAEP", "dir", "HS256", "RS1"} {
		add("alg "+alg+" without signature", Malformed, func(s *scene) string {
			return s.forged(fmt.Sprintf(`{"alg":%q,"kid":"es"}`, alg), s.r.claims(), none)
		})
		add("alg "+alg+" with a signature", WrongAlgorithm, func(s *scene) string {
			return s.with(fmt.Sprintf(`{"alg":%q,"kid":"es"}`, alg))
		})
	}
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		for form, secret := range map[string]func(s *scene) []byte{
			"the public key's file": func(s *scene) []byte { return publicPEM(s.t, s.rs) },
			"its DER":               func(s *scene) []byte { return x509.MarshalPKCS1PublicKey(s.rs.private.Public().(*rsa.PublicKey)) },
			"its modulus":           func(s *scene) []byte { return s.rs.private.Public().(*rsa.PublicKey).N.Bytes() },
			"its JWK": func(s *scene) []byte {
				text, err := json.Marshal(s.rs.jwk("RS256"))
				if err != nil {
					s.t.Fatal(err)
				}
				return text
			},
			"nothing": func(*scene) []byte { return nil },
		} {
			add(alg+" with "+form, WrongAlgorithm, func(s *scene) string {
				return s.forged(fmt.Sprintf(`{"alg":%q,"kid":"rs"}`, alg), s.r.claims(), mac(secret(s)))
			})
		}
	}
	add("HS256 with a published secret", WrongAlgorithm, func(s *scene) string {
		return s.forged(`{"alg":"HS256","kid":"oct"}`, s.r.claims(), mac([]byte("secret")))
	})
	add("ES256 named for an HMAC with the public key", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"ES256","kid":"es"}`, s.r.claims(), func(signed string) []byte {
			half := mac(publicPEM(s.t, s.es))(signed)
			return append(half, half...)
		})
	})
	for kid, alg := range map[string]string{"rs": "PS256", "ps": "RS256", "es": "RS256", "es384": "ES256", "ed": "ES256"} {
		add("the key of "+kid+" with "+alg, WrongAlgorithm, func(s *scene) string {
			return s.with(fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid))
		})
	}
	add("RS512 with a key for RS256", WrongAlgorithm, func(s *scene) string {
		signer := &signer{kid: "rs", alg: "RS512", private: s.rs.private, method: jose.SigningMethodRS512}
		return signer.token(s.t, s.r.claims())
	})
	add("a PSS signature that says RS256", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"RS256","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodPS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	add("an RS256 signature that says PS256", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"PS256","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodRS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	add("an RS256 signature that says RS384", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"RS384","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodRS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	for name, salt := range map[string]int{"without salt": 0, "with a short salt": 8, "with the longest salt": rsa.PSSSaltLengthAuto} {
		add("PS256 "+name, BadSignature, func(s *scene) string {
			return s.forged(`{"alg":"PS256","kid":"ps"}`, s.r.claims(), func(signed string) []byte {
				sum := sha256.Sum256([]byte(signed))
				sig, err := rsa.SignPSS(rand.Reader, s.ps.private.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
				if name == "without salt" {
					sig, err = signWithoutSalt(s.ps.private.(*rsa.PrivateKey), sum[:])
				}
				if err != nil {
					s.t.Fatal(err)
				}
				return sig
			})
		})
	}

	// Key ids.
	for name, kid := range map[string]string{
		"a path": "../../../../dev/null", "SQL": "es' UNION SELECT 'secret", "a URL": "https://evil.example/keys.json", "a command": "es|id", "of another case": "ES",
		"with a space": "es ", "with NUL": "es\x00", "a wildcard": "*", "unpublished": "nobody", "of an off-curve key": "off", "of the zero point": "zero", "of an unfit key": "oct",
	} {
		add("kid "+name, UnknownKey, func(s *scene) string {
			text, err := json.Marshal(kid)
			if err != nil {
				s.t.Fatal(err)
			}
			return s.with(fmt.Sprintf(`{"alg":"ES256","kid":%s}`, text))
		})
	}
	add("kid huge", UnknownKey, func(s *scene) string { return s.with(`{"alg":"ES256","kid":"` + strings.Repeat("k", 5000) + `"}`) })
	header("kid absent", UnknownKey, `{'alg':'ES256'}`)
	header("kid empty", UnknownKey, `{'alg':'ES256','kid':''}`)
	header("kid null", Malformed, `{'alg':'ES256','kid':null}`)
	header("kid a number", Malformed, `{'alg':'ES256','kid':1}`)
	header("kid a list", Malformed, `{'alg':'ES256','kid':['es']}`)
	header("kid twice", Malformed, `{'alg':'ES256','kid':'nobody','kid':'es'}`)
	header("kid twice, once escaped", Malformed, `{'alg':'ES256','kid':'nobody','k\u0069d':'es'}`)
	header("Kid in place of kid", UnknownKey, `{'alg':'ES256','Kid':'es'}`)

	// Keys that come along.
	add("jwk of a stranger", BadSignature, func(s *scene) string {
		own, err := json.Marshal(s.stranger.jwk("ES256"))
		if err != nil {
			s.t.Fatal(err)
		}
		return s.stranger.sign(s.t, fmt.Sprintf(`{"alg":"ES256","kid":"es","jwk":%s}`, own), s.r.claims())
	})
	add("jwk of a stranger without kid", UnknownKey, func(s *scene) string {
		own, err := json.Marshal(s.stranger.jwk("ES256"))
		if err != nil {
			s.t.Fatal(err)
		}
		return s.stranger.sign(s.t, fmt.Sprintf(`{"alg":"ES256","jwk":%s}`, own), s.r.claims())
	})
	for name, field := range map[string]string{
		"jku": `"jku":"https://evil.example/keys"`, "x5u": `"x5u":"https://evil.example/chain.pem"`, "x5c": `"x5c":["MIIB"]`, "x5t": `"x5t":"abc"`,
	} {
		add(name+" of a stranger", BadSignature, func(s *scene) string {
			return s.stranger.sign(s.t, `{"alg":"ES256","kid":"es",`+field+`}`, s.r.claims())
		})
	}
	add("a stranger's signature", BadSignature, func(s *scene) string { return s.stranger.token(s.t, s.r.claims()) })

	// Headers.
	header("crit", Malformed, `{'alg':'ES256','kid':'es','crit':['exp'],'exp':1}`)
	header("crit empty", Malformed, `{'alg':'ES256','kid':'es','crit':[]}`)
	header("b64 false", Malformed, `{'alg':'ES256','kid':'es','b64':false,'crit':['b64']}`)
	header("b64 false without crit", Malformed, `{'alg':'ES256','kid':'es','b64':false}`)
	header("b64 true", Malformed, `{'alg':'ES256','kid':'es','b64':true}`)
	header("zip", Malformed, `{'alg':'ES256','kid':'es','zip':'DEF'}`)
	header("enc", Malformed, `{'alg':'ES256','kid':'es','enc':'A128GCM'}`)
	header("cty JWT", Malformed, `{'alg':'ES256','kid':'es','cty':'JWT'}`)
	header("typ logout+jwt", WrongUse, `{'alg':'ES256','kid':'es','typ':'logout+jwt'}`)
	header("typ application/dpop+JWT", WrongUse, `{'alg':'ES256','kid':'es','typ':'application/dpop+JWT'}`)
	header("typ a number", Malformed, `{'alg':'ES256','kid':'es','typ':1}`)
	header("alg twice", Malformed, `{'alg':'none','kid':'es','alg':'ES256'}`)
	header("alg twice, once escaped", Malformed, `{'alg':'ES256','kid':'es','\u0061lg':'none'}`)
	header("alg in capitals too", WrongAlgorithm, `{'ALG':'ES256','kid':'es'}`)
	header("alg a list", Malformed, `{'alg':['ES256'],'kid':'es'}`)
	header("alg null", Malformed, `{'alg':null,'kid':'es'}`)
	header("alg absent", WrongAlgorithm, `{'kid':'es'}`)
	header("header a list", Malformed, `[{'alg':'ES256','kid':'es'}]`)
	header("header a string", Malformed, `'{}'`)
	header("header with a comment", Malformed, `{'alg':'ES256',/* x */'kid':'es'}`)
	header("header with a comma too many", Malformed, `{'alg':'ES256','kid':'es',}`)
	header("header with more behind", Malformed, `{'alg':'ES256','kid':'es'}{}`)
	header("header with NUL behind", Malformed, "{'alg':'ES256','kid':'es'}\x00")
	header("header with BOM", Malformed, "\ufeff{'alg':'ES256','kid':'es'}")
	header("header in UTF-16", Malformed, "{\x00'\x00a\x00l\x00g\x00'\x00:\x00'\x00E\x00S\x002\x005\x006\x00'\x00}\x00")
	header("header not UTF-8", Malformed, "{'alg':'ES256','kid':'es','x':'\xff'}")
	header("header with a lone surrogate", Malformed, `{'alg':'ES256','kid':'es','x':'\ud800'}`)

	// The compact form.
	shape := func(name string, want Result, change func(token string) string) {
		add(name, want, func(s *scene) string { return change(s.good()) })
	}
	shape("a dot in front", NotThreeParts, func(t string) string { return "." + t })
	shape("a dot behind", NotThreeParts, func(t string) string { return t + "." })
	shape("thousands of dots", NotThreeParts, func(string) string { return strings.Repeat(".", 8000) })
	shape("two dots alone", Malformed, func(string) string { return ".." })
	shape("no dot", NotThreeParts, func(t string) string { return strings.ReplaceAll(t, ".", "") })
	shape("without payload", Malformed, func(t string) string { p := strings.Split(t, "."); return p[0] + ".." + p[2] })
	shape("without signature", Malformed, func(t string) string { return t[:strings.LastIndexByte(t, '.')+1] })
	shape("two parts", NotThreeParts, func(t string) string { return t[:strings.LastIndexByte(t, '.')] })
	shape("padding", Malformed, func(t string) string { return t + "==" })
	shape("padding of the payload", Malformed, func(t string) string { p := strings.Split(t, "."); return p[0] + "." + p[1] + "=." + p[2] })
	shape("a line break behind", Malformed, func(t string) string { return t + "\n" })
	shape("a line break within", Malformed, func(t string) string { return t[:40] + "\n" + t[40:] })
	shape("CR LF within the signature", Malformed, func(t string) string { return t[:len(t)-4] + "\r\n" + t[len(t)-4:] })
	shape("a space in front", Malformed, func(t string) string { return " " + t })
	shape("a tab behind", Malformed, func(t string) string { return t + "\t" })
	shape("a scheme left on", Malformed, func(t string) string { return "Bearer " + t })
	shape("two tokens", NotThreeParts, func(t string) string { return t + "," + t })
	shape("quotes", Malformed, func(t string) string { return `"` + t + `"` })
	shape("percent-encoded dots", NotThreeParts, func(t string) string { return strings.ReplaceAll(t, ".", "%2e") })
	shape("NUL behind", Malformed, func(t string) string { return t + "\x00" })
	shape("a byte above ASCII", Malformed, func(t string) string { return t + "\xc3" })
	shape("trailing bits in the signature", Malformed, func(t string) string { return flipTrailingBit(t) })
	add("trailing bits in the payload", Malformed, func(s *scene) string {
		for pad := ""; ; pad += " " { // until some bits are left over
			signed := b64([]byte(s.es.header())) + "." + b64([]byte(s.r.claims()+pad))
			if len(signed[strings.IndexByte(signed, '.')+1:])%4 != 0 {
				signed = flipTrailingBit(signed)
				return signed + "." + b64(s.es.signature(s.t, signed))
			}
		}
	})
	add("the alphabet with + and /", Malformed, func(s *scene) string {
		for {
			token := s.good()
			at := strings.LastIndexByte(token, '.')
			if sig := token[at:]; strings.ContainsAny(sig, "-_") {
				return token[:at] + strings.NewReplacer("-", "+", "_", "/").Replace(sig)
			}
		}
	})
	add("8 KiB and a byte", Malformed, func(s *scene) string { return sized(s, maxToken+1) })
	add("64 KiB", Malformed, func(s *scene) string { return sized(s, 64<<10) })
	shape("a JWE", NotThreeParts, func(t string) string {
		return b64([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rs"}`)) + "." + b64([]byte("key")) + "." + b64([]byte("iv")) + "." + b64([]byte(t)) + "." + b64([]byte("tag"))
	})
	add("a JWS in JSON", NotThreeParts, func(s *scene) string {
		p := strings.Split(s.good(), ".")
		return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, p[1], p[0], p[2])
	})
	add("a token in a token", Malformed, func(s *scene) string { return s.payload(s.good()) })
	add("a token as a string in a token", Malformed, func(s *scene) string { return s.payload(`"` + s.good() + `"`) })

	// Signatures.
	sig := func(name string, want Result, change func(s *scene, sig []byte) []byte) {
		add(name, want, func(s *scene) string { return s.resigned(func(b []byte) []byte { return change(s, b) }) })
	}
	sig("cut by a byte", BadSignature, func(_ *scene, b []byte) []byte { return b[:len(b)-1] })
	sig("cut to half", BadSignature, func(_ *scene, b []byte) []byte { return b[:len(b)/2] })
	sig("a byte more", BadSignature, func(_ *scene, b []byte) []byte { return append(b, 0) })
	sig("a zero in front", BadSignature, func(_ *scene, b []byte) []byte { return append([]byte{0}, b...) })
	sig("twice as long", BadSignature, func(_ *scene, b []byte) []byte { return append(b, b...) })
	sig("a bit flipped", BadSignature, func(_ *scene, b []byte) []byte { b[20] ^= 1; return b })
	sig("r and s exchanged", BadSignature, func(_ *scene, b []byte) []byte { return append(append([]byte{}, b[32:]...), b[:32]...) })
	sig("all zeros", BadSignature, func(_ *scene, b []byte) []byte { return make([]byte, len(b)) })
	sig("r zero", BadSignature, func(_ *scene, b []byte) []byte { return append(make([]byte, 32), b[32:]...) })
	sig("s zero", BadSignature, func(_ *scene, b []byte) []byte { return append(b[:32:32], make([]byte, 32)...) })
	sig("s the order of the curve", BadSignature, func(_ *scene, b []byte) []byte {
		return append(b[:32:32], elliptic.P256().Params().N.Bytes()...)
	})
	sig("r and s the order of the curve", BadSignature, func(*scene, []byte) []byte {
		n := elliptic.P256().Params().N.Bytes()
		return append(append([]byte{}, n...), n...)
	})
	sig("r larger than the order", BadSignature, func(_ *scene, b []byte) []byte {
		return append([]byte(strings.Repeat("\xff", 32)), b[32:]...)
	})
	sig("DER", BadSignature, func(s *scene, b []byte) []byte {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:])})
		if err != nil {
			s.t.Fatal(err)
		}
		return der
	})
	add("of other claims", BadSignature, func(s *scene) string {
		a, b := strings.Split(s.good(), "."), strings.Split(s.claiming("sub", `"admin"`), ".")
		return a[0] + "." + b[1] + "." + a[2]
	})
	add("of another header", BadSignature, func(s *scene) string {
		a, b := strings.Split(s.good(), "."), strings.Split(s.with(`{"kid":"es","alg":"ES256"}`), ".")
		return b[0] + "." + a[1] + "." + a[2]
	})
	add("over the text and not its base64url", BadSignature, func(s *scene) string {
		return s.forged(s.es.header(), s.r.claims(), func(string) []byte { return s.es.signature(s.t, s.es.header()+"."+s.r.claims()) })
	})
	add("an RSA signature with a byte more", BadSignature, func(s *scene) string {
		token := s.rs.token(s.t, s.r.claims())
		at := strings.LastIndexByte(token, '.')
		return token[:at+1] + b64(append(s.rs.signature(s.t, token[:at]), 0))
	})
	add("an RSA signature of zeros", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(string) []byte { return make([]byte, 256) })
	})
	add("an RSA signature of one", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(string) []byte { return append(make([]byte, 255), 1) })
	})
	add("an RSA signature plus the modulus", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(signed string) []byte {
			sum := new(big.Int).SetBytes(s.rs.signature(s.t, signed))
			sum.Add(sum, s.rs.private.Public().(*rsa.PublicKey).N)
			return sum.FillBytes(make([]byte, 257))
		})
	})
	add("an Ed25519 signature with s plus the order", BadSignature, func(s *scene) string {
		return s.forged(s.ed.header(), s.r.claims(), func(signed string) []byte {
			b := s.ed.signature(s.t, signed)
			order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
			little := make([]byte, 32)
			for i := range little {
				little[i] = b[63-i]
			}
			sum := new(big.Int).Add(new(big.Int).SetBytes(little), order).FillBytes(make([]byte, 32))
			for i := range sum {
				b[63-i] = sum[i]
			}
			return b
		})
	})
	for _, kid := range []string{"rsa512", "rsa1024", "e1"} {
		add("a published key that is weak: "+kid, UnknownKey, func(s *scene) string {
			return s.forged(fmt.Sprintf(`{"alg":"RS256","kid":%q}`, kid), s.r.claims(), s.weak[kid].sign)
		})
	}

	// Issuers.
	for name, change := range map[string]func(iss string) string{
		"with a slash": func(i string) string { return i + "/" }, "in capitals": strings.ToUpper, "a prefix": func(i string) string { return i[:len(i)-1] },
		"with more behind": func(i string) string { return i + ".evil.example" }, "with a query": func(i string) string { return i + "?" },
		"with a space": func(i string) string { return i + " " }, "with NUL": func(i string) string { return i + "\x00" },
		"of a user at it": func(i string) string { return i + "@evil.example" }, "over https": func(i string) string { return strings.Replace(i, "http:", "https:", 1) },
		"empty": func(string) string { return "" }, "another": func(string) string { return "https://evil.example" },
	} {
		add("iss "+name, WrongIssuer, func(s *scene) string {
			text, err := json.Marshal(change(s.r.idp.issuer))
			if err != nil {
				s.t.Fatal(err)
			}
			return s.claiming("iss", string(text))
		})
	}
	add("iss a list", WrongIssuer, func(s *scene) string { return s.claiming("iss", fmt.Sprintf("[%q]", s.r.idp.issuer)) })
	claims("iss null", WrongIssuer, "iss", "null")
	claims("iss absent", WrongIssuer, "iss", "")
	add("iss twice", Malformed, func(s *scene) string {
		return s.payload(strings.Replace(s.r.claims(), "{", `{"iss":"https://evil.example",`, 1))
	})
	add("iss in capitals too", WrongIssuer, func(s *scene) string {
		return s.payload(strings.Replace(s.r.claims(), `"iss"`, `"ISS"`, 1))
	})

	// Audiences.
	claims("aud another", WrongAudience, "aud", `"others"`)
	claims("aud with more behind", WrongAudience, "aud", `"orders2"`)
	claims("aud with more in front", WrongAudience, "aud", `"my-orders"`)
	claims("aud with a space", WrongAudience, "aud", `"orders "`)
	claims("aud two in one", WrongAudience, "aud", `"orders others"`)
	claims("aud of another case", WrongAudience, "aud", `"Orders"`)
	claims("aud empty", WrongAudience, "aud", `""`)
	claims("aud an empty list", WrongAudience, "aud", `[]`)
	claims("aud a list of others", WrongAudience, "aud", `["a","b"]`)
	claims("aud nested", WrongClaims, "aud", `[["orders"]]`)
	claims("aud an object", WrongClaims, "aud", `{"orders":true}`)
	claims("aud a number", WrongClaims, "aud", `7`)
	claims("aud null", WrongClaims, "aud", `null`)
	claims("aud true", WrongClaims, "aud", `true`)
	claims("aud with a number in it", WrongClaims, "aud", `["orders",7]`)
	claims("aud absent", WrongAudience, "aud", "")
	claims("aud another, client_id ours", WrongAudience, "aud", `"others"`, "client_id", `"orders"`)
	claims("aud an empty list, client_id ours", WrongAudience, "aud", `[]`, "client_id", `"orders"`)
	claims("client_id another", WrongAudience, "aud", "", "client_id", `"others"`)
	claims("client_id a list", WrongClaims, "aud", "", "client_id", `["orders"]`)
	claims("azp ours", WrongAudience, "aud", "", "azp", `"orders"`)

	// Times.
	for name, exp := range map[string]string{
		"a string": `"1900000000"`, "null": "null", "true": "true", "a list": "[1900000000]", "1e400": "1e400", "negative": "-1900000000", "too large": "99999999999999999999",
		"in milliseconds": "1900000000000", "the largest integer": "9223372036854775807", "over the largest": "9223372036854775808", "absent": "",
	} {
		claims("exp "+name, WrongClaims, "exp", exp)
	}
	for name, exp := range map[string]string{"hexadecimal": "0x7fffffff", "with a zero in front": "01900000000", "with a plus": "+1900000000", "NaN": "NaN", "Infinity": "Infinity", "without digits": "1."} {
		claims("exp "+name, Malformed, "exp", exp)
	}
	claims("exp twice", Malformed, "exp", `1900000000,"exp":1`)
	claims("expired by a second", Expired, "exp", fmt.Sprint(epoch-1))
	claims("expires now", Expired, "exp", fmt.Sprint(epoch))
	claims("expires within this second", Expired, "exp", fmt.Sprintf("%d.999", epoch))
	claims("expired years ago", Expired, "exp", "1")
	claims("exp zero", Expired, "exp", "0")
	claims("exp minus zero", Expired, "exp", "-0")
	claims("exp small", Expired, "exp", "1e-400")
	claims("nbf in a minute", NotYetValid, "nbf", fmt.Sprint(epoch+60))
	claims("nbf beyond the leeway", NotYetValid, "nbf", fmt.Sprint(epoch+skew+1))
	claims("nbf a string", WrongClaims, "nbf", `"1"`)
	claims("nbf 1e400", WrongClaims, "nbf", "1e400")
	claims("nbf null", WrongClaims, "nbf", "null")
	claims("iat in a minute", IssuedInFuture, "iat", fmt.Sprint(epoch+60))
	claims("iat beyond the leeway", IssuedInFuture, "iat", fmt.Sprint(epoch+skew+1))
	claims("iat a string", WrongClaims, "iat", `"1"`)
	claims("sub a number", WrongClaims, "sub", "1")
	claims("sub a list", WrongClaims, "sub", `["user-1"]`)

	// Payloads.
	add("payload a list", Malformed, func(s *scene) string { return s.payload("[" + s.r.claims() + "]") })
	add("payload empty object", WrongIssuer, func(s *scene) string { return s.payload("{}") })
	add("payload null", Malformed, func(s *scene) string { return s.payload("null") })
	add("payload with BOM", Malformed, func(s *scene) string { return s.payload("\ufeff" + s.r.claims()) })
	add("payload with NUL behind", Malformed, func(s *scene) string { return s.payload(s.r.claims() + "\x00") })
	add("payload with NUL in a name", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), `"sub`, "\"su\x00b", 1)) })
	add("payload with a comment", Malformed, func(s *scene) string { return s.payload(s.r.claims() + "// admin") })
	add("payload with two objects", Malformed, func(s *scene) string { return s.payload(s.r.claims() + s.r.claims()) })
	add("payload with single quotes", Malformed, func(s *scene) string { return s.payload(strings.ReplaceAll(s.r.claims(), `"`, "'")) })
	add("payload not UTF-8", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "us\xffer", 1)) })
	add("payload with an overlong slash", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "\xc0\xaf", 1)) })
	add("payload with a line break in a string", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "a\nb", 1)) })
	claims("sub twice", Malformed, "sub", `"a","sub":"b"`)
	claims("sub twice, once escaped", Malformed, "sub", `"a","s\u0075b":"b"`)
	claims("a name twice in a nested object", Malformed, "roles", `{"admin":false,"admin":true}`)
	claims("a name twice in a list of objects", Malformed, "roles", `[1,{"a":{"b":1,"\u0062":2}}]`)
	claims("a lone high surrogate", Malformed, "name", `"\ud83d"`)
	claims("a lone low surrogate", Malformed, "name", `"\ude00"`)
	claims("an unknown escape", Malformed, "name", `"\x41"`)
	claims("nested too deeply", Malformed, "deep", strings.Repeat("[", 16)+strings.Repeat("]", 16))
	claims("nested far too deeply", Malformed, "deep", strings.Repeat(`{"a":`, 900)+"1"+strings.Repeat("}", 900))
	claims("not closed", Malformed, "deep", strings.Repeat("[", 2000))
	add("too many claims", Malformed, func(s *scene) string {
		var b strings.Builder
		for i := range 252 {
			fmt.Fprintf(&b, `"c%d":1,`, i)
		}
		return s.payload("{" + b.String() + s.r.claims()[1:])
	})
	return all
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

// TestAttacks: none passes, neither at first nor at second sight.
func TestAttacks(t *testing.T) {
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
