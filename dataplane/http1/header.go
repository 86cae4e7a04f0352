package http1

import "math"

// ID names the header fields that a gateway treats specially. Every other
// field has ID 0.
type ID uint8

// Special header fields.
const (
	Other ID = iota
	Accept
	AcceptEncoding
	Authorization
	Connection
	ContentEncoding
	ContentLength
	ContentMD5
	ContentType
	Date
	Expect
	Host
	KeepAlive
	MaxForwards
	ProxyAuthenticate
	ProxyAuthorization
	ProxyConnection
	Server
	SetCookie
	TE
	Trailer
	TransferEncoding
	Upgrade
	UserAgent
	Via
	WWWAuthenticate
	XAmznRequestID
	XAmznTraceID
	XAPIKey
	XForwardedFor
	XForwardedPort
	XForwardedProto
	XHTTPMethodOverride
	XAmznAPIID
	Forwarded

	// Fields of caching, conditional and range requests (RFC 9110 sections 13
	// and 14, RFC 9111, RFC 9211, RFC 9213).
	Age
	CDNCacheControl
	CacheControl
	CacheStatus
	ContentLocation
	ContentRange
	ETag
	Expires
	IfMatch
	IfModifiedSince
	IfNoneMatch
	IfRange
	IfUnmodifiedSince
	LastModified
	Location
	Pragma
	Range
	Vary

	// Fields that a cache distrusts in requests: who asks, and what some backends
	// take for the host or the target.
	Cookie
	Origin
	XForwardedHost
	XForwardedScheme
	XOriginalURL
	XRewriteURL
	numIDs
)

// lastTrusted is the last of the IDs that decide framing or identity.
const lastTrusted = Forwarded

// idNames has the lower-case name of each special field.
var idNames = [numIDs]string{
	Accept: "accept", AcceptEncoding: "accept-encoding", Authorization: "authorization",
	Connection: "connection", ContentEncoding: "content-encoding", ContentLength: "content-length",
	ContentMD5: "content-md5", ContentType: "content-type", Date: "date", Expect: "expect",
	Host: "host", KeepAlive: "keep-alive", MaxForwards: "max-forwards",
	ProxyAuthenticate: "proxy-authenticate", ProxyAuthorization: "proxy-authorization",
	ProxyConnection: "proxy-connection", Server: "server", SetCookie: "set-cookie", TE: "te",
	Trailer: "trailer", TransferEncoding: "transfer-encoding", Upgrade: "upgrade",
	UserAgent: "user-agent", Via: "via", WWWAuthenticate: "www-authenticate",
	XAmznRequestID: "x-amzn-requestid", XAmznTraceID: "x-amzn-trace-id", XAPIKey: "x-api-key",
	XForwardedFor: "x-forwarded-for", XForwardedPort: "x-forwarded-port",
	XForwardedProto: "x-forwarded-proto", XHTTPMethodOverride: "x-http-method-override",
	XAmznAPIID: "x-amzn-apigateway-api-id", Forwarded: "forwarded",

	Age: "age", CDNCacheControl: "cdn-cache-control", CacheControl: "cache-control",
	CacheStatus: "cache-status", ContentLocation: "content-location", ContentRange: "content-range",
	ETag: "etag", Expires: "expires", IfMatch: "if-match", IfModifiedSince: "if-modified-since",
	IfNoneMatch: "if-none-match", IfRange: "if-range", IfUnmodifiedSince: "if-unmodified-since",
	LastModified: "last-modified", Location: "location", Pragma: "pragma", Range: "range", Vary: "vary",

	Cookie: "cookie", Origin: "origin", XForwardedHost: "x-forwarded-host", XForwardedScheme: "x-forwarded-scheme",
	XOriginalURL: "x-original-url", XRewriteURL: "x-rewrite-url",
}

// Set is a set of IDs.
type Set uint64

// Every ID has its bit in a Set.
var _ [64 - numIDs]struct{}

// NewSet returns the set of ids.
func NewSet(ids ...ID) Set {
	var s Set
	for _, id := range ids {
		s |= 1 << id
	}
	return s
}

// Has reports whether id is in the set. Other never is.
func (s Set) Has(id ID) bool { return s&^1>>id&1 == 1 }

// idTable finds an ID by a hash of length, first, middle and last letter.
var idTable [256]ID

func init() {
	for id := Other + 1; id < numIDs; id++ {
		h := idHash([]byte(idNames[id]))
		for idTable[h] != Other { // open addressing; resolved here once
			h++
		}
		idTable[h] = id
	}
}

func idHash(name []byte) uint8 {
	n := len(name)
	h := uint32(n)*31 + uint32(name[0]|0x20)*7 + uint32(name[n/2]|0x20)*13 + uint32(name[n-1]|0x20)*3
	return uint8(h ^ h>>8)
}

// FindID returns the ID of a field name, in any case.
func FindID(name []byte) ID {
	if len(name) == 0 || len(name) > 24 {
		return Other
	}
	for h := idHash(name); ; h++ {
		id := idTable[h]
		if id == Other || EqualFold(name, idNames[id]) {
			return id
		}
	}
}

// Header is one field line of a head, by position within the head's bytes.
type Header struct {
	start, end       uint32 // the line with its CRLF
	valStart, valEnd uint32 // the value without surrounding white space
	nameLen          uint16
	ID               ID
}

// Headers are the field lines of a head in the order received.
type Headers struct {
	head    []byte
	lines   []Header
	present Set
}

// Present returns which special fields there are.
func (h *Headers) Present() Set { return h.present &^ (1 << Other) }

// Len returns the number of field lines.
func (h *Headers) Len() int { return len(h.lines) }

// ID returns the ID of line i.
func (h *Headers) ID(i int) ID { return h.lines[i].ID }

// Name returns the name of line i as received.
func (h *Headers) Name(i int) []byte {
	l := &h.lines[i]
	return h.head[l.start : l.start+uint32(l.nameLen)]
}

// Value returns the value of line i without surrounding white space.
func (h *Headers) Value(i int) []byte {
	l := &h.lines[i]
	return h.head[l.valStart:l.valEnd]
}

// Get returns the value of the first line with the special name id, or nil.
func (h *Headers) Get(id ID) []byte {
	if h.present>>id&1 == 0 {
		return nil
	}
	for i := range h.lines {
		if h.lines[i].ID == id {
			return h.Value(i)
		}
	}
	return nil
}

// Find returns the value of the first line of that name (lower case), or nil. It
// is for names that have no ID.
func (h *Headers) Find(name string) []byte {
	for i := range h.lines {
		if h.lines[i].ID == Other && EqualFold(h.Name(i), name) {
			return h.Value(i)
		}
	}
	return nil
}

// AppendLines appends to dst, as received, every line for which keep returns
// true. Neighbouring lines are copied together.
func (h *Headers) AppendLines(dst []byte, keep func(i int) bool) []byte {
	runStart, runEnd := uint32(0), uint32(0)
	for i := range h.lines {
		l := &h.lines[i]
		if !keep(i) {
			continue
		}
		if l.start != runEnd {
			dst = append(dst, h.head[runStart:runEnd]...)
			runStart = l.start
		}
		runEnd = l.end
	}
	return append(dst, h.head[runStart:runEnd]...)
}

// AppendKept is AppendLines for the lines whose ID is not in drop.
func (h *Headers) AppendKept(dst []byte, drop Set) []byte {
	runStart, runEnd := uint32(0), uint32(0)
	for i := range h.lines {
		l := &h.lines[i]
		if drop.Has(l.ID) {
			continue
		}
		if l.start != runEnd {
			dst = append(dst, h.head[runStart:runEnd]...)
			runStart = l.start
		}
		runEnd = l.end
	}
	return append(dst, h.head[runStart:runEnd]...)
}

// AppendLine appends line i as received, with its CRLF.
func (h *Headers) AppendLine(dst []byte, i int) []byte {
	return append(dst, h.head[h.lines[i].start:h.lines[i].end]...)
}

// parse reads field lines from head[at:] to the empty line that ends the head.
// It returns the position after that line.
func (h *Headers) parse(head []byte, at, maxCount int) (int, Fault) {
	h.head, h.lines, h.present = head, h.lines[:0], 0
	if len(head) > math.MaxInt32 {
		return 0, FaultHeader
	}
	for {
		if at+1 < len(head) && head[at] == '\r' && head[at+1] == '\n' {
			return at + 2, 0
		}
		start := at
		for at < len(head) && isToken[head[at]] {
			at++
		}
		name := head[start:at]
		// A line that begins with white space (obsolete folding), a space before
		// the colon and an empty name all end here.
		if len(name) == 0 || len(name) > math.MaxUint16 || at >= len(head) || head[at] != ':' {
			return 0, FaultHeader
		}
		at++
		for at < len(head) && (head[at] == ' ' || head[at] == '\t') {
			at++
		}
		valStart := at
		for at < len(head) && isFieldValue[head[at]] {
			at++
		}
		if at+1 >= len(head) || head[at] != '\r' || head[at+1] != '\n' {
			return 0, FaultHeader
		}
		valEnd := at
		for valEnd > valStart && (head[valEnd-1] == ' ' || head[valEnd-1] == '\t') {
			valEnd--
		}
		at += 2
		if len(h.lines) == maxCount {
			return 0, FaultHeaderCount
		}
		id := FindID(name)
		if id == Other && looksSpecial(name) {
			return 0, FaultHeader
		}
		h.present |= 1 << id
		h.lines = append(h.lines, Header{
			start: uint32(start), end: uint32(at),
			valStart: uint32(valStart), valEnd: uint32(valEnd),
			nameLen: uint16(len(name)), ID: id,
		})
	}
}

// looksSpecial reports whether name becomes one that decides framing or
// identity when underscores are read as hyphens, as CGI-style servers do.
func looksSpecial(name []byte) bool {
	underscore := false
	for _, c := range name {
		if c == '_' {
			underscore = true
			break
		}
	}
	if !underscore || len(name) > 24 {
		return false
	}
	var buf [24]byte
	folded := buf[:copy(buf[:], name)]
	for i, c := range folded {
		if c == '_' {
			folded[i] = '-'
		}
	}
	id := FindID(folded)
	return id != Other && id <= lastTrusted
}
