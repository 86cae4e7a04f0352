package http1

import "bytes"

// Verb is a request method that a resource can have.
type Verb uint8

// Verbs. VerbOther is a valid token that no resource can have.
const (
	VerbOther Verb = iota
	DELETE
	GET
	HEAD
	OPTIONS
	PATCH
	POST
	PUT
)

var verbNames = [...]string{"", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

func (v Verb) String() string { return verbNames[v] }

// Idempotent reports whether repeating the request changes nothing more (RFC
// 9110 section 9.2.2).
func (v Verb) Idempotent() bool { return v != VerbOther && v != POST && v != PATCH }

// Safe reports whether the method is safe (RFC 9110 section 9.2.1).
func (v Verb) Safe() bool { return v == GET || v == HEAD || v == OPTIONS }

// ParseVerb returns the Verb of an exact method name.
func ParseVerb(name []byte) Verb {
	for v := DELETE; v <= PUT; v++ {
		if string(name) == verbNames[v] {
			return v
		}
	}
	return VerbOther
}

// Limits bound a request head.
type Limits struct {
	Target int // bytes of the request target
	Header int // bytes of all field lines with their line ends
	Count  int // field lines
}

// headRoom is what a head holds besides target and field lines: an empty line
// before it, the method, the version and the line ends.
const headRoom = 2 + 64 + 16

// Max returns the most bytes a head within the limits can have.
func (l Limits) Max() int { return l.Target + l.Header + headRoom }

// Request is a parsed request head. Its slices point into the bytes it was
// parsed from, and are valid as long as those are.
type Request struct {
	Headers

	Method []byte
	Verb   Verb
	Target []byte // the origin-form as received: Path, and "?"+Query if HasQuery
	Path   []byte // starts with "/"
	Query  []byte
	Host   []byte // lower case, without port; empty only in HTTP/1.0
	Minor  int    // 0 or 1

	Framing
	HasQuery       bool
	KeepAlive      bool
	ExpectContinue bool
	Nominated      bool // Connection names other fields than close and keep-alive
}

// HasBody reports whether body bytes follow the head.
func (r *Request) HasBody() bool { return r.Chunked || r.ContentLength > 0 }

// HeadEnd looks for the empty line that ends a head, where buf[:scanned] has
// been looked through before. It returns the length of the head, or 0 when the
// end has not arrived. A head that begins with an empty line is cut after the
// second one.
func HeadEnd(buf []byte, scanned int) int {
	at := max(scanned-3, 0)
	if scanned < 3 {
		if len(buf) < 3 {
			return 0
		}
		if buf[0] == '\r' && buf[1] == '\n' { // one empty line is let pass (RFC 9112 section 2.2)
			switch at = 2; {
			case buf[2] == '\n':
				return 3
			case buf[2] == '\r' && len(buf) == 3:
				return 0
			case buf[2] == '\r' && buf[3] == '\n':
				return 4
			}
		}
	}
	for {
		i := bytes.IndexByte(buf[at:], '\n')
		if i < 0 {
			return 0
		}
		at += i + 1
		if at < len(buf) && buf[at] == '\n' { // refused by Parse
			return at + 1
		}
		if at+1 < len(buf) && buf[at] == '\r' && buf[at+1] == '\n' {
			return at + 2
		}
	}
}

// Reset forgets the last request, so that nothing of it is taken for part of one
// that cannot be read.
func (r *Request) Reset() {
	*r = Request{Headers: Headers{lines: r.lines[:0]}, Minor: 1, Framing: noBody}
}

// Head returns the bytes that were parsed: from the request line to the empty
// line.
func (r *Request) Head() []byte { return r.head }

// Parse reads the head that is exactly buf, as HeadEnd cut it. Host may be
// lower-cased in place. After a fault the fields read so far are set.
func (r *Request) Parse(buf []byte, limits Limits) Fault {
	r.Reset()
	at := 0
	if len(buf) > 2 && buf[0] == '\r' && buf[1] == '\n' {
		at = 2
	}
	start := at
	for at < len(buf) && isToken[buf[at]] {
		at++
	}
	r.Method = buf[start:at]
	if len(r.Method) == 0 || len(r.Method) > 32 || at >= len(buf) || buf[at] != ' ' {
		return FaultRequestLine
	}
	r.Verb = ParseVerb(r.Method)
	at++
	start = at
	for at < len(buf) && buf[at] > ' ' && buf[at] < 0x7f {
		at++
	}
	target := buf[start:at]
	if at >= len(buf) || buf[at] != ' ' {
		if len(target) > limits.Target {
			return FaultTargetLength
		}
		return FaultTarget
	}
	if len(target) > limits.Target {
		return FaultTargetLength
	}
	at++
	const version = "HTTP/1."
	if len(buf) < at+len(version)+3 || string(buf[at:at+len(version)]) != version {
		return FaultVersion
	}
	at += len(version)
	r.Minor = int(buf[at]) - '0'
	if r.Minor != 0 && r.Minor != 1 {
		return FaultVersion
	}
	if buf[at+1] != '\r' || buf[at+2] != '\n' {
		return FaultRequestLine
	}
	at += 3
	end, fault := r.Headers.parse(buf, at, limits.Count)
	if fault != 0 {
		if fault == FaultHeader && len(buf)-at-2 > limits.Header {
			return FaultHeaderSize
		}
		return fault
	}
	if end-at-2 > limits.Header {
		return FaultHeaderSize
	}
	if end != len(buf) { // HeadEnd saw an end that the fields do not have
		return FaultHeader
	}
	if fault := r.fields(); fault != 0 {
		return fault
	}
	return r.target(target)
}

// OversizedHead tells which limit a head breaks that has no end within
// Limits.Max bytes.
func OversizedHead(buf []byte, limits Limits) Fault {
	line := bytes.IndexByte(buf, '\n')
	if line == 1 { // after an empty line
		line = 2 + bytes.IndexByte(buf[2:], '\n')
	}
	if line < 2 || line > limits.Target+headRoom {
		return FaultTargetLength
	}
	return FaultHeaderSize
}

// fields reads host, framing and connection options (RFC 9112 sections 3.2, 6
// and 9).
func (r *Request) fields() Fault {
	r.KeepAlive = r.Minor == 1
	hosts, closing := 0, false
	for i := range r.lines {
		switch r.lines[i].ID {
		case Host:
			hosts++
			if hosts > 1 {
				return FaultHost
			}
			r.Host = r.Value(i)
		case ContentLength, TransferEncoding:
			if fault := r.Framing.read(r.lines[i].ID, r.Value(i), r.Minor); fault != 0 {
				return fault
			}
		case Expect:
			if r.Minor == 0 {
				continue
			}
			if !EqualFold(r.Value(i), "100-continue") {
				return FaultExpect
			}
			r.ExpectContinue = true
		case Connection:
			closing = r.connection(r.Value(i)) || closing
		}
	}
	if closing {
		r.KeepAlive = false
	}
	if hosts == 0 && r.Minor == 1 {
		return FaultHost
	}
	if hosts == 1 {
		host, ok := parseHost(r.Host)
		if !ok {
			return FaultHost
		}
		r.Host = host
	}
	return 0
}

// connection reads one list of options and reports whether it has close, which
// beats keep-alive wherever that stands.
func (r *Request) connection(list []byte) (closing bool) {
	for len(list) > 0 {
		var option []byte
		option, list = nextElement(list)
		switch {
		case EqualFold(option, "close"):
			closing = true
		case EqualFold(option, "keep-alive"):
			r.KeepAlive = true
		case len(option) > 0:
			r.Nominated = true
		}
	}
	return closing
}

// neverNominated are fields that a Connection header cannot have removed: who
// calls, for whom, and where to.
var neverNominated = NewSet(Host, Authorization, XAPIKey, XForwardedFor, XForwardedPort,
	XForwardedProto, Forwarded, ContentLength, TransferEncoding, ContentType, XAmznTraceID, XAmznRequestID)

// forwardedPrefix begins the names of fields that proxies before us may have
// set; none of them can be nominated either.
const forwardedPrefix = "x-forwarded-"

// NominatedBy reports whether a Connection field names line i as meant for this
// hop only (RFC 9110 section 7.6.1).
func (r *Request) NominatedBy(i int) bool {
	if !r.Nominated || neverNominated.Has(r.lines[i].ID) {
		return false
	}
	name := r.Name(i)
	if len(name) >= len(forwardedPrefix) && EqualFold(name[:len(forwardedPrefix)], forwardedPrefix) {
		return false
	}
	for c := range r.lines {
		if r.lines[c].ID != Connection {
			continue
		}
		for list := r.Value(c); len(list) > 0; {
			var option []byte
			if option, list = nextElement(list); bytes.EqualFold(option, name) {
				return true
			}
		}
	}
	return false
}
