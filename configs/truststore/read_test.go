package truststore

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

func extension(critical bool, id ...int) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: []byte{5, 0}}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	root := testpki.NewCA(t, "root")
	files := Files{Truststore: filepath.Join(dir, "clients.pem"), CRLs: []string{filepath.Join(dir, "pem.crl"), filepath.Join(dir, "der.crl")}}
	if _, err := Read(files); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), files.Truststore) {
		t.Errorf("nothing there: %v", err)
	}
	testpki.WriteFile(t, files.Truststore, append([]byte("The roots of Example Corp:\n"), testpki.PEM(root.Cert)...))
	if _, err := Read(files); err == nil || !strings.Contains(err.Error(), "pem.crl") {
		t.Errorf("no list there: %v", err)
	}
	list := root.CRL(t, time.Now().Add(time.Hour))
	block, _ := pem.Decode(list)
	testpki.WriteFile(t, files.CRLs[0], list)
	testpki.WriteFile(t, files.CRLs[1], block.Bytes)
	s, err := Read(files)
	if err != nil || len(s.entries) != 1 || len(s.lists) != 2 || len(s.Warnings(time.Now())) != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	again, err := Read(files)
	if err != nil || !s.Same(again) {
		t.Errorf("read again: %v", err)
	}
	testpki.WriteFile(t, files.CRLs[1], root.CRL(t, time.Now().Add(2*time.Hour)))
	if again, err = Read(files); err != nil || s.Same(again) {
		t.Errorf("read after a change: %v", err)
	}
}

// TestReadRefuses: errors say where and what.
func TestReadRefuses(t *testing.T) {
	now := time.Now()
	root, other := testpki.NewCA(t, "root"), testpki.NewCA(t, "other")
	weak := testpki.NewCA(t, "root")
	noCRLs := testpki.NewCA(t, "root", func(c *testpki.Template) { c.KeyUsage = x509.KeyUsageCertSign })
	good, list := string(testpki.PEM(root.Cert)), root.CRL(t, now.Add(time.Hour))
	point := func(p issuingDistributionPoint) []byte {
		value, err := asn1.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return root.SignCRL(t, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
			ExtraExtensions: []pkix.Extension{{Id: issuingPoint, Critical: true, Value: value}}})
	}
	with := func(e pkix.Extension) []byte {
		return root.SignCRL(t, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour), ExtraExtensions: []pkix.Extension{e}})
	}
	entryWith := func(e pkix.Extension) []byte {
		return root.SignCRL(t, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(7), RevocationTime: now, ExtraExtensions: []pkix.Extension{e}}}})
	}
	for name, c := range map[string]struct {
		authorities string
		crl         []byte
		want        string
	}{
		"empty":                  {"", nil, "clients.pem holds no certificate"},
		"comments alone":         {"# none yet\n", nil, "clients.pem holds no certificate"},
		"DER":                    {string(root.Cert.Raw), nil, "clients.pem holds no certificate"},
		"cut off":                {good + good[:100], nil, "clients.pem:" + lineAfter(good) + ": the PEM block that begins here is not whole"},
		"cut off before another": {"x\n" + good[:100] + "\n" + good, nil, "clients.pem:2: the PEM block that begins here is not whole"},
		"private key":            {good + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})), nil, `clients.pem:` + lineAfter(good) + `: a block of type "PRIVATE KEY"`},
		"not a certificate":      {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), nil, "clients.pem:1: not a certificate"},
		"too many":               {strings.Repeat(good, MaxCertificates+1), nil, "more than 1000 certificates"},

		"list of another authority":   {good, other.CRL(t, now.Add(time.Hour)), `a.crl:1: the list of "O=Example Corp,CN=other" has no use: put the certificate of its authority into the trust store`},
		"list with another's key":     {string(testpki.PEM(weak.Cert)), list, `is not signed by the authority at clients.pem:1`},
		"by one that may not":         {string(testpki.PEM(noCRLs.Cert)), list, `is not signed by the authority at clients.pem:1`},
		"not a list":                  {good, []byte("none"), "a.crl: not a revocation list of version 2"},
		"certificate for a list":      {good, []byte(good), `a.crl:1: a block of type "CERTIFICATE"`},
		"altered list":                {good, altered(list), "is not signed by"},
		"delta list":                  {good, with(pkix.Extension{Id: deltaIndicator, Critical: true, Value: []byte{2, 1, 1}}), "a delta list"},
		"indirect list":               {good, point(issuingDistributionPoint{Indirect: true}), "an indirect list"},
		"list of attributes":          {good, point(issuingDistributionPoint{OnlyAttributes: true}), "attribute certificates"},
		"list of some reasons":        {good, point(issuingDistributionPoint{OnlyReasons: asn1.BitString{Bytes: []byte{0x40}, BitLength: 2}}), "some reasons"},
		"list with a broken point":    {good, with(pkix.Extension{Id: issuingPoint, Critical: true, Value: []byte{1}}), "cannot be read"},
		"list with an unknown need":   {good, with(extension(true, 1, 2, 3)), "critical extension 1.2.3"},
		"entry with an unknown need":  {good, entryWith(extension(true, 1, 2, 3)), "extension 1.2.3"},
		"entry of another's":          {good, entryWith(extension(false, 2, 5, 29, 29)), "extension 2.5.29.29"},
		"list without a next update":  {good, endless(t, root), "does not say when the next one comes"},
		"list signed with weak means": {good, weakList(t, root), "SHA1"},
	} {
		files, crls := Files{Truststore: "dir/clients.pem"}, [][]byte(nil)
		if c.crl != nil {
			files.CRLs, crls = []string{"dir/a.crl"}, [][]byte{c.crl}
		}
		if _, err := parse(files, []byte(c.authorities), crls); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, p := range map[string]issuingDistributionPoint{"users": {OnlyUsers: true}, "authorities": {OnlyCAs: true}} {
		if _, err := parse(Files{"a", []string{"b"}}, []byte(good), [][]byte{point(p)}); err != nil {
			t.Errorf("a list of %s: %v", name, err)
		}
	}
	large := filepath.Join(t.TempDir(), "large.pem")
	testpki.WriteFile(t, large, bytes.Repeat([]byte("#"), maxTruststore+1))
	if _, err := Read(Files{Truststore: large}); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("a large file: %v", err)
	}
}

func lineAfter(text string) string { return big.NewInt(int64(strings.Count(text, "\n") + 1)).String() }

// altered changes a list behind its authority's back.
func altered(list []byte) []byte {
	block, _ := pem.Decode(list)
	block.Bytes[len(block.Bytes)-1] ^= 1
	return pem.EncodeToMemory(block)
}

// weakList is a list that says it is signed with SHA-1.
func weakList(t *testing.T, ca *testpki.Identity) []byte {
	t.Helper()
	return ca.SignCRL(t, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour), SignatureAlgorithm: x509.ECDSAWithSHA1})
}

// TestWarnings: what is wrong with a store that works all the same.
func TestWarnings(t *testing.T) {
	now := time.Now()
	root := testpki.NewCA(t, "root")
	revoked := root.Sub(t, "revoked")
	s := store(t, testpki.Roots(
		root, root, testpki.NewCA(t, "root"),
		testpki.NewCA(t, "old", testpki.Valid(now.Add(-2*time.Hour), now.Add(-time.Hour))),
		testpki.NewCA(t, "new", testpki.Valid(now.Add(time.Hour), now.Add(2*time.Hour))),
		testpki.NewCA(t, "weak", curve(t, elliptic.P521())),
		root.Client(t, "client"), revoked,
	), root.CRL(t, now.Add(time.Hour), revoked), root.CRL(t, now.Add(-time.Minute)))
	lines := strings.Count(string(testpki.PEM(root.Cert)), "\n")
	want := []string{
		"clients.pem:" + line(lines, 1) + `: the certificate of "O=Example Corp,CN=root" is at clients.pem:1 already`,
		`"O=Example Corp,CN=root" has the name of the one at clients.pem:1; both are trusted`,
		`"O=Example Corp,CN=old" has expired on `,
		`"O=Example Corp,CN=new" is not valid before `,
		`"O=Example Corp,CN=weak" has a key on the curve P-521, which is neither P-256 nor P-384: nobody is trusted by it`,
		`"O=Example Corp,CN=client" is not an authority: it is trusted as a client, and vouches for nobody`,
		`"O=Example Corp,CN=revoked" is revoked by a.crl:1: nobody is trusted by it`,
		`b.crl:1: the revocation list of "O=Example Corp,CN=root" is out of date since `,
	}
	got := s.Warnings(now)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("too many: %s", got[i])
		case !strings.Contains(got[i], want[i]):
			t.Errorf("%s\nwant %s", got[i], want[i])
		}
	}
	for name, c := range map[string]*testpki.Identity{
		"below a revoked authority":      revoked.Client(t, "a"),
		"while a list is out of date":    root.Client(t, "a"),
		"of an authority not yet in use": testpki.NewCA(t, "new").Client(t, "a"),
	} {
		if _, err := s.Verify(c.Chain(), now); err == nil {
			t.Errorf("%s: trusted", name)
		}
	}
	if got := s.Warnings(now.Add(90 * time.Minute)); strings.Contains(strings.Join(got, "\n"), "CN=new\" is not valid") {
		t.Errorf("an hour later: %q", got)
	}
}

func line(lines, blocks int) string { return big.NewInt(int64(lines*blocks + 1)).String() }

// TestPinnedAndRevoked: a client in the trust store is trusted for itself, unless
// its authority has revoked it.
func TestPinnedAndRevoked(t *testing.T) {
	now := time.Now()
	root := testpki.NewCA(t, "root")
	good, bad := root.Client(t, "good"), root.Client(t, "bad")
	s := store(t, testpki.Roots(root, good, bad), root.CRL(t, now.Add(time.Hour), bad))
	if _, err := s.Verify(good.Chain(), now); err != nil {
		t.Error(err)
	}
	if _, err := s.Verify(bad.Chain(), now); err == nil || !strings.Contains(err.Error(), "is revoked") {
		t.Errorf("%v", err)
	}
}

// TestNames are told of while they fit into a handshake.
func TestNames(t *testing.T) {
	root := testpki.NewCA(t, "root")
	if names := store(t, testpki.Roots(root)).Names(); names == nil {
		t.Error("one name is too many")
	}
	long := testpki.NewCA(t, strings.Repeat("x", 60))
	if names := store(t, bytesOf(long, 1000)).Names(); names != nil {
		t.Error("a thousand are not")
	}
}

func bytesOf(i *testpki.Identity, n int) []*x509.Certificate {
	certs := make([]*x509.Certificate, n)
	for at := range certs {
		certs[at] = i.Cert
	}
	return certs
}

// endless is a list without a time of the next one, which CreateRevocationList
// does not make.
func endless(t *testing.T, ca *testpki.Identity) []byte {
	t.Helper()
	block, _ := pem.Decode(ca.CRL(t, time.Now().Add(time.Hour)))
	var outer struct {
		List struct {
			Version    int
			Algorithm  pkix.AlgorithmIdentifier
			Issuer     asn1.RawValue
			From       time.Time
			Next       time.Time `asn1:"optional"`
			Extensions asn1.RawValue
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(block.Bytes, &outer); err != nil {
		t.Fatal(err)
	}
	list := struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		From       time.Time
		Extensions asn1.RawValue
	}{outer.List.Version, outer.List.Algorithm, outer.List.Issuer, outer.List.From, outer.List.Extensions}
	der, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	signature, err := ca.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := asn1.Marshal(struct {
		List      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: der}, outer.Algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: whole})
}
