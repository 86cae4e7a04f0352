package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// reading is one way to read a request. AWS documents that parameters are signed
// in the order of their encoded bytes and white space in fields collapsed, which
// is tried first.
//
// Requests that have one signature in some reading differ in no more than the
// order and spelling of parameters and runs of white space in fields, and if
// Config.JoinSlashes is set in repeated slashes in the path.
type reading uint8

const (
	// asGoSDK is how the SDKs for Go sign: parameters in the order of their
	// decoded bytes, and only spaces collapsed, not tabs.
	asGoSDK reading = 1 << iota

	// tokenAfterwards is for clients that add the session token to a presigned
	// request once it is signed. The token is compared with the key's anyway.
	tokenAfterwards

	// joinSlashes is for Config.JoinSlashes.
	joinSlashes
)

// makeCanonical leaves the canonical request in s.canonical.
func (s *scratch) makeCanonical(r *http1.Request, c *claim, payload []byte, as reading) {
	s.canonical = append(s.canonical[:0], r.Method...)
	s.canonical = append(s.canonical, '\n')
	s.canonical = appendPath(s.canonical, r.Path, as&joinSlashes != 0)
	s.canonical = append(s.canonical, '\n')
	s.appendQuery(as)
	s.canonical = append(s.canonical, '\n')
	for name, rest := nextSigned(c.signedHeaders); name != nil; name, rest = nextSigned(rest) {
		s.canonical = appendField(s.canonical, r, name, as&asGoSDK == 0)
	}
	s.canonical = append(s.canonical, '\n')
	s.canonical = append(s.canonical, c.signedHeaders...)
	s.canonical = append(s.canonical, '\n')
	s.canonical = append(s.canonical, payload...)
}

// appendPath encodes a path as it was sent, which for most characters is the
// second time. Dot segments need no removal: http1 refuses them.
func appendPath(dst, path []byte, join bool) []byte {
	for i, b := range path {
		switch {
		case b != '/':
			dst = appendEncoded(dst, b)
		case join && i > 0 && path[i-1] == '/':
		default:
			dst = append(dst, '/')
		}
	}
	return dst
}

// appendField appends the values of every field with a name as one line.
func appendField(dst []byte, r *http1.Request, name []byte, tabs bool) []byte {
	dst = append(dst, name...)
	separator := byte(':')
	for i := range r.Len() {
		if !equalFold(r.Name(i), name) {
			continue
		}
		dst = append(dst, separator)
		dst = appendCollapsed(dst, r.Value(i), tabs)
		separator = ','
	}
	return append(dst, '\n')
}

// appendCollapsed appends a trimmed value with every run of spaces, or of any
// white space if tabs is set, as one space.
func appendCollapsed(dst, value []byte, tabs bool) []byte {
	space := false
	for _, b := range value {
		if b == '\t' && tabs {
			b = ' '
		}
		if b == ' ' && space {
			continue
		}
		space = b == ' '
		dst = append(dst, b)
	}
	return dst
}

// nextSigned cuts the first name off a list of signed headers. It is nil at the
// end.
func nextSigned(list []byte) (name, rest []byte) {
	if len(list) == 0 {
		return nil, nil
	}
	if i := bytes.IndexByte(list, ';'); i >= 0 {
		return list[:i], list[i+1:]
	}
	return list, nil
}

// equalFold compares a field name with one in lower case.
func equalFold(name, lower []byte) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		if b != lower[i] {
			return false
		}
	}
	return true
}

// signature returns the hexadecimal signature of the canonical request in s,
// which it replaces.
func (s *scratch) signature(c *claim, k *signingKey) (text [2 * sha256.Size]byte) {
	hash := sha256.Sum256(s.canonical)
	b := append(s.canonical[:0], k.inner[:]...)
	b = append(b, algorithm...)
	b = append(b, '\n')
	b = append(b, c.iso[:]...)
	b = append(b, '\n')
	b = append(b, c.scope...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, hash[:])
	s.canonical = b
	mac := k.sign(b)
	hex.Encode(text[:], mac[:])
	return text
}
