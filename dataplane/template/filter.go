package template

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"unicode/utf8"
)

// apply appends a text as a $util function makes it.
func apply(dst, text []byte, f filter) []byte {
	switch f {
	case urlEncode:
		return append(dst, url.QueryEscape(string(text))...)
	case base64Encode:
		return base64.StdEncoding.AppendEncode(dst, text)
	case escapeJavaScript:
		return appendEscaped(dst, text)
	}
	return append(dst, text...)
}

// appendEscaped does what $util.escapeJavaScript does, with single quotes as they
// are: a \' is no escape of JSON, for which AWS's own guide has it removed.
func appendEscaped(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '"' || r == '\\' || r == '/':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ':
			dst = fmt.Appendf(dst, `\u%04X`, r)
		default:
			dst = append(dst, text[:n]...)
		}
		text = text[n:]
	}
	return dst
}
