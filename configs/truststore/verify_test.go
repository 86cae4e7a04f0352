package truststore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

// store makes a Store of authorities and lists.
func store(t testing.TB, authorities []*x509.Certificate, crls ...[]byte) *Store {
	t.Helper()
	files := Files{Truststore: "clients.pem"}
	for i := range crls {
		files.CRLs = append(files.CRLs, fmt.Sprintf("%c.crl", 'a'+i))
	}
	s, err := parse(files, testpki.PEM(authorities...), crls)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func key(t testing.TB, k crypto.Signer, err error) testpki.Edit {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return func(c *testpki.Template) { c.Key = k }
}

func curve(t testing.TB, c elliptic.Curve) testpki.Edit {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	return key(t, k, err)
}

func rsaKey(t testing.TB, bits int) testpki.Edit {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	return key(t, k, err)
}

// TestVerify: who is trusted by a store of one root.
func TestVerify(t *testing.T) {
	now := time.Now()
	root := testpki.NewCA(t, "root")
	rsaRoot := testpki.NewCA(t, "rsa root", rsaKey(t, 2048))
	other := testpki.NewCA(t, "other")
	middle := root.Sub(t, "middle")
	deep := middle.Sub(t, "second").Sub(t, "third")
	pinned := testpki.SelfSigned(t, "pinned")
	revoked := root.Client(t, "revoked")
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	s := store(t, testpki.Roots(root, rsaRoot, pinned), root.CRL(t, now.Add(time.Hour), revoked))

	first := func(i *testpki.Identity) []*x509.Certificate { return i.Chain()[:1] }
	for _, c := range []struct {
		name      string
		presented []*x509.Certificate
		want      string // in the error; empty for trust
	}{
		{"of the root", root.Client(t, "a").Chain(), ""},
		{"with P-384", root.Client(t, "a", curve(t, elliptic.P384())).Chain(), ""},
		{"with RSA", rsaRoot.Client(t, "a", rsaKey(t, 2048)).Chain(), ""},
		{"signed with PSS", rsaRoot.Client(t, "a", func(c *testpki.Template) { c.SignatureAlgorithm = x509.SHA384WithRSAPSS }).Chain(), ""},
		{"of an authority between", middle.Client(t, "a").Chain(), ""},
		{"with the root as well", append(middle.Client(t, "a").Chain(), root.Cert), ""},
		{"in the wrong order", []*x509.Certificate{deep.Client(t, "a").Cert, root.Cert}, "unknown authority"},
		{"four authorities", deep.Client(t, "a").Chain(), ""},
		{"five authorities", deep.Sub(t, "fourth").Client(t, "a").Chain(), "5 authorities stand above its certificate, more than 4"},
		{"without usages", root.Client(t, "a", testpki.Usage()).Chain(), ""},
		{"for any usage", root.Client(t, "a", testpki.Usage(x509.ExtKeyUsageAny)).Chain(), ""},
		{"for clients and servers", root.Client(t, "a", testpki.Usage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)).Chain(), ""},
		{"in the store itself", first(pinned), ""},

		{"none", nil, "no certificate"},
		{"of another authority", other.Client(t, "a").Chain(), "unknown authority"},
		{"of another with the same name", testpki.NewCA(t, "root").Client(t, "a").Chain(), "unknown authority"},
		{"self-signed", first(testpki.SelfSigned(t, "a")), "unknown authority"},
		{"expired", root.Client(t, "a", testpki.Valid(now.Add(-2*time.Hour), now.Add(-time.Hour))).Chain(), "expired"},
		{"not valid yet", root.Client(t, "a", testpki.Valid(now.Add(time.Hour), now.Add(2*time.Hour))).Chain(), "not yet valid"},
		{"revoked", revoked.Chain(), `the certificate of "O=Example Corp,CN=revoked" is revoked by a.crl:1`},
		{"without the one between", first(middle.Client(t, "a")), "unknown authority"},
		{"of a client", root.Client(t, "b").Client(t, "a").Chain(), "unknown authority"},
		{"of a pinned client", append(first(pinned.Client(t, "a")), pinned.Cert), "unknown authority"},
		{"for servers", root.Client(t, "a", testpki.Usage(x509.ExtKeyUsageServerAuth)).Chain(), "incompatible key usage"},
		{"below one for servers", root.Sub(t, "b", testpki.Usage(x509.ExtKeyUsageServerAuth)).Client(t, "a").Chain(), "incompatible key usage"},
		{"an authority", middle.Chain(), "is not for signatures"},
		{"the root", first(root), "is not for signatures"},
		{"short RSA", rsaRoot.Client(t, "a", rsaKey(t, 1024)).Chain(), "its certificate has an RSA key of 1024 bits"},
		{"P-521", root.Client(t, "a", curve(t, elliptic.P521())).Chain(), "curve P-521"},
		{"P-224", root.Client(t, "a", curve(t, elliptic.P224())).Chain(), "curve P-224"},
		{"Ed25519", root.Client(t, "a", key(t, ed, err)).Chain(), "type Ed25519"},
		{"SHA-1", root.Client(t, "a", func(c *testpki.Template) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }).Chain(), "SHA1"},
		{"weak between", root.Sub(t, "b", curve(t, elliptic.P521())).Client(t, "a").Chain(), "unknown authority"},
		{"expired between", root.Sub(t, "b", testpki.Valid(now.Add(-2*time.Hour), now.Add(-time.Hour))).Client(t, "a").Chain(), "expired"},
		{"too many", append(root.Client(t, "a").Chain(), make([]*x509.Certificate, maxPresented)...), "more than 8"},
		{"a critical extension", root.Client(t, "a", critical).Chain(), "unhandled critical extension"},
	} {
		until, err := s.Verify(c.presented, now)
		switch {
		case c.want == "" && (err != nil || !until.After(now)):
			t.Errorf("%s: until %s, %v", c.name, until, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestUntil: trust ends with the first certificate that expires, or with a list.
func TestUntil(t *testing.T) {
	now := time.Now()
	at := func(hours int) time.Time {
		return now.Add(time.Duration(hours) * time.Hour).Truncate(time.Second).UTC()
	}
	root := testpki.NewCA(t, "root", testpki.Valid(at(-1), at(50)))
	middle := root.Sub(t, "middle", testpki.Valid(at(-1), at(40)))
	client := middle.Client(t, "client", testpki.Valid(at(-1), at(60)))
	short := middle.Client(t, "short", testpki.Valid(at(-1), at(20)))
	plain := store(t, testpki.Roots(root))
	listed := store(t, testpki.Roots(root, middle), middle.CRL(t, at(30)))
	for _, c := range []struct {
		name   string
		s      *Store
		client *testpki.Identity
		want   time.Time
	}{
		{"authority between", plain, client, at(40)},
		{"client", plain, short, at(20)},
		{"list", listed, client, at(30)},
		{"client before list", listed, short, at(20)},
		{"anchor of two", store(t, testpki.Roots(root, testpki.NewCA(t, "other"))), root.Client(t, "c", testpki.Valid(at(-1), at(70))), at(50)},
	} {
		until, err := c.s.Verify(c.client.Chain(), now)
		if err != nil || !until.Equal(c.want) {
			t.Errorf("%s: %s, %v, want %s", c.name, until, err, c.want)
		}
	}
	for hours, want := range map[int]string{29: "", 31: "out of date", 41: "expired"} {
		if _, err := listed.Verify(client.Chain(), at(hours)); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("after %d hours: %v, want %q", hours, err, want)
		}
	}
}

func critical(c *testpki.Template) {
	c.ExtraExtensions = append(c.ExtraExtensions, extension(true, 1, 2, 3, 4))
}

func BenchmarkVerify(b *testing.B) {
	now := time.Now()
	root := testpki.NewCA(b, "root")
	authorities := testpki.Roots(root)
	for i := range 100 {
		authorities = append(authorities, testpki.NewCA(b, fmt.Sprint("other ", i)).Cert)
	}
	chain := root.Sub(b, "middle").Client(b, "client").Chain()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}
	for i := range 100_000 {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i) + 1), RevocationTime: now})
	}
	s := store(b, authorities, root.SignCRL(b, list))
	for b.Loop() {
		if _, err := s.Verify(chain, now); err != nil {
			b.Fatal(err)
		}
	}
}
