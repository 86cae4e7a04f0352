package http1

import "bytes"

// Query goes through the name=value pairs of a query, which whoever matches,
// maps or keys parameters reads in this one way. Empty pairs are left out.
type Query struct {
	Rest  []byte // what Next has yet to read: set it to Request.Query
	Name  []byte // as it came
	Value []byte // as it came; empty also without "="
}

// Next reads the next pair.
func (q *Query) Next() bool {
	for len(q.Rest) > 0 {
		pair := q.Rest
		if i := bytes.IndexByte(q.Rest, '&'); i >= 0 {
			pair, q.Rest = q.Rest[:i], q.Rest[i+1:]
		} else {
			q.Rest = nil
		}
		if len(pair) == 0 {
			continue
		}
		q.Name, q.Value, _ = bytes.Cut(pair, []byte{'='})
		return true
	}
	return false
}

// maxQueryName bounds encoded names that are compared, in bytes.
const maxQueryName = 1024

// Is compares the pair's name, decoded, with name.
func (q *Query) Is(name string) bool {
	if bytes.IndexByte(q.Name, '%') < 0 && bytes.IndexByte(q.Name, '+') < 0 {
		return string(q.Name) == name
	}
	if len(q.Name) > maxQueryName {
		return false
	}
	var buf [maxQueryName]byte
	return string(AppendUnescaped(buf[:0], q.Name)) == name
}

// AppendUnescaped decodes a query component whose percent-encoding is valid, as
// that of a parsed request is.
func AppendUnescaped(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '+':
			dst = append(dst, ' ')
		case b[i] == '%' && i+2 < len(b):
			dst = append(dst, hexDigit(b[i+1])<<4|hexDigit(b[i+2]))
			i += 2
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

func hexDigit(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
