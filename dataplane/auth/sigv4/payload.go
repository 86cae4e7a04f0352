package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Payload says what is known of the body that a signature covers.
type Payload uint8

// Payloads.
const (
	PayloadVerified Payload = iota // it is the signed one, or there is none
	PayloadDeclared                // its hash is Identity.BodyHash, which the caller has to compare
	PayloadUnsigned                // the client does not sign bodies
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// emptyHash is the SHA-256 of no bytes.
var emptyHash = sha256.Sum256(nil)

// NeedsBody reports whether the request cannot be verified without the SHA-256
// of its body: there is one, and no hash is declared.
func NeedsBody(r *http1.Request) bool {
	if !r.HasBody() {
		return false
	}
	for i := range r.Len() {
		if r.ID(i) == http1.Other && http1.EqualFold(r.Name(i), "x-amz-content-sha256") {
			return false
		}
	}
	if r.Present().Has(http1.Authorization) {
		return true
	}
	for q := (http1.Query{Rest: r.Query}); q.Next(); {
		if q.Is(paramPayload) {
			return false
		}
	}
	return true
}

// checkPayload returns the text that is signed for the body, appended to dst.
// bodyHash is nil if the body has not been read.
func (id *Identity) checkPayload(dst []byte, r *http1.Request, c *claim, bodyHash *[sha256.Size]byte, allowUnsigned bool) ([]byte, *Failure) {
	if !r.HasBody() {
		bodyHash = &emptyHash
	}
	switch {
	case c.payload == nil:
		if bodyHash == nil {
			return dst, mismatch
		}
		return hex.AppendEncode(dst, bodyHash[:]), nil
	case string(c.payload) == unsignedPayload:
		if !allowUnsigned {
			return dst, mismatch
		}
		id.Payload = PayloadUnsigned
	default:
		if len(c.payload) != 2*sha256.Size {
			return dst, mismatch
		}
		if _, err := hex.Decode(id.BodyHash[:], c.payload); err != nil {
			return dst, mismatch
		}
		if bodyHash == nil {
			id.Payload = PayloadDeclared
		} else if *bodyHash != id.BodyHash {
			return dst, mismatch
		}
	}
	return append(dst, c.payload...), nil
}

// Body compares a body with its declared hash as it arrives. It is for one
// goroutine.
type Body struct {
	want [sha256.Size]byte
	hash hash.Hash
}

// Reset begins a body that should have the hash want.
func (b *Body) Reset(want [sha256.Size]byte) {
	b.want = want
	if b.hash == nil {
		b.hash = sha256.New()
	}
	b.hash.Reset()
}

// Write adds bytes of the body. It never fails.
func (b *Body) Write(p []byte) (int, error) { return b.hash.Write(p) }

// Verify is called at the end of the body. It returns nil if the body is the
// signed one.
func (b *Body) Verify() *Failure {
	var got [sha256.Size]byte
	if subtle.ConstantTimeCompare(b.hash.Sum(got[:0]), b.want[:]) != 1 {
		return mismatch
	}
	return nil
}
