package truststore

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

// FuzzTruststore: whatever is in a file, what comes of it is whole, and what does
// not says where.
func FuzzTruststore(f *testing.F) {
	root := testpki.NewCA(f, "root")
	good := testpki.PEM(root.Cert)
	client := root.Client(f, "client").Chain()
	for _, seed := range []string{"", "x", string(good), string(good[:len(good)/2]), string(good) + string(good), strings.ReplaceAll(string(good), "\n", "\r\n"),
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(Files{Truststore: "clients.pem"}, text, nil)
		if err != nil {
			if !strings.Contains(err.Error(), "clients.pem") {
				t.Errorf("%q says no file", err)
			}
			return
		}
		if n := len(s.entries); n == 0 || n > MaxCertificates || n != bytes.Count(text, begin) {
			t.Errorf("%d certificates of %d blocks", n, bytes.Count(text, begin))
		}
		s.Warnings(time.Now())
		if _, err := s.Verify(client, time.Now()); err == nil && !bytes.Contains(text, good[100:150]) {
			t.Error("a client of a root that is not there is trusted")
		}
	})
}

// FuzzCRL: no list counts that the authority has not signed.
func FuzzCRL(f *testing.F) {
	root := testpki.NewCA(f, "root")
	client := root.Client(f, "client")
	good := root.CRL(f, time.Now().Add(time.Hour), client)
	block, _ := pem.Decode(good)
	f.Add(good)
	f.Add(block.Bytes)
	f.Add(block.Bytes[:len(block.Bytes)/2])
	f.Add(append(good, good...))
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
	authorities := testpki.PEM(root.Cert)
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := parse(Files{"clients.pem", []string{"a.crl"}}, authorities, [][]byte{content})
		if err != nil {
			if !strings.Contains(err.Error(), "a.crl") {
				t.Errorf("%q says no file", err)
			}
			return
		}
		s.Warnings(time.Now())
		for _, l := range s.lists {
			if len(l.revoked) != 1 {
				t.Errorf("a list that nobody signed: %+v", l)
			}
		}
	})
}

// FuzzName: a name never has a line end or a separator that is not one.
func FuzzName(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Add(testpki.NewCA(f, "a, b\r\n").Cert.RawSubject)
	f.Fuzz(func(t *testing.T, der []byte) {
		for _, c := range []byte(Name(der)) {
			if c < ' ' || c == 0x7f {
				t.Fatalf("%q", Name(der))
			}
		}
	})
}
