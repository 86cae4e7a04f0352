package jwt

import (
	"bytes"
	"strings"
)

// maxToken bounds a token, in bytes.
const maxToken = 8 << 10

// token is a token taken apart, of which nothing is verified yet. It is reused,
// with its memory.
type token struct {
	alg, kid  string
	signed    []byte // header and payload as they are: what is signed
	signature []byte
	claims    members

	header  members
	names   []string
	decoded [maxToken]byte
}

// parse takes a token in compact serialization apart (RFC 7515 section 7.1). It
// returns 0, or why the token is refused. It keeps raw.
func (t *token) parse(raw []byte) Result {
	if len(raw) > maxToken {
		return Malformed
	}
	if bytes.Count(raw, []byte{'.'}) != 2 {
		return NotThreeParts
	}
	first, last := bytes.IndexByte(raw, '.'), bytes.LastIndexByte(raw, '.')
	header, ok1 := t.decode(t.decoded[:0], raw[:first])
	text := string(header)
	payload, ok2 := t.decode(t.decoded[:0], raw[first+1:last])
	claims := string(payload)
	signature, ok3 := t.decode(t.decoded[:0], raw[last+1:])
	if !ok1 || !ok2 || !ok3 {
		return Malformed
	}
	t.signed, t.signature = raw[:last], signature
	if r := t.readHeader(text); r != 0 {
		return r
	}
	var ok bool
	if t.claims, t.names, ok = readObject(claims, t.claims[:0], t.names); !ok {
		return Malformed
	}
	return 0
}

// decode reads base64url, of which there must be some. The decoder would skip
// line breaks.
func (t *token) decode(dst, part []byte) ([]byte, bool) {
	if len(part) == 0 || bytes.IndexByte(part, '\n') >= 0 || bytes.IndexByte(part, '\r') >= 0 {
		return nil, false
	}
	out, err := base64url.AppendDecode(dst, part)
	return out, err == nil
}

// readHeader reads a JOSE header (RFC 7515 section 4). What tells a reader where
// to find a key (jku, jwk, x5u, x5c) is ignored: only the issuer says that.
func (t *token) readHeader(text string) Result {
	var ok bool
	if t.header, t.names, ok = readObject(text, t.header[:0], t.names); !ok {
		return Malformed
	}
	t.alg, t.kid = "", ""
	for i := range t.header {
		m := &t.header[i]
		switch m.name {
		case "alg", "kid", "typ", "cty":
			if m.kind != isString {
				return Malformed
			}
		case "crit", "b64", "zip", "enc": // what we do not understand, must not ignore, or what is no JWS
			return Malformed
		}
		switch m.name {
		case "alg":
			t.alg = m.text
		case "kid":
			t.kid = m.text
		case "typ":
			if otherUse(m.text) {
				return WrongUse
			}
		case "cty": // RFC 7519 section 5.2: a token in the token
			return Malformed
		}
	}
	switch {
	case !supported(t.alg):
		return WrongAlgorithm
	case t.kid == "" || len(t.kid) > maxKeyID:
		return UnknownKey
	}
	return 0
}

// otherUse reports whether a typ names another kind of token than those for
// access, such as logout+jwt or dpop+jwt (RFC 8725 section 3.11).
func otherUse(typ string) bool {
	const end, access = "+jwt", "at+jwt" // RFC 9068
	return hasSuffixFold(typ, end) && !hasSuffixFold(typ, access)
}

func hasSuffixFold(text, end string) bool {
	return len(text) >= len(end) && strings.EqualFold(text[len(text)-len(end):], end)
}

// forget lets go of what the token holds on to.
func (t *token) forget() {
	clear(t.claims)
	clear(t.header)
	clear(t.names[:cap(t.names)])
	t.alg, t.kid, t.signed, t.signature = "", "", nil, nil
}
