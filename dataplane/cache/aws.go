package cache

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// rewriting are request fields that some backends take for the host, the target
// or the method, which the key then does not have.
var rewriting = http1.NewSet(http1.Forwarded, http1.XForwardedHost, http1.XForwardedScheme,
	http1.XHTTPMethodOverride, http1.XOriginalURL, http1.XRewriteURL)

// distrusted are the request fields that a backend may make a different answer
// of, to a different client, without saying so.
var distrusted = rewriting | http1.NewSet(http1.Authorization, http1.Cookie, http1.Range, http1.IfRange)

// suspicious are parts of the names of other such fields.
var suspicious = [][]byte{
	[]byte("auth"), []byte("token"), []byte("session"), []byte("user"), []byte("cookie"), []byte("jwt"), []byte("secret"),
	[]byte("credential"), []byte("identity"), []byte("tenant"), []byte("account"), []byte("customer"), []byte("principal"),
	[]byte("host"), []byte("forwarded"), []byte("original"), []byte("rewrite"), []byte("override"), []byte("-url"),
	[]byte("-uri"), []byte("-ip"), []byte("cert"),
}

// Rewrites reports whether a request has a field that may make its key wrong.
func Rewrites(r *http1.Request) bool { return r.Present()&rewriting != 0 }

// Usable reports whether, in mode aws, the cache has to do with the request. One
// with a field that may make its answer another client's is neither answered
// from the cache nor kept there, unless the field is declared as a key
// parameter; AWS would do both.
func (m *Method) Usable(r *http1.Request, verb http1.Verb) bool {
	if r.HasBody() || r.Present()&(m.distrusted&^m.declared) != 0 {
		return false
	}
	for i := range r.Len() {
		if r.ID(i) == http1.Other && looksPersonal(r.Name(i)) && !m.declaresField(r.Name(i)) && !m.isCallerField(r.Name(i)) {
			return false
		}
	}
	if verb == http1.HEAD { // the length of what it has no body of is not kept
		return false
	}
	return verb == m.verb || m.verb == http1.VerbOther && verb == http1.GET
}

func (m *Method) isCallerField(name []byte) bool {
	for _, field := range m.callerFields {
		if http1.EqualFold(name, field) {
			return true
		}
	}
	return false
}

// looksPersonal reports whether a field's name says that its value tells clients
// or targets apart.
func looksPersonal(name []byte) bool {
	var buf [64]byte
	if len(name) > len(buf) {
		return true
	}
	lower := buf[:copy(buf[:], name)]
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c | 0x20
		}
	}
	if bytes.HasPrefix(lower, []byte("sec-")) { // which browsers say of themselves
		return false
	}
	for _, part := range suspicious {
		if bytes.Contains(lower, part) {
			return true
		}
	}
	return false
}

// Invalidates reports whether the client asks to replace the entry:
// Cache-Control: max-age=0, and that alone, as on AWS.
func Invalidates(r *http1.Request) bool {
	return http1.EqualFold(r.Get(http1.CacheControl), "max-age=0")
}

// Storable reports whether, in mode aws, an answer may be kept: no error, no
// part, nothing that the backend says is for one client (Set-Cookie, private,
// no-store) or that varies by more than the declared parameters.
func (m *Method) Storable(status int, resp *http1.Response) bool {
	switch {
	case status >= 200 && status < 300 && status != 206:
	case status == 300, status == 301, status == 308:
	default:
		return false
	}
	if resp.ContentLength < 0 && !resp.Chunked && !http1.NoBody(resp.Status, http1.VerbOther) {
		return false // it ends with the connection, and may have been cut off
	}
	if resp.Status == 206 || resp.Present()&http1.NewSet(http1.SetCookie, http1.ContentRange, http1.WWWAuthenticate) != 0 {
		return false
	}
	for i := range resp.Len() {
		switch resp.ID(i) {
		case http1.CacheControl:
			if forOneClient(resp.Value(i)) {
				return false
			}
		case http1.Vary:
			if !m.declares(resp.Value(i)) {
				return false
			}
		case http1.ContentEncoding:
			if !m.declared.Has(http1.AcceptEncoding) && !http1.EqualFold(resp.Value(i), "identity") {
				return false
			}
		case http1.Other:
			if http1.EqualFold(resp.Name(i), "access-control-allow-origin") && !m.declared.Has(http1.Origin) && string(resp.Value(i)) != "*" {
				return false
			}
		}
	}
	return true
}

// forOneClient looks for private and no-store, also inside of what it cannot
// read: then it is no loss not to keep the answer.
func forOneClient(value []byte) bool {
	lower := bytes.ToLower(value)
	return bytes.Contains(lower, []byte("private")) || bytes.Contains(lower, []byte("no-store"))
}

// declares reports whether all fields that a Vary names are key parameters.
func (m *Method) declares(vary []byte) bool {
	for len(vary) > 0 {
		var name []byte
		name, vary, _ = bytes.Cut(vary, []byte{','})
		if name = bytes.Trim(name, " \t"); len(name) > 0 && !m.declaresField(name) {
			return false
		}
	}
	return true
}

func (m *Method) declaresField(name []byte) bool {
	for i := range m.params {
		if p := &m.params[i]; p.source == fromHeader && http1.EqualFold(name, p.name) {
			return true
		}
	}
	return false
}
