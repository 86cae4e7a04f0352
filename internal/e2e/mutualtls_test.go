package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testpki"
)

// guardedDomains is a daemon with domains that ask for certificates, secure.example
// and other.example, and open.example, which does not. They lead to mocks.
type guardedDomains struct {
	*daemon
	root       *testpki.Identity
	truststore string // of secure.example; other.example has one with root alone
	crl        string // of secure.example
}

func startGuardedDomains(t *testing.T) *guardedDomains {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	g := &guardedDomains{root: testpki.NewCA(t, "root"), truststore: filepath.Join(dir, "clients.pem"), crl: filepath.Join(dir, "root.crl")}
	testpki.WriteFile(t, g.truststore, testpki.PEM(g.root.Cert))
	testpki.WriteFile(t, filepath.Join(dir, "other.pem"), testpki.PEM(g.root.Cert))
	testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(time.Hour)))
	cert, key := testpki.SelfSigned(t, "server", testpki.Usage(x509.ExtKeyUsageServerAuth)).Write(t, dir, "server")
	h := host{tls: `{certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`,
		domains: `[{name: secure.example, mappings: [{api: test}], mutual_tls: {truststore: "` + g.truststore + `", crls: ["` + g.crl + `"]}},
			{name: other.example, mappings: [{api: test}], mutual_tls: {truststore: "` + filepath.Join(dir, "other.pem") + `"}},
			{name: open.example, mappings: [{api: test}]}]`}
	g.daemon = start(t, h)
	g.deploy("prod", mocks, nil)
	return g
}

// connect makes a TLS connection to a domain, with what a client presents.
func (g *guardedDomains) connect(domain string, edit func(*tls.Config), present ...tls.Certificate) (*client, error) {
	config := &tls.Config{ServerName: domain, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(present) == 0 {
			return &tls.Certificate{}, nil
		}
		return &present[0], nil // whether the server names its authority or not
	}}
	if edit != nil {
		edit(config)
	}
	return g.dialTLS(config)
}

// pets asks for /prod/pets. It is an error for a handshake to fail, which clients
// of TLS 1.3 see with their first read.
func (g *guardedDomains) pets(domain, host string, edit func(*tls.Config), present ...tls.Certificate) (*answer, error) {
	c, err := g.connect(domain, edit, present...)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	return c.ask("GET", "/prod/pets", "", "Host: "+host)
}

// TestMutualTLSClients: each kind of client, with crypto/tls and with curl.
func TestMutualTLSClients(t *testing.T) {
	curl := need.Tool(t, "curl")
	g := startGuardedDomains(t)
	now, dir := time.Now(), t.TempDir()
	other := testpki.NewCA(t, "other")
	middle := g.root.Sub(t, "middle")
	revoked, below := g.root.Client(t, "revoked"), middle.Client(t, "below")
	testpki.WriteFile(t, g.crl, g.root.CRL(t, now.Add(time.Hour), revoked))
	g.reload("host file applied")

	alone := func(id *testpki.Identity) func(*testpki.Identity) []*x509.Certificate {
		return func(*testpki.Identity) []*x509.Certificate { return []*x509.Certificate{id.Cert} }
	}
	for i, c := range []struct {
		name    string
		id      *testpki.Identity
		present func(*testpki.Identity) []*x509.Certificate // its chain when nil
		ok      bool
	}{
		{"right", g.root.Client(t, "ann"), nil, true},
		{"with an authority between", below, nil, true},
		{"none", nil, nil, false},
		{"self-signed", testpki.SelfSigned(t, "ann"), nil, false},
		{"of another authority", other.Client(t, "ann"), nil, false},
		{"of another with the same name", testpki.NewCA(t, "root").Client(t, "ann"), nil, false},
		{"expired", g.root.Client(t, "ann", testpki.Valid(now.Add(-2*time.Hour), now.Add(-time.Hour))), nil, false},
		{"not yet valid", g.root.Client(t, "ann", testpki.Valid(now.Add(time.Hour), now.Add(2*time.Hour))), nil, false},
		{"revoked", revoked, nil, false},
		{"without the authority between", below, alone(below), false},
		{"for servers", g.root.Client(t, "ann", testpki.Usage(x509.ExtKeyUsageServerAuth)), nil, false},
	} {
		var present []tls.Certificate
		args := []string{"-sSk", "--max-time", "10", "--resolve", "secure.example:" + port(g.secure) + ":127.0.0.1"}
		if c.id != nil {
			chain := c.id.Chain()
			if c.present != nil {
				chain = c.present(c.id)
			}
			present = append(present, c.id.TLS(chain...))
			cert, key := c.id.Write(t, dir, fmt.Sprint("client", i))
			testpki.WriteFile(t, cert, testpki.PEM(chain...))
			args = append(args, "--cert", cert, "--key", key)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			a, err := g.pets("secure.example", "secure.example", func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }, present...)
			switch {
			case !c.ok && err == nil:
				t.Errorf("%s, %x: %+v", c.name, version, a)
			case c.ok && err != nil:
				t.Errorf("%s, %x: %v", c.name, version, err)
			case c.ok:
				a.expect(t, c.name, 200, "pets")
			}
		}
		out, err := exec.Command(curl, append(args, "https://secure.example:"+port(g.secure)+"/prod/pets")...).CombinedOutput()
		if (err == nil) != c.ok || c.ok && string(out) != "pets" {
			t.Errorf("%s, curl: %v, %s", c.name, err, out)
		}
	}
	// No client at all is the business of the others.
	a, err := g.pets("open.example", "open.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	a.expect(t, "a domain that does not ask", 200, "pets")
	const line = `msg="client certificate refused" domain=secure.example client="O=Example Corp,CN=ann" reason="x509: certificate signed by unknown authority"`
	if !strings.Contains(g.stderr.String(), line) { // as of the others, but for those that were too many in a second
		t.Errorf("the log does not say %s", line)
	}
	const refused = 8 * 3 // but for the one that presented nothing
	if n := g.metric("tidegate_client_certificates_refused_total"); n != refused {
		t.Errorf("%v refusals are counted, want %d", n, refused)
	}
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// TestMutualTLSFronting: no connection but one to the domain itself reaches it,
// on any listener; and the API's default endpoint does not either once it is
// disabled.
func TestMutualTLSFronting(t *testing.T) {
	curl := need.Tool(t, "curl")
	g := startGuardedDomains(t)
	ann := g.root.Client(t, "ann").TLS()
	for name, ask := range map[string]func() (*answer, error){
		"in cleartext":                func() (*answer, error) { return askOnce(g.addr, "GET", "/prod/pets", "", "Host: secure.example") },
		"by an open domain":           func() (*answer, error) { return g.pets("open.example", "secure.example", nil, ann) },
		"by another guarded domain":   func() (*answer, error) { return g.pets("other.example", "secure.example", nil, ann) },
		"by a domain that is not one": func() (*answer, error) { return g.pets("none.example", "secure.example", nil, ann) },
		"without a server name":       func() (*answer, error) { return g.pets("", "secure.example", nil, ann) },
	} {
		a, err := ask()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a.expectError(t, name, 403, "Forbidden", "ForbiddenException")
		if !a.last {
			t.Errorf("%s: the connection stays", name)
		}
	}
	out, err := exec.Command(curl, "-sk", "-w", "%{http_code}", "--resolve", "open.example:"+port(g.secure)+":127.0.0.1", "-H", "Host: secure.example",
		"https://open.example:"+port(g.secure)+"/prod/pets").CombinedOutput()
	if string(out) != `{"message":"Forbidden"}403` || err != nil {
		t.Errorf("curl: %s, %v", out, err)
	}

	id := g.deploy("prod", mocks, nil)
	endpoint := id + ".execute-api.localhost"
	g.ask("GET", "/prod/pets", "", "Host: "+endpoint).expect(t, "default endpoint", 200, "pets")
	g.deploy("prod", strings.Replace(mocks, "paths:", "servers: [{url: /, x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}}]\npaths:", 1), nil)
	g.ask("GET", "/prod/pets", "", "Host: "+endpoint).expectError(t, "default endpoint, disabled", 403, "Forbidden", "ForbiddenException")
	a, err := g.pets("secure.example", endpoint, nil, ann)
	if err != nil {
		t.Fatal(err)
	}
	a.expectError(t, "default endpoint, with a certificate", 403, "Forbidden", "ForbiddenException")
	if a, err = g.pets("secure.example", "secure.example", nil, ann); err != nil {
		t.Fatal(err)
	}
	a.expect(t, "its domain", 200, "pets")
}

// TestMutualTLSKeepAlive: each request is looked at, on connections that stay and
// among requests that came together.
func TestMutualTLSKeepAlive(t *testing.T) {
	g := startGuardedDomains(t)
	c, err := g.connect("secure.example", nil, g.root.Client(t, "ann").TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	get := func(host string) string { return "GET /prod/pets HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }
	receive := func(what string) *answer {
		t.Helper()
		a, err := c.receive("GET")
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return a
	}
	for i := range 3 {
		a, err := c.ask("GET", "/prod/pets", "", "Host: secure.example")
		if err != nil {
			t.Fatal(err)
		}
		a.expect(t, fmt.Sprint("request ", i), 200, "pets")
	}
	if err := c.send(get("secure.example") + get("open.example") + get("secure.example") + get("other.example") + get("secure.example")); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"secure", "open", "secure"} {
		receive(host).expect(t, host, 200, "pets")
	}
	a := receive("other")
	a.expectError(t, "other", 403, "Forbidden", "ForbiddenException")
	if _, err := c.receive("GET"); !a.last || !errors.Is(err, io.EOF) {
		t.Errorf("after a refusal: %v, last %t", err, a.last)
	}
}
