package pipeline

import (
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/mtls"
)

// certified reports whether the request came by a connection whose client was
// trusted for the domain that the request names. A connection to another domain
// is no good, whatever certificate it has.
func (t *transaction) certified() bool {
	c, _ := t.x.Stream().Peer().(*mtls.Client)
	if !c.Trusted(t.x.Request.Host, t.worker.loop.Wall(t.x.Started)) {
		return false
	}
	t.certificate = c
	return true
}

// appendCertificate appends $context.identity.clientCert.NAME, nothing where
// nobody is asked for a certificate.
func (t *transaction) appendCertificate(dst []byte, name string) []byte {
	if t.certificate == nil {
		return dst
	}
	return append(dst, t.certificate.Facts().Value(name)...)
}

// clientCert is the certificate as a function is told of it.
func (t *transaction) clientCert() *lambda.ClientCert {
	if t.certificate == nil {
		return nil
	}
	f := t.certificate.Facts()
	return &lambda.ClientCert{
		ClientCertPEM: f.ClientCertPEM, SubjectDN: f.SubjectDN, IssuerDN: f.IssuerDN, SerialNumber: f.SerialNumber,
		Validity: lambda.Validity{NotBefore: f.NotBefore, NotAfter: f.NotAfter},
	}
}

// certificateContext are the names in $context.identity.clientCert of what
// authorizers may go by.
var certificateContext = [...]string{
	authorizer.ContextClientCertPEM:          "clientCertPem",
	authorizer.ContextClientCertSubjectDN:    "subjectDN",
	authorizer.ContextClientCertIssuerDN:     "issuerDN",
	authorizer.ContextClientCertSerialNumber: "serialNumber",
	authorizer.ContextClientCertNotBefore:    "validity.notBefore",
	authorizer.ContextClientCertNotAfter:     "validity.notAfter",
}
