package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync/atomic"
)

// CredentialSource knows the access keys. It is asked from many goroutines at
// once, and must not block.
type CredentialSource interface {
	// Lookup returns the credential of an access key in use, or nil. The id is
	// valid only during the call. Asked again, the source should return the same
	// pointer, since the credential keeps the keys derived from it.
	Lookup(accessKeyID []byte) *Credential
}

// Credential is an access key. Its fields must not change once a source has
// returned it; a changed key is a new Credential.
type Credential struct {
	AccessKeyID string
	Secret      string

	// A temporary key is of use only together with its session token, and until
	// Expires, in nanoseconds since the Unix epoch. Without Token the key is a
	// long-term one, which must come without token.
	Token   string
	Expires int64

	// Principal is whoever the key belongs to, as the source knows it.
	Principal any

	// keys of even and odd days, so that around midnight the two days in use do
	// not replace one another.
	keys [2]atomic.Pointer[signingKey]
}

// terminator ends a credential scope.
const terminator = "aws4_request"

// signingKey is a key derived for one day, region and service, as the blocks
// that HMAC hashes before the message and before the inner hash (RFC 2104).
type signingKey struct {
	date            [8]byte // YYYYMMDD
	region, service string
	inner, outer    [sha256.BlockSize]byte
}

// signingKey returns the key derived for a day since the Unix epoch, whose date
// is given. Two goroutines may both derive it; either result is good.
func (c *Credential) signingKey(day int64, date [8]byte, region, service string) *signingKey {
	slot := &c.keys[day&1]
	if k := slot.Load(); k != nil && k.date == date && k.region == region && k.service == service {
		return k
	}
	k := deriveKey(c.Secret, date, region, service)
	slot.Store(k)
	return k
}

func deriveKey(secret string, date [8]byte, region, service string) *signingKey {
	key := sum([]byte("AWS4"+secret), string(date[:]))
	key = sum(key, region)
	key = sum(key, service)
	key = sum(key, terminator)
	k := &signingKey{date: date, region: region, service: service}
	for i := range k.inner {
		k.inner[i], k.outer[i] = 0x36, 0x5c
	}
	for i, b := range key {
		k.inner[i] ^= b
		k.outer[i] ^= b
	}
	return k
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign returns the HMAC-SHA256 of the message that follows the inner block in
// padded. crypto/hmac would allocate its state for every message.
func (k *signingKey) sign(padded []byte) [sha256.Size]byte {
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(outer[:], k.outer[:])
	inner := sha256.Sum256(padded)
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}
