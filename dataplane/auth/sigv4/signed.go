package sigv4

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

const amzPrefix = "x-amz-"

// checkSigned refuses a request whose host or X-Amz fields are not signed, or
// that lacks a signed field.
func (c *claim) checkSigned(r *http1.Request) *Failure {
	host := false
	var last []byte
	for name, rest := nextSigned(c.signedHeaders); name != nil; name, rest = nextSigned(rest) {
		if bytes.Compare(last, name) >= 0 || !has(r, name) { // names are sorted
			return mismatch
		}
		host = host || string(name) == "host"
		last = name
	}
	if !host {
		return hostUnsigned
	}
	for i := range r.Len() {
		if name := r.Name(i); r.ID(i) == http1.Other && mustBeSigned(name) && !c.signs(name) {
			return invalid("'" + string(name) + "' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

// mustBeSigned reports whether a field decides what AWS does. A session token
// need not be signed, since it is compared with the key's: some clients add it
// once the request is signed.
func mustBeSigned(name []byte) bool {
	return len(name) > len(amzPrefix) && http1.EqualFold(name[:len(amzPrefix)], amzPrefix) &&
		!http1.EqualFold(name, "x-amz-security-token")
}

func (c *claim) signs(name []byte) bool {
	for signed, rest := nextSigned(c.signedHeaders); signed != nil; signed, rest = nextSigned(rest) {
		if equalFold(name, signed) {
			return true
		}
	}
	return false
}

func has(r *http1.Request, name []byte) bool {
	for i := range r.Len() {
		if equalFold(r.Name(i), name) {
			return true
		}
	}
	return false
}
