package http1

// isToken marks tchar of RFC 9110 section 5.6.2.
var isToken [256]bool

// isFieldValue marks field-vchar, space, tab and obs-text (RFC 9110 section 5.5).
var isFieldValue [256]bool

// isTarget marks the characters of a path and query (RFC 3986 sections 3.3 and
// 3.4), and the square brackets that clients send unencoded in queries.
var isTarget [256]bool

func init() {
	for c := 0; c < 256; c++ {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		isToken[c] = alnum || c < 0x80 && c > 0 && contains("!#$%&'*+-.^_`|~", byte(c))
		isFieldValue[c] = c == '\t' || c >= 0x20 && c != 0x7f
		isTarget[c] = alnum || c < 0x80 && c > 0 && contains("-._~!$&'()*+,;=:@/?%[]", byte(c))
	}
}

func contains(set string, c byte) bool {
	for i := 0; i < len(set); i++ {
		if set[i] == c {
			return true
		}
	}
	return false
}

// EqualFold reports whether b equals the lower-case ASCII text lower, in any case.
func EqualFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := 0; i < len(lower); i++ {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// parseLength reads a Content-Length: digits alone, no leading zero, at most 18
// of them. It returns -1 for anything else.
func parseLength(v []byte) int64 {
	if len(v) == 0 || len(v) > 18 || v[0] == '0' && len(v) > 1 {
		return -1
	}
	var n int64
	for _, c := range v {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// nextElement cuts the first element off a comma-separated list and trims it.
func nextElement(list []byte) (element, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trimOWS(list[:i]), list[i+1:]
		}
	}
	return trimOWS(list), nil
}

func trimOWS(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
