package e2e

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

func resumed(c *client) bool { return c.conn.(*tls.Conn).ConnectionState().DidResume }

// everySession has one session for all servers.
type everySession struct{ session *tls.ClientSessionState }

// Get implements tls.ClientSessionCache.
func (e *everySession) Get(string) (*tls.ClientSessionState, bool) {
	return e.session, e.session != nil
}

// Put implements tls.ClientSessionCache.
func (e *everySession) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		e.session = s
	}
}

// TestMutualTLSResumption: sessions are resumed within a domain, until its files
// change.
func TestMutualTLSResumption(t *testing.T) {
	g := startGuardedDomains(t)
	ann, bob := g.root.Client(t, "ann"), g.root.Client(t, "bob")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		sessions := &everySession{}
		connect := func(what, domain string, as *testpki.Identity, want bool) {
			t.Helper()
			c, err := g.connect(domain, func(c *tls.Config) { c.MinVersion, c.MaxVersion, c.ClientSessionCache = version, version, sessions }, as.TLS())
			if err != nil {
				t.Fatalf("%x, %s: %v", version, what, err)
			}
			defer c.conn.Close()
			a, err := c.ask("GET", "/prod/pets", "", "Host: "+domain)
			if err != nil {
				t.Fatalf("%x, %s: %v", version, what, err)
			}
			a.expect(t, what, 200, "pets")
			if resumed(c) != want {
				t.Errorf("%x, %s: resumed is %t", version, what, !want)
			}
		}
		connect("first", "secure.example", ann, false)
		connect("again", "secure.example", ann, true)
		connect("another domain", "other.example", ann, false)
		connect("an open domain", "open.example", ann, false)
		connect("back", "secure.example", ann, false)
		connect("back again", "secure.example", ann, true)
		g.reload("host file applied")
		connect("after a reload that changed nothing", "secure.example", ann, true)
		kept := sessions.session
		testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(time.Hour), bob))
		g.reload("host file applied")
		sessions.session = kept
		connect("after a new list", "secure.example", ann, false)
		kept = sessions.session
		testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(time.Hour), ann))
		g.reload("host file applied")
		sessions.session = kept
		if a, err := g.pets("secure.example", "secure.example", func(c *tls.Config) { c.MinVersion, c.MaxVersion, c.ClientSessionCache = version, version, sessions }, ann.TLS()); err == nil {
			t.Errorf("%x, revoked: %+v", version, a)
		}
		testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(time.Hour)))
		g.reload("host file applied")
	}
}

// TestMutualTLSRotation replaces the authority of a trust store by another while
// clients of both call: none of them fails while it is trusted, and at the end
// those of the old one are not, also where they were connected.
func TestMutualTLSRotation(t *testing.T) {
	g := startGuardedDomains(t)
	next := testpki.NewCA(t, "next")
	ann, bob := g.root.Client(t, "ann"), next.Client(t, "bob")
	load := func(domain string, id *testpki.Identity) *traffic {
		dial := func() (*client, error) { return g.connect(domain, nil, id.TLS()) }
		return newTrafficBy(4, dial, time.Millisecond, func(c *client, turn int) error {
			a, err := c.ask("GET", "/prod/pets", "", "Host: "+domain)
			if err == nil && a.status != 200 {
				err = fmt.Errorf("status %d", a.status)
			}
			if err == nil && turn%20 == 0 { // and by a new connection
				if a, err = g.pets(domain, domain, nil, id.TLS()); err == nil && a.status != 200 {
					err = fmt.Errorf("status %d on a new connection", a.status)
				}
			}
			return err
		})
	}
	readAgain := func(of ...*testpki.Identity) {
		t.Helper()
		before := strings.Count(g.stderr.String(), "trust stores read again")
		testpki.WriteFile(t, g.truststore, testpki.PEM(testpki.Roots(of...)...))
		eventually(t, 10*time.Second, func() error {
			if strings.Count(g.stderr.String(), "trust stores read again") == before {
				return errors.New("the trust store is not read again")
			}
			return nil
		})
	}
	old, others := load("secure.example", ann), load("other.example", ann)
	if _, err := g.pets("secure.example", "secure.example", nil, bob.TLS()); err == nil {
		t.Error("the next authority is trusted before its time")
	}
	readAgain(g.root, next)
	young := load("secure.example", bob)
	for i := range 4 { // other domains come and go meanwhile
		h := g.host
		if i%2 == 0 {
			h.domains = strings.Replace(h.domains, "[", `[{name: more.example, mappings: [{api: test}], mutual_tls: {truststore: "`+g.truststore+`"}}, `, 1)
		}
		g.write(h)
		g.reload("host file applied")
	}
	connected, err := g.connect("secure.example", nil, ann.TLS())
	if err != nil {
		t.Fatal(err)
	}
	defer connected.conn.Close()
	a, err := connected.ask("GET", "/prod/pets", "", "Host: secure.example")
	if err != nil {
		t.Fatal(err)
	}
	a.expect(t, "before the end", 200, "pets")
	old.Stop(t)

	// The old root's list has to go with it; and the other domain asks no more.
	h := g.host
	h.domains = strings.Replace(h.domains, `, crls: ["`+g.crl+`"]`, "", 1)
	i := strings.Index(h.domains, "{name: other.example")
	h.domains = h.domains[:i] + "{name: other.example, mappings: [{api: test}]},\n{name: open.example, mappings: [{api: test}]}]"
	testpki.WriteFile(t, g.truststore, testpki.PEM(next.Cert))
	g.write(h)
	g.reload("host file applied")
	if a, err := connected.ask("GET", "/prod/pets", "", "Host: secure.example"); err != nil {
		t.Error(err)
	} else {
		a.expectError(t, "connected before", 403, "Forbidden", "ForbiddenException")
	}
	if a, err := g.pets("secure.example", "secure.example", nil, ann.TLS()); err == nil {
		t.Errorf("the old authority is trusted: %+v", a)
	}
	if a, err := g.pets("other.example", "other.example", nil); err != nil {
		t.Error(err)
	} else {
		a.expect(t, "a domain that asks no more", 200, "pets")
	}
	young.Stop(t)
	others.Stop(t)
}

// TestMutualTLSFiles: files that cannot be used change nothing, at a start they
// are an error; what is wrong with those in use is told.
func TestMutualTLSFiles(t *testing.T) {
	g := startGuardedDomains(t)
	ann := g.root.Client(t, "ann")
	serves := func(what string, want bool) {
		t.Helper()
		if a, err := g.pets("secure.example", "secure.example", nil, ann.TLS()); (err == nil) != want {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
	says := func(text string) {
		t.Helper()
		eventually(t, 10*time.Second, func() error {
			if !strings.Contains(g.stderr.String(), text) {
				return fmt.Errorf("it does not say %q", text)
			}
			return nil
		})
	}
	testpki.WriteFile(t, g.truststore, []byte("-----BEGIN CERTIFICATE-----\n"))
	says(`the old ones stay in use" error="domain \"secure.example\": mutual_tls: clients.pem:1: the PEM block that begins here is not whole"`)
	serves("a broken trust store", true)
	g.reload("host file not applied")
	serves("a broken trust store, reloaded", true)
	testpki.WriteFile(t, g.truststore, testpki.PEM(g.root.Cert))
	g.reload("host file applied")

	testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(-time.Minute)))
	g.reload("host file applied")
	says(`mutual TLS of secure.example: root.crl:1: the revocation list of \"O=Example Corp,CN=root\" is out of date since`)
	serves("a list that is out of date", false)
	status, err := g.client.Status(t.Context())
	if err != nil || !strings.Contains(strings.Join(status.Notes, "\n"), "is out of date since") {
		t.Errorf("status: %q, %v", status.Notes, err)
	}
	testpki.WriteFile(t, g.crl, g.root.CRL(t, time.Now().Add(time.Hour)))
	g.reload("host file applied")
	serves("a new list", true)

	g.terminate(10 * time.Second)
	if err := os.Remove(g.truststore); err != nil {
		t.Fatal(err)
	}
	g.run()
	select {
	case <-g.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("it starts without its trust store")
	}
	says(`domain "secure.example": mutual_tls: trust store: open`)
}
