package sigv4

const upperHex = "0123456789ABCDEF"

// isUnreserved marks the characters that are never encoded (RFC 3986 section
// 2.3).
var isUnreserved [256]bool

func init() {
	for c := range isUnreserved {
		isUnreserved[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '-' || c == '.' || c == '_' || c == '~'
	}
}

func appendEncoded(dst []byte, b byte) []byte {
	if isUnreserved[b] {
		return append(dst, b)
	}
	return append(dst, '%', upperHex[b>>4], upperHex[b&15])
}

// appendReencoded encodes what a query component means. Its percent-encoding
// is valid, as that of a parsed request is.
func appendReencoded(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '+':
			dst = append(dst, "%20"...)
		case b == '%' && i+2 < len(text):
			dst = appendEncoded(dst, unhex(text[i+1])<<4|unhex(text[i+2]))
			i += 2
		default:
			dst = appendEncoded(dst, b)
		}
	}
	return dst
}

// unhex returns the value of a hexadecimal digit.
func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
