package jwt

import (
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.215.14": true, "1.1.1.1": true, "2606:4700::1111": true, "172.32.0.1": true, "::ffff:1.1.1.1": true,
		"127.0.0.1": false, "127.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "0.1.2.3": false, "192.0.0.8": false, "198.18.0.1": false, "224.0.0.1": false,
		"240.0.0.1": false, "255.255.255.255": false, "192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false,
		"::": false, "::1": false, "::7f00:1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "fec0::1": false, "2001:db8::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001::1": false, "100::1": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// TestPrivateAddresses: the address that is connected to decides, and not the
// name, nor where a redirect leads.
func TestPrivateAddresses(t *testing.T) {
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer server.Close()
	t.Setenv("HTTP_PROXY", server.URL)
	t.Setenv("HTTPS_PROXY", server.URL)
	keys, err := NewKeys(Options{AllowHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"} {
		keys.fetcher.timeout = fetchTimeout / 5
		if _, err := keys.fetcher.get(t.Context(), "http://"+host+port, 100); err == nil {
			t.Errorf("%s was reached", host)
		} else if (host == "127.0.0.1" || host == "localhost") && !strings.Contains(err.Error(), "not a public address") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests came through", hits)
	}
}

// TestHTTPS: certificates are checked, and an authority can be added.
func TestHTTPS(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	p := &idp{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(p.handle))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.StartTLS()
	defer p.Close()
	p.issuer = p.URL + "/tenant"
	p.publish(s)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{AllowPrivate: true, RootCAs: roots}, ""},
		{Options{AllowPrivate: true}, "certificate"},
		{Options{AllowPrivate: true, RootCAs: x509.NewCertPool()}, "certificate"},
		{Options{RootCAs: roots}, "not a public address"},
	} {
		keys, err := NewKeys(c.o)
		if err != nil {
			t.Fatal(err)
		}
		_, _, _, err = keys.fetcher.keys(t.Context(), p.issuer, "")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}

	// No way from https to http.
	before := p.fetches.Load()
	p.discovery = func() string {
		return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.issuer, strings.Replace(p.URL, "https:", "http:", 1)+"/keys")
	}
	keys, err := NewKeys(Options{AllowPrivate: true, RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err = keys.fetcher.keys(t.Context(), p.issuer, ""); err == nil || !strings.Contains(err.Error(), "does not allow http") {
		t.Error(err)
	}
	// A place that the host names needs no configuration.
	discoveries := p.discoveries.Load()
	set, uri, _, err := keys.fetcher.keys(t.Context(), "https://id.example", p.URL+"/keys")
	if err != nil || set.keys["k"] == nil || uri != p.URL+"/keys" || p.discoveries.Load() != discoveries || p.fetches.Load() != before+1 {
		t.Errorf("%v, %v", set, err)
	}
}

// TestRedirects: none is followed, neither elsewhere nor here.
func TestRedirects(t *testing.T) {
	hits := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits++ }))
	defer elsewhere.Close()
	p := newIDP(t)
	for _, to := range []string{elsewhere.URL, "//" + strings.TrimPrefix(elsewhere.URL, "http://") + "/x", "/keys", "file:///etc/passwd", "gopher://x/"} {
		p.fail(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return true
		})
		keys, err := NewKeys(local)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := keys.fetcher.keys(t.Context(), p.issuer, ""); err == nil || !strings.Contains(err.Error(), "redirects to") {
			t.Errorf("%s: %v", to, err)
		}
	}
	if hits != 0 || p.fetches.Load() != 0 {
		t.Error("a redirect was followed")
	}
}
