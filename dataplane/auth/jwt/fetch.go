package jwt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Bounds of a fetch. AWS has the same time.
const (
	fetchTimeout = 1500 * time.Millisecond // of each document
	maxDiscovery = 64 << 10                // bytes
	maxURL       = 2048
)

// fetcher gets the documents of issuers. Each fetch has a connection of its own,
// for there is one in two hours.
type fetcher struct {
	client    *http.Client
	allowHTTP bool
	timeout   time.Duration
}

func newFetcher(o *Options) *fetcher {
	dialer := &net.Dialer{Timeout: fetchTimeout, KeepAlive: -1}
	if !o.AllowPrivate {
		// Here the address is what is connected to, whatever the name resolves to.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if !public(at.Addr()) {
				return fmt.Errorf("%s is not a public address: the host has to allow private addresses for issuers", at.Addr())
			}
			return nil
		}
	}
	return &fetcher{allowHTTP: o.AllowHTTP, timeout: fetchTimeout, client: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext, // and no proxy, which would dial in our place
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(next *http.Request, _ []*http.Request) error {
			return fmt.Errorf("it redirects to %s, which is not followed: set the issuer's jwks_uri", next.URL.Redacted())
		},
	}}
}

// special are networks that netip does not already tell from public ones (IANA's
// special-purpose address registries), and those that carry IPv4 addresses within
// IPv6 ones.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// public reports whether an address is of the internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// checkURL checks the address of an issuer or of its keys.
//
// Source: https://openid.net/specs/openid-connect-discovery-1_0.html section 2
func checkURL(text string, allowHTTP bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxURL || strings.Contains(text, " "):
		return fmt.Errorf("%q is not a URL of at most %d bytes", text, maxURL)
	case u.Scheme == "http" && !allowHTTP:
		return fmt.Errorf("%q: write https; the host does not allow http for issuers", text)
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return fmt.Errorf("%q is not an absolute https URL", text)
	case u.User != nil || u.Fragment != "" || strings.Contains(text, "#"):
		return fmt.Errorf("%q: write it without user name and fragment", u.Redacted())
	}
	return nil
}

// keys fetches the keys of an issuer. It returns where they are, and when it
// fails the Result of the tokens that wait.
func (f *fetcher) keys(ctx context.Context, issuer, jwksURI string) (*keySet, string, Result, error) {
	if jwksURI == "" {
		var err error
		if jwksURI, err = f.discover(ctx, issuer); err != nil {
			return nil, "", DiscoveryFailed, fmt.Errorf("discovery: %w", err)
		}
	}
	text, err := f.get(ctx, jwksURI, maxKeySet)
	if err != nil {
		return nil, jwksURI, KeysFailed, err
	}
	set, err := readKeySet(text)
	if err != nil {
		return nil, jwksURI, KeysFailed, fmt.Errorf("%s: %w", jwksURI, err)
	}
	return set, jwksURI, 0, nil
}

// discover returns the jwks_uri of an issuer.
//
// Source: https://openid.net/specs/openid-connect-discovery-1_0.html section 4
func (f *fetcher) discover(ctx context.Context, issuer string) (string, error) {
	at := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	text, err := f.get(ctx, at, maxDiscovery)
	if err != nil {
		return "", err
	}
	top, _, ok := readObject(text, nil, nil)
	if !ok {
		return "", fmt.Errorf("%s: not a JSON object without repeated names", at)
	}
	if named, ok := members(top).text("issuer"); !ok || named != issuer {
		return "", fmt.Errorf("%s: it is of the issuer %q: write that one, or set the issuer's jwks_uri", at, named)
	}
	uri, ok := members(top).text("jwks_uri")
	if !ok || uri == "" {
		return "", fmt.Errorf("%s: no jwks_uri", at)
	}
	if err := checkURL(uri, f.allowHTTP); err != nil {
		return "", fmt.Errorf("%s: jwks_uri: %w", at, err)
	}
	return uri, nil
}

// get fetches a document of at most so many bytes.
func (f *fetcher) get(ctx context.Context, at string, most int64) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", "application/json, application/jwk-set+json")
	r.Header.Set("User-Agent", "tidegate")
	answer, err := f.client.Do(r)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return "", fmt.Errorf("%s: no answer within %v", at, f.timeout)
		}
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: the answer is %s", at, answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "", fmt.Errorf("%s: not all of it came within %v", at, f.timeout)
	case err != nil:
		return "", fmt.Errorf("%s: %w", at, err)
	case int64(len(body)) > most:
		return "", fmt.Errorf("%s: more than %d bytes", at, most)
	}
	return string(body), nil
}
