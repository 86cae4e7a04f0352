package mtls

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

// TestFacts have the formats of AWS's examples.
func TestFacts(t *testing.T) {
	root := testpki.NewCA(t, "root", func(c *testpki.Template) {
		c.Subject = pkix.Name{Country: []string{"US"}, Organization: []string{"Amazon Web Services"}, OrganizationalUnit: []string{"Security"}, CommonName: "My Private CA"}
	})
	serial, _ := new(big.Int).SetString("a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", 16)
	id := root.Client(t, "My Client", func(c *testpki.Template) {
		c.SerialNumber = serial
		c.NotBefore, c.NotAfter = time.Date(2019, 5, 28, 12, 30, 2, 0, time.UTC), time.Date(2121, 8, 5, 9, 36, 4, 0, time.FixedZone("", 3600))
	})
	c := newClient("a.example", id.Chain(), time.Now())
	f := c.Facts()
	for name, want := range map[string]string{
		"subjectDN": "O=Example Corp,CN=My Client", "issuerDN": "C=US,O=Amazon Web Services,OU=Security,CN=My Private CA",
		"serialNumber":       "a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1:a1",
		"validity.notBefore": "May 28 12:30:02 2019 GMT", "validity.notAfter": "Aug  5 08:36:04 2121 GMT",
		"": "", "validity": "", "subjectdn": "",
	} {
		if got := f.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	block, rest := pem.Decode([]byte(f.Value("clientCertPem")))
	if block == nil || len(rest) > 0 || block.Type != "CERTIFICATE" || string(block.Bytes) != string(id.Cert.Raw) {
		t.Errorf("PEM %q", f.ClientCertPEM)
	}
	if c.Facts() != f {
		t.Error("the facts are found out again")
	}
	if len(c.Fingerprint()) != 32 {
		t.Errorf("fingerprint %x", c.Fingerprint())
	}
}

// TestSerialNumber names the form behind an open point of AWS's behaviour: its
// examples have "1" and "a1:a1:…" for serial numbers.
func TestSerialNumber(t *testing.T) {
	for text, want := range map[string]string{
		"01": "1", "00": "0", "ff": "255", "7fffffffffffffff": "9223372036854775807",
		"8000000000000000": "80:00:00:00:00:00:00:00", "0a0b0c0d0e0f1011121314": "0a:0b:0c:0d:0e:0f:10:11:12:13:14",
	} {
		n, _ := new(big.Int).SetString(text, 16)
		if got := serialNumber(n); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestEndlessCertificates: times beyond what nanoseconds can tell are later than
// now (RFC 5280 section 4.1.2.5 has the year 9999 for no end).
func TestEndlessCertificates(t *testing.T) {
	end := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	if nanoseconds(end) != math.MaxInt64 || nanoseconds(time.Unix(7, 1)) != 7e9+1 {
		t.Errorf("%d, %d", nanoseconds(end), nanoseconds(time.Unix(7, 1)))
	}
	id := testpki.SelfSigned(t, "endless", testpki.Valid(time.Now().Add(-time.Hour), end))
	store := stores(t, []*x509.Certificate{id.Cert})
	if until := trustedUntil(store, id.Chain()[:0:0], time.Now()); until != 0 {
		t.Errorf("nobody is trusted until %d", until)
	}
	if until := trustedUntil(store, []*x509.Certificate{id.Cert}, time.Now()); until != math.MaxInt64 {
		t.Errorf("until %d", until)
	}
}
