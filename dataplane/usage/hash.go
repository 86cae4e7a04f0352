package usage

import (
	"encoding/binary"

	"github.com/dchest/siphash"
)

// Hash is the keyed hash of an API key's value, all that is kept of it.
type Hash struct{ Hi, Lo uint64 }

// Bytes returns the hash as 16 bytes, Hi first, big endian.
func (h Hash) Bytes() (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], h.Hi)
	binary.BigEndian.PutUint64(b[8:], h.Lo)
	return b
}

// HashOf returns the hash whose Bytes are b.
func HashOf(b [16]byte) Hash {
	return Hash{Hi: binary.BigEndian.Uint64(b[:8]), Lo: binary.BigEndian.Uint64(b[8:])}
}

// equal takes the same time whatever differs.
func (h Hash) equal(o Hash) bool { return (h.Hi^o.Hi)|(h.Lo^o.Lo) == 0 }

// Hasher hashes values of API keys with SipHash-2-4-128 under a secret of the
// host. Who does not know the secret can neither tell a hash's value nor choose
// values whose hashes collide. It is immutable.
//
// Source: https://www.aumasson.jp/siphash/siphash.pdf
type Hasher struct{ k0, k1 uint64 }

// NewHasher returns the hasher of a secret.
func NewHasher(secret [16]byte) Hasher {
	return Hasher{
		k0: binary.LittleEndian.Uint64(secret[:8]),
		k1: binary.LittleEndian.Uint64(secret[8:]),
	}
}

// Sum returns the hash of a value.
func (h Hasher) Sum(value []byte) Hash {
	hi, lo := siphash.Hash128(h.k0, h.k1, value)
	return Hash{Hi: hi, Lo: lo}
}

// sum64 is for what has no need of 128 bits.
func (h Hasher) sum64(text string) uint64 { return siphash.Hash(h.k0, h.k1, []byte(text)) }

// mix is the finalizer of MurmurHash3, a bijection that spreads what differs
// over all bits.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
