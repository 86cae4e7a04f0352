package jwt

import (
	"crypto/rsa"

	jose "github.com/golang-jwt/jwt/v5"
)

// algorithm is a way to sign: its name in JOSE, and who verifies it.
type algorithm struct {
	name string
	jose.SigningMethod
}

// The algorithms that tokens may be signed with (RFC 7518 section 3, RFC 8037,
// RFC 9864), by the keys that allow them. AWS has the first three alone.
var (
	rsaAlgorithms = []algorithm{
		{"RS256", jose.SigningMethodRS256}, {"RS384", jose.SigningMethodRS384}, {"RS512", jose.SigningMethodRS512},
		{"PS256", pss(jose.SigningMethodPS256)}, {"PS384", pss(jose.SigningMethodPS384)}, {"PS512", pss(jose.SigningMethodPS512)},
	}
	p256Algorithms    = []algorithm{{"ES256", jose.SigningMethodES256}}
	p384Algorithms    = []algorithm{{"ES384", jose.SigningMethodES384}}
	p521Algorithms    = []algorithm{{"ES512", jose.SigningMethodES512}}
	ed25519Algorithms = []algorithm{{"EdDSA", jose.SigningMethodEdDSA}, {"Ed25519", jose.SigningMethodEdDSA}}
)

// pss verifies with a salt as long as the hash, as RFC 7518 section 3.5 demands;
// the library's own methods take any length.
func pss(m *jose.SigningMethodRSAPSS) *jose.SigningMethodRSAPSS {
	return &jose.SigningMethodRSAPSS{
		SigningMethodRSA: m.SigningMethodRSA,
		Options:          &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash},
	}
}

// supported reports whether any key can allow an algorithm.
func supported(name string) bool {
	for _, all := range [][]algorithm{rsaAlgorithms, p256Algorithms, p384Algorithms, p521Algorithms, ed25519Algorithms} {
		for i := range all {
			if all[i].name == name {
				return true
			}
		}
	}
	return false
}
