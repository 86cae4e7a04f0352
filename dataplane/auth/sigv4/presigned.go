package sigv4

// maxExpires is the longest validity of a presigned request, in seconds.
const maxExpires = 7 * 24 * 60 * 60

// Parameters of the presigned form.
const (
	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential"
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramSignedHeaders = "X-Amz-SignedHeaders"
	paramSignature     = "X-Amz-Signature"
	paramToken         = "X-Amz-Security-Token"
	paramPayload       = "X-Amz-Content-Sha256"
)

// presigned reports whether the query says that the request is presigned.
func (s *scratch) presigned() bool {
	for i := range s.pairs {
		switch string(s.name(i)) {
		case paramAlgorithm, paramCredential, paramSignature:
			return true
		}
	}
	return false
}

// readPresigned reads the presigned form from the query.
func (c *claim) readPresigned(s *scratch) *Failure {
	c.presigned = true
	var scheme, credential, date, expires []byte
	for i := range s.pairs {
		var at *[]byte
		switch string(s.name(i)) {
		case paramAlgorithm:
			at = &scheme
		case paramCredential:
			at = &credential
		case paramDate:
			at = &date
		case paramExpires:
			at = &expires
		case paramSignedHeaders:
			at = &c.signedHeaders
		case paramSignature:
			at = &c.signature
			s.pairs[i].role = isSignature
		case paramToken:
			at = &c.token
			s.pairs[i].role = isToken
		case paramPayload:
			at = &c.payload
		default:
			continue
		}
		if *at != nil { // or a field says it as well
			return incomplete("Request has more than one '" + string(s.name(i)) + "' parameter.")
		}
		*at = s.decode(s.value(i))
	}

	message := ""
	require := func(name string, value []byte) {
		if len(value) == 0 {
			message += "AWS query-string parameters must include '" + name + "'. "
		}
	}
	require(paramAlgorithm, scheme)
	require(paramCredential, credential)
	require(paramSignature, c.signature)
	require(paramSignedHeaders, c.signedHeaders)
	require(paramDate, date)
	if message != "" {
		return incomplete(message + "Re-examine the query-string parameters.")
	}
	if string(scheme) != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '" + string(scheme) + "'.")
	}
	if expires != nil {
		if c.expires = readExpires(expires); c.expires < 0 {
			return incomplete("X-Amz-Expires must be between 1 and 604800 seconds, got '" + string(expires) + "'.")
		}
	}
	if failure := c.readCredential(credential); failure != nil {
		return failure
	}
	return c.readTime(date)
}

// readExpires returns a validity in seconds, or -1.
func readExpires(text []byte) int64 {
	if len(text) > 6 {
		return -1
	}
	n := int64(0)
	for _, b := range text {
		if b < '0' || b > '9' {
			return -1
		}
		n = n*10 + int64(b-'0')
	}
	if n < 1 || n > maxExpires {
		return -1
	}
	return n
}
