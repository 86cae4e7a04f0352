package waf

import (
	"net/netip"
	"strings"
	"testing"
)

func ipPrefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestForwardedAddresses(t *testing.T) {
	statement := func(position, fallback string) obj {
		return obj{"IPSetReferenceStatement": obj{"ARN": "bad", "IPSetForwardedIPConfig": obj{"HeaderName": "x-forwarded-for", "FallbackBehavior": fallback, "Position": position}}}
	}
	const proxy, stranger = "10.0.0.1", "203.0.113.7"
	w := newWorld()
	w.TrustedProxies = ipPrefixes("10.0.0.0/8", "::ffff:172.16.0.0/108", "fd00::/8")
	for _, tc := range []struct {
		name, source, fields string
		first, last, any     bool // is it bad?
	}{
		{"client behind a proxy", proxy, "X-Forwarded-For: 192.0.2.5", true, true, true},
		{"good client behind a proxy", proxy, "X-Forwarded-For: 203.0.113.9", false, false, false},
		{"what a stranger says", stranger, "X-Forwarded-For: 192.0.2.5", false, false, false},
		{"bad stranger", "192.0.2.5", "X-Forwarded-For: 203.0.113.9", true, true, true},
		{"bad stranger without the field", "192.0.2.5", "X-A: b", true, true, true},
		{"two proxies", proxy, "X-Forwarded-For: 192.0.2.5, 10.0.0.2", true, false, true},
		{"claim of a client", proxy, "X-Forwarded-For: 192.0.2.5, 203.0.113.9, 10.0.0.2", false, false, false},
		{"client that claims to be good", proxy, "X-Forwarded-For: 203.0.113.9, 192.0.2.5", true, true, true},
		{"two lines", proxy, "X-Forwarded-For: 192.0.2.5\nX-Forwarded-For: 10.0.0.2, 10.0.0.3", true, false, true},
		{"claim in the line before", proxy, "X-Forwarded-For: 192.0.2.5\nX-Forwarded-For: 203.0.113.9", false, false, false},
		{"all are proxies", proxy, "X-Forwarded-For: 10.0.0.9, 172.16.1.1", false, false, false},
		{"with a port", proxy, "X-Forwarded-For: 192.0.2.5:1234", true, true, true},
		{"IPv6", proxy, "X-Forwarded-For: 2001:db8:bad::1", true, true, true},
		{"IPv6 with a port", proxy, "X-Forwarded-For: [2001:db8:bad::1]:80, fd00::1", true, false, true},
		{"IPv4 as IPv6", proxy, "X-Forwarded-For: ::ffff:192.0.2.5", true, true, true},
		{"no field behind a proxy", proxy, "X-A: b", false, false, false},
	} {
		for position, want := range map[string]bool{"FIRST": tc.first, "LAST": tc.last, "ANY": tc.any} {
			in := from(requestOf(t, "GET /\n"+tc.fields), tc.source)
			if got := w.blocks(t, statement(position, "NO_MATCH"), in); got != want {
				t.Errorf("%s, %s: %v, want %v", tc.name, position, got, want)
			}
		}
	}
	for _, value := range []string{"", "unknown", "1.2.3", "1.2.3.4.5", "1.2.3.256", "192.0.2.5, x", "fe80::1%eth0", "[::1", ":1", ",", "192.0.2.5" + strings.Repeat(",10.0.0.1", 10)} {
		for fallback, want := range map[string]bool{"MATCH": true, "NO_MATCH": false} {
			in := from(requestOf(t, "GET /\nX-Forwarded-For: "+value), proxy)
			if got := w.blocks(t, statement("FIRST", fallback), in); got != want {
				t.Errorf("%q with %s: %v", value, fallback, got)
			}
		}
	}
	if w.blocks(t, statement("FIRST", "MATCH"), from(requestOf(t, "GET /"), proxy)) {
		t.Error("without the field the statement applies")
	}
}
