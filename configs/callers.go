package configs

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// validateCallers checks what says who calls: issuers, functions, certificates.
func validateCallers(r *report, h *Host) {
	between(r, "authorizers.max_calls", h.Authorizers.MaxCalls, 1, 1<<16)
	between(r, "authorizers.max_waiting", h.Authorizers.MaxWaiting, 1, 1<<20)
	t, seen := &h.Tokens, map[string]string{}
	for i, issuer := range t.Issuers {
		at := fmt.Sprintf("tokens.issuers[%d]", i)
		validateURL(r, at+".issuer", issuer.Issuer, true)
		validateURL(r, at+".jwks_uri", issuer.JWKSURI, t.AllowHTTP)
		unique(r, seen, issuer.Issuer, at+".issuer")
	}
	pools := map[string]string{}
	for i, p := range t.UserPools {
		at := fmt.Sprintf("tokens.user_pools[%d]", i)
		if p.Pool == "" {
			r.failAt(at+".pool", "empty", "write the id of the user pool, such as us-east-1_a1B2c3D4e, or its ARN")
		}
		unique(r, pools, p.Pool, at+".pool")
		validateURL(r, at+".issuer", p.Issuer, t.AllowHTTP)
		if p.JWKSURI != "" {
			validateURL(r, at+".jwks_uri", p.JWKSURI, t.AllowHTTP)
		}
	}
	if h.Lambda.Endpoint != "" {
		validateURL(r, "lambda.endpoint", h.Lambda.Endpoint, true)
	}
	functions := map[string]string{}
	for i, f := range h.Lambda.Functions {
		at := fmt.Sprintf("lambda.functions[%d]", i)
		if f.Name == "" {
			r.failAt(at+".name", "empty", "write the name of the function")
		}
		unique(r, functions, f.Name, at+".name")
		validateURL(r, at+".url", f.URL, true)
	}
	validateLogged(r, h.AccessLog.Context)
	secure := slices.ContainsFunc(h.Listeners, func(l Listener) bool { return l.TLS != nil })
	for i := range h.Domains {
		validateMutualTLS(r, fmt.Sprintf("domains[%d]", i), &h.Domains[i], secure)
	}
}

// validateLogged checks the names of variables in the access log.
func validateLogged(r *report, names []string) {
	seen := map[string]string{}
	for i, name := range names {
		at := fmt.Sprintf("access_log.context[%d]", i)
		if rest, ok := strings.CutPrefix(name, "authorizer."); !ok || rest == "" || strings.ContainsFunc(rest, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			r.failAt(at, fmt.Sprintf("%q is nothing that an authorizer says", name), "write authorizer. and a name, such as authorizer.claims.email or authorizer.principalId")
		}
		unique(r, seen, name, at)
	}
}

func validateURL(r *report, at, text string, allowHTTP bool) {
	fix := "write one like https://issuer.example.com/path"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "":
		r.failAt(at, fmt.Sprintf("%q is not a URL", text), fix)
	case u.Scheme == "http" && !allowHTTP:
		r.failAt(at, fmt.Sprintf("%q is not https", text), fix+", or set tokens.allow_http: true")
	}
}

// validateMutualTLS checks the mutual TLS of a domain; secure says that the host
// has a listener with TLS.
func validateMutualTLS(r *report, at string, d *Domain, secure bool) {
	m := d.MutualTLS
	if m == nil {
		return
	}
	if !secure {
		r.failAt(at+".mutual_tls", "no listener has TLS, so nobody could be asked", "give a listener `tls`")
	}
	if strings.Contains(d.Name, "*") || net.ParseIP(d.Name) != nil {
		r.failAt(at+".mutual_tls", fmt.Sprintf("not for %q", d.Name), "name the domain in full: it is chosen by the client's server name (SNI)")
	}
	if m.Truststore == "" {
		r.failAt(at+".mutual_tls.truststore", "empty", "name a PEM file of certificate authorities")
	}
	for i, crl := range m.CRLs {
		if crl == "" {
			r.failAt(fmt.Sprintf("%s.mutual_tls.crls[%d]", at, i), "empty", "name a file of a certificate revocation list")
		}
	}
}
