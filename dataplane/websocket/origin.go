package websocket

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Origins is the list of web origins whose pages may connect. A browser sends
// its cookies and its user's address along with a WebSocket wherever the page is
// from, so that without a list any page can speak for the user. The zero Origins
// allows none, and no request without an Origin either.
type Origins struct {
	any     bool
	null    bool
	missing bool
	exact   map[string]bool // in lower case
	suffix  []suffix
}

// suffix stands for every host below a domain.
type suffix struct{ scheme, domain string } // "https://", ".example.com:8443"

var defaultPort = map[string]string{"http": ":80", "https": ":443"}

// CompileOrigins reads a list of origins: "https://example.com",
// "https://*.example.com:8443" for all hosts below a domain, "null" for pages
// that have no origin of their own, such as files and sandboxed frames, or "*"
// for all of these. missing allows requests without an Origin, which programs
// send and browsers do not.
func CompileOrigins(list []string, missing bool) (*Origins, error) {
	o := &Origins{missing: missing, exact: map[string]bool{}}
	for _, entry := range list {
		switch lower := strings.ToLower(entry); {
		case lower == "*":
			o.any = true
		case lower == "null":
			o.null = true
		default:
			scheme, host, ok := strings.Cut(lower, "://")
			if !ok || scheme == "" || host == "" || strings.ContainsAny(host, "/?#@ ") {
				return nil, fmt.Errorf(`origin %q: want "scheme://host", "scheme://host:port", "null" or "*", without a path`, entry)
			}
			host = strings.TrimSuffix(host, defaultPort[scheme]) // browsers leave it out
			domain, below := strings.CutPrefix(host, "*.")
			if strings.Contains(domain, "*") || !http1.ValidHost([]byte(domain)) {
				return nil, fmt.Errorf(`origin %q: %q is not a host; "*." may stand at its front alone`, entry, host)
			}
			if below {
				o.suffix = append(o.suffix, suffix{scheme + "://", "." + domain})
			} else {
				o.exact[scheme+"://"+host] = true
			}
		}
	}
	return o, nil
}

// Allow reports whether a request may connect by its Origin.
func (o *Origins) Allow(u *Upgrade) bool {
	if !u.HasOrigin {
		return o.missing
	}
	if o.any || o.exact[string(u.Origin)] {
		return true
	}
	if len(u.Origin) > 300 {
		return false
	}
	origin := strings.ToLower(string(u.Origin))
	if origin == "null" {
		return o.null
	}
	if o.exact[origin] {
		return true
	}
	for _, s := range o.suffix {
		if host, ok := strings.CutPrefix(origin, s.scheme); ok && len(host) > len(s.domain) && strings.HasSuffix(host, s.domain) &&
			!strings.ContainsAny(host[:len(host)-len(s.domain)], "/?#@:[]") {
			return true
		}
	}
	return false
}
