package jwt

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"

	jose "github.com/golang-jwt/jwt/v5"
)

// onAlgorithms have the token choose how it is verified.
func (l *attackList) onAlgorithms() {
	for _, alg := range []string{"none", "None", "nOnE", "NONE", "", " none", "es256", "ES256 ", "ES256K", "RSA-OAEP", "dir", "HS256", "RS1"} {
		l.add("alg "+alg+" without signature", Malformed, func(s *scene) string {
			return s.forged(fmt.Sprintf(`{"alg":%q,"kid":"es"}`, alg), s.r.claims(), none)
		})
		l.add("alg "+alg+" with a signature", WrongAlgorithm, func(s *scene) string {
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
			l.add(alg+" with "+form, WrongAlgorithm, func(s *scene) string {
				return s.forged(fmt.Sprintf(`{"alg":%q,"kid":"rs"}`, alg), s.r.claims(), mac(secret(s)))
			})
		}
	}
	l.add("HS256 with a published secret", WrongAlgorithm, func(s *scene) string {
		return s.forged(`{"alg":"HS256","kid":"oct"}`, s.r.claims(), mac([]byte("secret")))
	})
	l.add("ES256 named for an HMAC with the public key", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"ES256","kid":"es"}`, s.r.claims(), func(signed string) []byte {
			half := mac(publicPEM(s.t, s.es))(signed)
			return append(half, half...)
		})
	})
	for kid, alg := range map[string]string{"rs": "PS256", "ps": "RS256", "es": "RS256", "es384": "ES256", "ed": "ES256"} {
		l.add("the key of "+kid+" with "+alg, WrongAlgorithm, func(s *scene) string {
			return s.with(fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid))
		})
	}
	l.add("RS512 with a key for RS256", WrongAlgorithm, func(s *scene) string {
		signer := &signer{kid: "rs", alg: "RS512", private: s.rs.private, method: jose.SigningMethodRS512}
		return signer.token(s.t, s.r.claims())
	})
	l.add("a PSS signature that says RS256", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"RS256","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodPS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	l.add("an RS256 signature that says PS256", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"PS256","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodRS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	l.add("an RS256 signature that says RS384", BadSignature, func(s *scene) string {
		return s.forged(`{"alg":"RS384","kid":"any"}`, s.r.claims(), func(signed string) []byte {
			sig, err := jose.SigningMethodRS256.Sign(signed, s.any.private)
			if err != nil {
				s.t.Fatal(err)
			}
			return sig
		})
	})
	for name, salt := range map[string]int{"without salt": 0, "with a short salt": 8, "with the longest salt": rsa.PSSSaltLengthAuto} {
		l.add("PS256 "+name, BadSignature, func(s *scene) string {
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
}

// onKeyIDs have the token choose what it is verified with.
func (l *attackList) onKeyIDs() {
	for name, kid := range map[string]string{
		"a path": "../../../../dev/null", "SQL": "es' UNION SELECT 'secret", "a URL": "https://evil.example/keys.json", "a command": "es|id", "of another case": "ES",
		"with a space": "es ", "with NUL": "es\x00", "a wildcard": "*", "unpublished": "nobody", "of an off-curve key": "off", "of the zero point": "zero", "of an unfit key": "oct",
	} {
		l.add("kid "+name, UnknownKey, func(s *scene) string {
			text, err := json.Marshal(kid)
			if err != nil {
				s.t.Fatal(err)
			}
			return s.with(fmt.Sprintf(`{"alg":"ES256","kid":%s}`, text))
		})
	}
	l.add("kid huge", UnknownKey, func(s *scene) string { return s.with(`{"alg":"ES256","kid":"` + strings.Repeat("k", 5000) + `"}`) })
	l.header("kid absent", UnknownKey, `{'alg':'ES256'}`)
	l.header("kid empty", UnknownKey, `{'alg':'ES256','kid':''}`)
	l.header("kid null", Malformed, `{'alg':'ES256','kid':null}`)
	l.header("kid a number", Malformed, `{'alg':'ES256','kid':1}`)
	l.header("kid a list", Malformed, `{'alg':'ES256','kid':['es']}`)
	l.header("kid twice", Malformed, `{'alg':'ES256','kid':'nobody','kid':'es'}`)
	l.header("kid twice, once escaped", Malformed, `{'alg':'ES256','kid':'nobody','k\u0069d':'es'}`)
	l.header("Kid in place of kid", UnknownKey, `{'alg':'ES256','Kid':'es'}`)

	l.add("jwk of a stranger", BadSignature, func(s *scene) string {
		own, err := json.Marshal(s.stranger.jwk("ES256"))
		if err != nil {
			s.t.Fatal(err)
		}
		return s.stranger.sign(s.t, fmt.Sprintf(`{"alg":"ES256","kid":"es","jwk":%s}`, own), s.r.claims())
	})
	l.add("jwk of a stranger without kid", UnknownKey, func(s *scene) string {
		own, err := json.Marshal(s.stranger.jwk("ES256"))
		if err != nil {
			s.t.Fatal(err)
		}
		return s.stranger.sign(s.t, fmt.Sprintf(`{"alg":"ES256","jwk":%s}`, own), s.r.claims())
	})
	for name, field := range map[string]string{
		"jku": `"jku":"https://evil.example/keys"`, "x5u": `"x5u":"https://evil.example/chain.pem"`, "x5c": `"x5c":["MIIB"]`, "x5t": `"x5t":"abc"`,
	} {
		l.add(name+" of a stranger", BadSignature, func(s *scene) string {
			return s.stranger.sign(s.t, `{"alg":"ES256","kid":"es",`+field+`}`, s.r.claims())
		})
	}
	l.add("a stranger's signature", BadSignature, func(s *scene) string { return s.stranger.token(s.t, s.r.claims()) })
}
