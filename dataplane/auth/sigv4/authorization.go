package sigv4

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// readAuthorization reads the header form:
//
//	AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
//
// The parameters may come in any order, separated by commas or white space.
func (c *claim) readAuthorization(r *http1.Request, l lines) *Failure {
	value := r.Value(l.authorization)
	scheme, rest := nextWord(value, false)
	if len(rest) == 0 && !bytes.Equal(scheme, []byte(algorithm)) {
		rest = scheme // a single word is taken for a parameter
	}
	var credential []byte
	for {
		var word []byte
		if word, rest = nextWord(rest, true); len(word) == 0 {
			break
		}
		name, v, ok := bytes.Cut(word, []byte{'='})
		if !ok || len(name) == 0 {
			return incomplete("'" + string(word) + "' not a valid key=value pair (missing equal-sign) in Authorization header: '" + string(value) + "'.")
		}
		var at *[]byte
		switch string(name) {
		case "Credential":
			at = &credential
		case "SignedHeaders":
			at = &c.signedHeaders
		case "Signature":
			at = &c.signature
		default:
			continue
		}
		if *at != nil {
			return incomplete("Authorization header has more than one '" + string(name) + "' parameter. Authorization=" + string(value))
		}
		*at = v
	}

	message := ""
	if len(credential) == 0 {
		message += "Authorization header requires 'Credential' parameter. "
	}
	if len(c.signature) == 0 {
		message += "Authorization header requires 'Signature' parameter. "
	}
	if len(c.signedHeaders) == 0 {
		message += "Authorization header requires 'SignedHeaders' parameter. "
	}
	if l.amzDate < 0 && l.date < 0 {
		message += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	if message != "" {
		return incomplete(message + "Authorization=" + string(value))
	}
	if string(scheme) != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '" + string(scheme) + "'.")
	}
	if failure := c.readCredential(credential); failure != nil {
		return failure
	}
	if l.amzDate >= 0 {
		return c.readTime(r.Value(l.amzDate))
	}
	return c.readDate(r.Value(l.date))
}

// nextWord cuts the first word off text. Words end with white space, and with
// commas where these separate.
func nextWord(text []byte, commas bool) (word, rest []byte) {
	separates := func(b byte) bool { return b == ' ' || b == '\t' || commas && b == ',' }
	for len(text) > 0 && separates(text[0]) {
		text = text[1:]
	}
	end := 0
	for end < len(text) && !separates(text[end]) {
		end++
	}
	return text[:end], text[end:]
}
