package truststore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// minRSA is the shortest RSA key, in bits.
const minRSA = 2048

// weakness returns what keeps a certificate from being used: its key, or how it
// is signed.
func weakness(c *x509.Certificate) error {
	if err := weakKey(c); err != nil {
		return err
	}
	return weakSignature(c.SignatureAlgorithm)
}

func weakKey(c *x509.Certificate) error {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return fmt.Errorf("has an RSA key of %d bits, less than %d", bits, minRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
		return fmt.Errorf("has a key on the curve %s, which is neither P-256 nor P-384", key.Curve.Params().Name)
	}
	return fmt.Errorf("has a key of type %s, which is neither RSA nor ECDSA", c.PublicKeyAlgorithm)
}

func weakSignature(a x509.SignatureAlgorithm) error {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return nil
	}
	return fmt.Errorf("is signed with %s, which is not RSA or ECDSA with SHA-256 or stronger", a)
}

// isAuthority reports whether a certificate may certify others (RFC 5280 section
// 4.2.1.9). Those of version 1 cannot say so.
func isAuthority(c *x509.Certificate) bool {
	return c.Version < 3 || c.BasicConstraintsValid && c.IsCA
}
