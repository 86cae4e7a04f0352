package proxy

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Body says how a request's body goes to the backend.
type Body struct {
	Length  int64 // bytes; ignored if Chunked
	Chunked bool
}

// Edge is what the gateway tells the backend about the client.
type Edge struct {
	SourceIP []byte // of the TCP peer
	Port     string // the client asked for
	Proto    string // "http" or "https"
	TraceID  []byte // for X-Amzn-Trace-Id, complete

	Without http1.Set // fields of the client that a cache keeps to itself
	Fields  []byte    // lines that it asks with instead
}

// PassThrough reports whether the integration is HTTP_PROXY.
func (p *Program) PassThrough() bool { return p.passThrough }

// Verb returns the method that the backend gets for a client's verb.
func (p *Program) Verb(client http1.Verb) http1.Verb {
	if p.verb == http1.VerbOther {
		return client
	}
	return p.verb
}

// SendsBody reports whether a body goes with a verb to the backend: AWS sends
// none with GET, HEAD and OPTIONS.
func SendsBody(backend http1.Verb) bool {
	return backend != http1.GET && backend != http1.HEAD && backend != http1.OPTIONS
}

// AppendRequest appends the head of the backend's request.
func (p *Program) AppendRequest(dst []byte, r *http1.Request, verb http1.Verb, in Input, edge *Edge, body Body) []byte {
	dst = append(dst, verb.String()...)
	dst = append(dst, ' ')
	dst = p.appendTarget(dst, r, in)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = p.appendHost(dst, r, in)
	if p.passThrough {
		dst = p.appendHeaders(dst, r, edge.Without)
	} else {
		dst = p.appendDefaults(dst, r, SendsBody(verb))
	}
	if p.mapped != nil {
		for i := range p.mapped.headers {
			dst = p.mapped.headers[i].appendTo(dst, r, in)
		}
	}
	dst = append(dst, edge.Fields...)
	dst = appendForwarded(dst, r, edge)
	dst = append(dst, p.shared.apiID...)
	dst = append(dst, "X-Amzn-Trace-Id: "...)
	dst = append(dst, edge.TraceID...)
	if body.Chunked {
		return append(dst, "\r\nTransfer-Encoding: chunked\r\n\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	if body.Length > 0 || SendsBody(verb) {
		dst = http1.AppendContentLength(dst, body.Length)
	}
	return append(dst, "\r\n"...)
}

// appendHost writes the mapped host, or the endpoint's own when what is mapped
// cannot be one: a request must have a host.
func (p *Program) appendHost(dst []byte, r *http1.Request, in Input) []byte {
	if p.mapped == nil || p.mapped.host == nil {
		return append(dst, p.shared.host...)
	}
	start := len(dst)
	dst = append(dst, "Host: "...)
	value := len(dst)
	dst, ok := p.mapped.host.appendDecoded(dst, r, in)
	if !ok || !http1.ValidHost(dst[value:]) {
		return append(dst[:start], p.shared.host...)
	}
	return append(dst, "\r\n"...)
}

// appendTarget writes the path and the query. A parameter at the start of the
// path may begin with slashes, which count as one: "//" would begin the name of
// a host to some backends.
func (p *Program) appendTarget(dst []byte, r *http1.Request, in Input) []byte {
	start := len(dst)
	for i := range p.target {
		if part := &p.target[i]; part.source == fromLiteral {
			dst = append(dst, part.text...)
		} else {
			dst = part.appendTarget(dst, r, in)
		}
	}
	if p.target[0].text == "/" {
		for len(dst) > start+1 && dst[start+1] == '/' {
			dst = append(dst[:start], dst[start+1:]...)
		}
	}
	sep := byte('?')
	if p.hasQuery {
		sep = '&'
	}
	if p.passThrough && r.HasQuery && len(r.Query) > 0 {
		dst = append(dst, sep)
		dst = append(dst, r.Query...)
		sep = '&'
	}
	if p.mapped != nil {
		for i := range p.mapped.query {
			dst, sep = p.mapped.query[i].appendQuery(dst, sep, r, in)
		}
	}
	return dst
}

// appendHeaders copies the client's fields that go through.
func (p *Program) appendHeaders(dst []byte, r *http1.Request, without http1.Set) []byte {
	drop := p.drop | without
	if v := r.Get(http1.Authorization); v != nil && bytes.HasPrefix(v, []byte("AWS4-HMAC-SHA256 ")) {
		drop |= http1.NewSet(http1.Authorization)
	}
	if !r.HasBody() { // without a body it says nothing
		drop |= http1.NewSet(http1.ContentEncoding)
	}
	if !r.Nominated && (p.mapped == nil || len(p.mapped.names) == 0) {
		dst = r.AppendKept(dst, drop)
	} else {
		dst = r.AppendLines(dst, func(i int) bool {
			return !drop.Has(r.ID(i)) && !p.mapsName(r.Name(i), r.ID(i)) && !r.NominatedBy(i)
		})
	}
	if !p.mapsID(http1.Accept) && r.Get(http1.Accept) == nil {
		dst = append(dst, "Accept: application/json\r\n"...)
	}
	if !p.mapsID(http1.UserAgent) && r.Get(http1.UserAgent) == nil {
		dst = append(dst, p.shared.agent...)
	}
	return dst
}

// mapsID and mapsName report whether a field is set by a mapping.
func (p *Program) mapsID(id http1.ID) bool { return p.mapped != nil && p.mapped.special.Has(id) }

func (p *Program) mapsName(name []byte, id http1.ID) bool {
	if id != http1.Other || p.mapped == nil {
		return false
	}
	for _, mapped := range p.mapped.names {
		if http1.EqualFold(name, mapped) {
			return true
		}
	}
	return false
}

// appendDefaults writes the fields that an HTTP integration sends unmapped.
func (p *Program) appendDefaults(dst []byte, r *http1.Request, body bool) []byte {
	if !p.mapsID(http1.Accept) {
		dst = append(dst, "Accept: application/json\r\n"...)
	}
	if !p.mapsID(http1.UserAgent) {
		dst = append(dst, p.shared.agent...)
	}
	if body && !p.mapsID(http1.ContentType) {
		if v := r.Get(http1.ContentType); v != nil {
			dst = http1.AppendField(dst, "Content-Type", v)
		} else {
			dst = append(dst, "Content-Type: application/json\r\n"...)
		}
	}
	return dst
}

// appendForwarded writes where the request came from. X-Forwarded-For keeps
// what the client said and adds the peer that said it.
func appendForwarded(dst []byte, r *http1.Request, edge *Edge) []byte {
	dst = append(dst, "X-Forwarded-For: "...)
	for i := range r.Len() {
		if r.ID(i) == http1.XForwardedFor && len(r.Value(i)) > 0 {
			dst = append(dst, r.Value(i)...)
			dst = append(dst, ", "...)
		}
	}
	if len(edge.SourceIP) > 0 {
		dst = append(dst, edge.SourceIP...)
	} else {
		dst = append(dst, "unix:"...) // a Unix socket has no address
	}
	dst = append(dst, "\r\nX-Forwarded-Port: "...)
	dst = append(dst, edge.Port...)
	dst = append(dst, "\r\nX-Forwarded-Proto: "...)
	dst = append(dst, edge.Proto...)
	return append(dst, "\r\n"...)
}
