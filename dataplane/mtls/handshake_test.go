package mtls

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/internal/testpki"
)

// TestHandshakes: who is asked, and who is let in, by both versions of TLS.
func TestHandshakes(t *testing.T) {
	root, other := testpki.NewCA(t, "root"), testpki.NewCA(t, "other")
	revoked := root.Client(t, "revoked")
	s := newServer(t)
	s.Set(map[string]*truststore.Store{
		"a.example": stores(t, testpki.Roots(root), root.CRL(t, time.Now().Add(time.Hour), revoked)),
		"b.example": stores(t, testpki.Roots(other)),
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			name, server string
			client       *testpki.Identity
			asked        bool
			refused      string // in what is told of it; empty when nobody is told
			fails        bool
		}{
			{"trusted", "a.example", root.Client(t, "ann"), true, "", false},
			{"in capitals", "A.Example", root.Client(t, "ann"), true, "", false},
			{"for the other domain", "b.example", other.Client(t, "ann"), true, "", false},
			{"for the wrong domain", "b.example", root.Client(t, "ann"), true, "b.example: O=Example Corp,CN=ann: x509: certificate signed by unknown authority", true},
			{"revoked", "a.example", revoked, true, "a.example: O=Example Corp,CN=revoked: the certificate of \"O=Example Corp,CN=revoked\" is revoked", true},
			{"none", "a.example", nil, true, "", true},
			{"not asked", "c.example", root.Client(t, "ann"), false, "", false},
			{"not asked below", "x.a.example", root.Client(t, "ann"), false, "", false},
			{"without a server name", "", root.Client(t, "ann"), false, "", false},
		} {
			before := len(s.refused())
			config := &tls.Config{ServerName: c.server, MinVersion: version, MaxVersion: version}
			if c.client != nil {
				config.Certificates = []tls.Certificate{c.client.TLS()}
			}
			o := s.shake(config)
			if o.asked != c.asked || (o.err != nil) != c.fails || (o.seen != nil) != c.fails {
				t.Errorf("%x, %s: %+v", version, c.name, o)
			}
			if trusted := o.client.Trusted([]byte(strings.ToLower(c.server)), time.Now().UnixNano()); trusted != (c.asked && !c.fails) {
				t.Errorf("%x, %s: trusted: %t", version, c.name, trusted)
			}
			told := s.refused()[before:]
			if c.refused == "" && len(told) > 0 || c.refused != "" && (len(told) != 1 || !strings.HasPrefix(told[0], c.refused)) {
				t.Errorf("%x, %s: told of %q", version, c.name, told)
			}
		}
	}
}

// TestTrustedForOneDomain alone, and for as long as the certificates are good.
func TestTrustedForOneDomain(t *testing.T) {
	root := testpki.NewCA(t, "root")
	s := newServer(t)
	store := stores(t, testpki.Roots(root))
	s.Set(map[string]*truststore.Store{"a.example": store, "b.example": store})
	ann := root.Client(t, "ann")
	c := s.shake(&tls.Config{ServerName: "a.example", Certificates: []tls.Certificate{ann.TLS()}}).client
	now := time.Now().UnixNano()
	for domain, want := range map[string]bool{"a.example": true, "b.example": false, "": false, "A.example": false, "a.example.": false} {
		if c.Trusted([]byte(domain), now) != want {
			t.Errorf("%q: trusted is not %t", domain, want)
		}
	}
	if c.Trusted([]byte("a.example"), ann.Cert.NotAfter.UnixNano()) {
		t.Error("an expired client is trusted")
	}
	if (*Client)(nil).Trusted([]byte("a.example"), now) {
		t.Error("nobody is trusted")
	}
	name := []byte("a.example")
	if n := testing.AllocsPerRun(100, func() { c.Trusted(name, now) }); n > 0 {
		t.Errorf("%v allocations to look at a client", n)
	}
}

// TestResumption: a session is resumed for the domain and the trust store that it
// began with, and for no other.
func TestResumption(t *testing.T) {
	now := time.Now()
	root := testpki.NewCA(t, "root")
	ann, bob := root.Client(t, "ann"), root.Client(t, "bob")
	both := stores(t, testpki.Roots(root), root.CRL(t, now.Add(time.Hour)))
	again := stores(t, testpki.Roots(root), root.CRL(t, now.Add(time.Hour)))
	without := stores(t, testpki.Roots(root), root.CRL(t, now.Add(time.Hour), ann))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newServer(t)
		in := map[string]*truststore.Store{"a.example": both, "b.example": both}
		s.Set(in)
		cache := &anySession{}
		connect := func(what, server string, as *testpki.Identity, resumed, good bool) {
			t.Helper()
			o := s.shake(&tls.Config{ServerName: server, MinVersion: version, MaxVersion: version, ClientSessionCache: cache, Certificates: []tls.Certificate{as.TLS()}})
			if o.resumed != resumed || (o.err == nil) != good {
				t.Errorf("%x, %s: %+v", version, what, o)
			}
			if asked := server != "c.example"; good && asked && !o.client.Trusted([]byte(server), s.now().UnixNano()) {
				t.Errorf("%x, %s: not trusted", version, what)
			}
		}
		connect("first", "a.example", ann, false, true)
		connect("resumed", "a.example", ann, true, true)
		connect("another domain", "b.example", ann, false, true)
		cache.session = nil
		connect("without being asked", "c.example", ann, false, true)
		connect("without being asked, again", "c.example", ann, true, true)
		connect("from a domain that does not ask", "a.example", ann, false, true)
		connect("to a domain that does not ask", "c.example", ann, false, true)

		cache.session = nil
		connect("first", "a.example", ann, false, true)
		session := cache.session
		s.Set(map[string]*truststore.Store{"a.example": both, "b.example": again})
		connect("the same store", "a.example", ann, true, true)
		s.Set(map[string]*truststore.Store{"a.example": again})
		cache.session = session
		connect("a new list", "a.example", ann, false, true)
		session = cache.session
		s.Set(map[string]*truststore.Store{"a.example": without})
		cache.session = session
		connect("revoked", "a.example", ann, false, false)
		cache.session = nil
		connect("another client", "a.example", bob, false, true)

		// The session of a domain that ceased to ask, and asks again.
		session = cache.session
		s.Set(nil)
		s.Set(map[string]*truststore.Store{"a.example": without})
		cache.session = session
		connect("after a break", "a.example", bob, false, true)

		// A list that went out of date is a bar to resumption too.
		s.mu.Lock()
		s.clock = now.Add(2 * time.Hour)
		s.mu.Unlock()
		connect("out of date", "a.example", bob, false, false)
	}
}

// TestSessionsOfOthers: listeners that ask some go on resuming the sessions of
// clients that they do not ask, with their own keys.
func TestSessionsOfOthers(t *testing.T) {
	s := newServer(t)
	cache := &anySession{}
	for i, resumed := range []bool{false, true, true} {
		if o := s.shake(&tls.Config{ServerName: "c.example", ClientSessionCache: cache}); o.resumed != resumed || o.err != nil {
			t.Errorf("handshake %d: %+v", i, o)
		}
		s.Set(map[string]*truststore.Store{"a.example": stores(t, testpki.Roots(testpki.NewCA(t, "root")))})
	}
}
