package rfc9111

import "bytes"

// nextValue cuts an Item or an Inner List off (RFC 8941 sections 3.1.1 and 3.3).
func nextValue(b []byte) (value []byte, f form, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '(' {
		return nextItem(b)
	}
	for b = b[1:]; ; {
		b = bytes.TrimLeft(b, " ")
		if len(b) > 0 && b[0] == ')' {
			return nil, malformed, b[1:], true
		}
		if _, _, b, ok = nextItem(b); !ok {
			break
		}
		if b, ok = skipParameters(b); !ok || len(b) == 0 || b[0] != ' ' && b[0] != ')' {
			break
		}
	}
	return nil, malformed, nil, false
}

// nextItem cuts a bare item off (RFC 8941 section 3.3). An Integer comes as a
// token, as does a Token.
func nextItem(b []byte) (value []byte, f form, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, 0, nil, false
	}
	switch c := b[0]; {
	case c == '"':
		return nextString(b)
	case c == '?':
		if len(b) < 2 || b[1] != '0' && b[1] != '1' {
			return nil, 0, nil, false
		}
		return b[:2], noArgument, b[2:], true
	case c == ':':
		n := 1
		for n < len(b) && isBase64(b[n]) {
			n++
		}
		if n == len(b) || b[n] != ':' {
			return nil, 0, nil, false
		}
		return nil, malformed, b[n+1:], true
	case c == '-' || isDigit(c):
		return nextNumber(b)
	case c == '*' || isLower(lower(c)):
		n := 1
		for n < len(b) && (isToken[b[n]] || b[n] == ':' || b[n] == '/') {
			n++
		}
		return b[:n], tokenForm, b[n:], true
	}
	return nil, 0, nil, false
}

func isBase64(c byte) bool {
	return isLower(lower(c)) || isDigit(c) || c == '+' || c == '/' || c == '='
}

// nextString cuts a String off (RFC 8941 section 3.3.3).
func nextString(b []byte) (value []byte, f form, rest []byte, ok bool) {
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i], stringForm, b[i+1:], true
		case c == '\\':
			if i++; i == len(b) || b[i] != '"' && b[i] != '\\' {
				return nil, 0, nil, false
			}
		case c < ' ' || c > '~':
			return nil, 0, nil, false
		}
	}
	return nil, 0, nil, false
}

// nextNumber cuts an Integer or a Decimal off (RFC 8941 sections 3.3.1 and
// 3.3.2). No directive has a Decimal.
func nextNumber(b []byte) (value []byte, f form, rest []byte, ok bool) {
	n := 0
	if b[0] == '-' {
		n = 1
	}
	start := n
	for n < len(b) && isDigit(b[n]) {
		n++
	}
	whole := n - start
	if n == len(b) || b[n] != '.' {
		return b[:n], tokenForm, b[n:], whole > 0 && whole <= 15
	}
	point := n
	for n++; n < len(b) && isDigit(b[n]); {
		n++
	}
	fraction := n - point - 1
	return nil, malformed, b[n:], whole > 0 && whole <= 12 && fraction > 0 && fraction <= 3
}
