package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math"
	"math/big"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
)

// Client is a client that was trusted in the handshake of its connection. Its
// methods are for the event loop of that connection.
type Client struct {
	domain      string
	presented   []*x509.Certificate
	fingerprint [sha256.Size]byte
	until       atomic.Int64 // Unix nanoseconds; 0 when it is not trusted any more
	facts       *Facts
}

func newClient(domain string, presented []*x509.Certificate, until time.Time) *Client {
	c := &Client{domain: domain, presented: presented, fingerprint: sha256.Sum256(presented[0].Raw)}
	c.until.Store(nanoseconds(until))
	return c
}

// Trusted reports whether the client may call a domain, in lower case, at a time,
// in nanoseconds since the Unix epoch. A nil Client may not. It allocates nothing.
func (c *Client) Trusted(domain []byte, wall int64) bool {
	return c != nil && string(domain) == c.domain && wall < c.until.Load()
}

// Fingerprint returns the SHA-256 of the client's certificate.
func (c *Client) Fingerprint() []byte { return c.fingerprint[:] }

// Facts returns what the certificate says. It is found out once, when somebody
// asks.
func (c *Client) Facts() *Facts {
	if c.facts == nil {
		c.facts = newFacts(c.presented[0])
	}
	return c.facts
}

// presentedHash tells clients apart that present other certificates.
func (c *Client) presentedHash() (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, cert := range c.presented {
		h.Write(cert.Raw) // DER says where it ends
	}
	h.Sum(sum[:0])
	return sum
}

func nanoseconds(t time.Time) int64 {
	if t.Unix() >= math.MaxInt64/int64(time.Second) { // in the year 2262
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Facts are what a certificate says, as AWS words it:
// $context.identity.clientCert of access logs and mappings, and
// requestContext.identity.clientCert of events.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
type Facts struct {
	ClientCertPEM string
	SubjectDN     string // "C=US,O=Example Corp,CN=client"
	IssuerDN      string
	SerialNumber  string // see serialNumber
	NotBefore     string // "May 28 12:30:02 2019 GMT"
	NotAfter      string
}

// validity is the layout of OpenSSL's dates.
const validity = "Jan _2 15:04:05 2006 GMT"

func newFacts(c *x509.Certificate) *Facts {
	return &Facts{
		ClientCertPEM: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		SubjectDN:     truststore.Name(c.RawSubject),
		IssuerDN:      truststore.Name(c.RawIssuer),
		SerialNumber:  serialNumber(c.SerialNumber),
		NotBefore:     c.NotBefore.UTC().Format(validity),
		NotAfter:      c.NotAfter.UTC().Format(validity),
	}
}

// serialNumber is the text of OpenSSL, which all examples of AWS's documentation
// are in accord with: short numbers are decimal ("1"), longer ones bytes
// ("a1:a1:…").
func serialNumber(n *big.Int) string {
	if n.IsInt64() {
		return n.String()
	}
	b := n.Bytes()
	text := make([]string, len(b))
	for i := range b {
		text[i] = hex.EncodeToString(b[i : i+1])
	}
	return strings.Join(text, ":")
}

// Value returns a fact by AWS's name for it, such as "subjectDN" or
// "validity.notAfter".
func (f *Facts) Value(name string) string {
	switch name {
	case "clientCertPem":
		return f.ClientCertPEM
	case "subjectDN":
		return f.SubjectDN
	case "issuerDN":
		return f.IssuerDN
	case "serialNumber":
		return f.SerialNumber
	case "validity.notBefore":
		return f.NotBefore
	case "validity.notAfter":
		return f.NotAfter
	}
	return ""
}
