// Package testpki makes authorities, certificates and revocation lists for tests,
// good and bad ones. For tests alone.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Identity is a certificate with its key.
type Identity struct {
	Cert *x509.Certificate
	Key  crypto.Signer

	issuer *Identity // nil for a self-signed one
}

// Template is what an edit changes before a certificate is made.
type Template struct {
	*x509.Certificate
	Key crypto.Signer
}

// Edit changes a certificate before it is made.
type Edit func(*Template)

// NewCA makes an authority that nobody has certified, good for a day.
func NewCA(t testing.TB, name string, edits ...Edit) *Identity {
	t.Helper()
	return makeIdentity(t, nil, name, append([]Edit{authority}, edits...))
}

// Sub makes an authority that another has certified.
func (id *Identity) Sub(t testing.TB, name string, edits ...Edit) *Identity {
	t.Helper()
	return makeIdentity(t, id, name, append([]Edit{authority}, edits...))
}

// Client makes a client that the authority has certified.
func (id *Identity) Client(t testing.TB, name string, edits ...Edit) *Identity {
	t.Helper()
	return makeIdentity(t, id, name, edits)
}

// SelfSigned makes a client that nobody has certified.
func SelfSigned(t testing.TB, name string, edits ...Edit) *Identity {
	t.Helper()
	return makeIdentity(t, nil, name, edits)
}

// authority makes an authority of a client.
func authority(c *Template) {
	c.IsCA = true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	c.ExtKeyUsage = nil
}

func makeIdentity(t testing.TB, ca *Identity, name string, edits []Edit) *Identity {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &Template{&x509.Certificate{
		SerialNumber: serial.SetBit(serial, 126, 1), Subject: pkix.Name{Organization: []string{"Example Corp"}, CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, key}
	for _, edit := range edits {
		edit(template)
	}
	parent, signer := template.Certificate, template.Key
	if ca != nil {
		parent, signer = ca.Cert, ca.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, template.Certificate, parent, template.Key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Identity{cert, template.Key, ca}
}

// Valid has a certificate be good between two times.
func Valid(from, to time.Time) Edit {
	return func(c *Template) { c.NotBefore, c.NotAfter = from, to }
}

// Usage has a certificate be good for some purposes alone.
func Usage(u ...x509.ExtKeyUsage) Edit {
	return func(c *Template) { c.ExtKeyUsage = u }
}

// Chain returns the certificate and those of the authorities above it, but for
// the self-signed one.
func (id *Identity) Chain() (chain []*x509.Certificate) {
	for at := id; at != nil && (at == id || at.issuer != nil); at = at.issuer {
		chain = append(chain, at.Cert)
	}
	return chain
}

// TLS is the identity for a client that presents some certificates, its own
// first; without any it presents its chain.
func (id *Identity) TLS(present ...*x509.Certificate) tls.Certificate {
	if present == nil {
		present = id.Chain()
	}
	c := tls.Certificate{PrivateKey: id.Key}
	for _, cert := range present {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return c
}

// Write writes the chain and the key to files in dir, and returns their names.
func (id *Identity) Write(t testing.TB, dir, name string) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	WriteFile(t, cert, PEM(id.Chain()...))
	WriteFile(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return cert, key
}

// WriteFile replaces a file at once, and leaves it to who had it, as careful tools do.
func WriteFile(t testing.TB, name string, content []byte) {
	t.Helper()
	temporary := name + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if before, err := os.Stat(name); err == nil {
		owner := before.Sys().(*syscall.Stat_t)
		if err := os.Chown(temporary, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(temporary, name); err != nil {
		t.Fatal(err)
	}
}

// PEM returns certificates in PEM form.
func PEM(certs ...*x509.Certificate) (text []byte) {
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

// Roots returns the certificates of identities.
func Roots(of ...*Identity) (certs []*x509.Certificate) {
	for _, i := range of {
		certs = append(certs, i.Cert)
	}
	return certs
}

// CRL makes a revocation list of the authority in PEM form, good from an hour ago
// until next, that revokes some certificates.
func (id *Identity) CRL(t testing.TB, next time.Time, revoked ...*Identity) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: next}
	if !next.After(template.ThisUpdate) {
		template.ThisUpdate = next.Add(-time.Hour)
	}
	for _, r := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: r.Cert.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)})
	}
	return id.SignCRL(t, template)
}

// SignCRL signs a revocation list, and returns it in PEM form.
func (id *Identity) SignCRL(t testing.TB, template *x509.RevocationList) []byte {
	t.Helper()
	der, err := x509.CreateRevocationList(rand.Reader, template, id.Cert, id.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
