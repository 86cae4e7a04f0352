package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
)

// Sizes of RSA keys in bits. Smaller ones can be broken (RFC 7518 section 3.3);
// larger ones cost whoever verifies.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// maxKeyID bounds a kid, in bytes.
const maxKeyID = 256

// key is a public key of an issuer.
type key struct {
	id         string
	algorithms []algorithm // that it may be used with
	public     any         // as jose.SigningMethod.Verify takes it
	name       string      // for people: "RSA 2048", "P-256"
	material   string      // tells keys with the same id apart

	// revoked is set when the issuer no longer publishes the key. Whatever it has
	// signed is worth nothing from then on.
	revoked atomic.Bool
}

// algorithm returns the algorithm with a name if the key allows it, else nil.
func (k *key) algorithm(name string) *algorithm {
	for i := range k.algorithms {
		if k.algorithms[i].name == name {
			return &k.algorithms[i]
		}
	}
	return nil
}

// base64url is RFC 7515's: no padding, no bits left over. The decoder skips line
// breaks, so what it decodes has to be free of them.
var base64url = base64.RawURLEncoding.Strict()

// members are those of a JSON object, by name.
type members []member

// get returns a member's value, of kind 0 if there is none.
func (m members) get(name string) value {
	for i := range m {
		if m[i].name == name {
			return m[i].value
		}
	}
	return value{}
}

// text returns a member that is a string or missing, and whether it is that.
func (m members) text(name string) (string, bool) {
	v := m.get(name)
	return v.text, v.kind == 0 || v.kind == isString
}

// bytes returns what a member holds in base64url.
func (m members) bytes(name string) ([]byte, error) {
	v := m.get(name)
	if v.kind != isString || v.text == "" || strings.ContainsAny(v.text, "\r\n") {
		return nil, fmt.Errorf("%q is missing or not base64url", name)
	}
	b, err := base64url.DecodeString(v.text)
	if err != nil {
		return nil, fmt.Errorf("%q is not base64url", name)
	}
	return b, nil
}

// readKey reads a JWK (RFC 7517) that tokens can be verified with. Anything that
// points elsewhere for the key (x5u, x5c) is ignored.
func readKey(m members) (*key, error) {
	k := &key{}
	var ok bool
	if k.id, ok = m.text("kid"); !ok || k.id == "" || len(k.id) > maxKeyID {
		return nil, fmt.Errorf("it has no kid of at most %d bytes", maxKeyID)
	}
	if use, ok := m.text("use"); !ok || use != "" && use != "sig" {
		return k, errors.New("it is not for signatures (use)")
	}
	if ops := m.get("key_ops"); ops.kind != 0 && !contains(ops, "verify") {
		return k, errors.New("it is not for verifying (key_ops)")
	}
	if m.get("d").kind != 0 {
		return k, errors.New("its private part is published")
	}
	var err error
	switch m.get("kty").text {
	case "RSA":
		err = k.readRSA(m)
	case "EC":
		err = k.readEC(m)
	case "OKP":
		err = k.readOKP(m)
	default:
		return k, errors.New("its kty is none of RSA, EC and OKP")
	}
	if err != nil {
		return k, err
	}
	alg, ok := m.text("alg")
	if !ok {
		return k, errors.New("its alg is not a string")
	}
	if alg != "" {
		only := k.algorithm(alg)
		if only == nil {
			return k, fmt.Errorf("its alg is none that a %s key can verify here", k.name)
		}
		k.algorithms = []algorithm{*only}
	}
	k.material += " " + alg
	return k, nil
}

// contains reports whether an array of a JWK has a string in it.
func contains(list value, text string) bool {
	if list.kind != isArray {
		return false
	}
	for _, item := range readItems(list.text, nil) {
		if item.kind == isString && item.text == text {
			return true
		}
	}
	return false
}

func (k *key) readRSA(m members) error {
	modulus, err := m.bytes("n")
	if err != nil {
		return err
	}
	exponent, err := m.bytes("e")
	if err != nil {
		return err
	}
	n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
	if bits := n.BitLen(); bits < minRSABits || bits > maxRSABits || n.Bit(0) == 0 {
		return fmt.Errorf("its RSA modulus has %d bits: write an odd number of %d to %d", bits, minRSABits, maxRSABits)
	}
	if e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 { // as crypto/rsa demands
		return errors.New("its RSA exponent is not an odd number from 3 to 2147483647")
	}
	k.public = &rsa.PublicKey{N: n, E: int(e.Int64())}
	k.algorithms, k.name, k.material = rsaAlgorithms, fmt.Sprintf("RSA %d", n.BitLen()), fmt.Sprintf("RSA %x %x", n, e)
	return nil
}

func (k *key) readEC(m members) error {
	var curve elliptic.Curve
	switch m.get("crv").text {
	case "P-256":
		curve, k.algorithms = elliptic.P256(), p256Algorithms
	case "P-384":
		curve, k.algorithms = elliptic.P384(), p384Algorithms
	case "P-521":
		curve, k.algorithms = elliptic.P521(), p521Algorithms
	default:
		return errors.New("its crv is none of P-256, P-384 and P-521")
	}
	k.name = curve.Params().Name
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4} // uncompressed (SEC 1)
	for _, name := range []string{"x", "y"} {
		b, err := m.bytes(name)
		if err != nil {
			return err
		}
		if len(b) != size { // RFC 7518 section 6.2.1.2
			return fmt.Errorf("its %s has %d bytes, not %d", name, len(b), size)
		}
		point = append(point, b...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return fmt.Errorf("its point is not on %s", k.name)
	}
	k.public, k.material = public, fmt.Sprintf("%s %x", k.name, point)
	return nil
}

func (k *key) readOKP(m members) error {
	if m.get("crv").text != "Ed25519" {
		return errors.New("its crv is not Ed25519")
	}
	b, err := m.bytes("x")
	if err != nil {
		return err
	}
	if len(b) != ed25519.PublicKeySize {
		return fmt.Errorf("its x has %d bytes, not %d", len(b), ed25519.PublicKeySize)
	}
	k.public = ed25519.PublicKey(b)
	k.algorithms, k.name, k.material = ed25519Algorithms, "Ed25519", fmt.Sprintf("Ed25519 %x", b)
	return nil
}
