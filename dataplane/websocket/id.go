package websocket

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"sync"
)

// Ref names a connection, as its id does: the process it is on, its loop, a
// place in the loop's table, and which connection of those that had the place.
type Ref struct {
	instance   uint16
	loop       uint8
	slot       uint32
	generation uint32
}

// Instance returns the number of the process that gave the id; see
// HubConfig.Instance.
func (r Ref) Instance() uint16 { return r.instance }

// Bits of an id, 88 in all: 16 for the instance, 8 for the loop, and these. The
// rest are zero before encryption, so that of all texts that look like an id one
// in four million is one.
const (
	slotBits       = 22
	generationBits = 20
	checkBits      = 22
	halfBits       = 44
	halfMask       = 1<<halfBits - 1
	idBytes        = 11
	rounds         = 10
)

const (
	maxSlots      = 1 << slotBits       // connections of one loop at a time
	maxGeneration = 1 << generationBits // connections that one slot has had
)

// IDSize is the length of an id in characters.
const IDSize = 16

// ids turns refs into ids and back. An id is the ref encrypted with a Feistel
// network of AES, since AES alone has no blocks of 88 bits: without the key an
// id tells nothing and cannot be made.
type ids struct {
	block   cipher.Block
	scratch sync.Pool // *[2][aes.BlockSize]byte, which the interface would make escape
}

func newIDs(key [32]byte) *ids {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size of the key is right
	}
	return &ids{block: block, scratch: sync.Pool{New: func() any { return new([2][aes.BlockSize]byte) }}}
}

// append appends the id of a ref: 16 characters that end in "=".
func (x *ids) append(dst []byte, r Ref) []byte {
	left := uint64(r.instance)<<(halfBits-16) | uint64(r.loop)<<generationBits | uint64(r.generation)
	right := uint64(r.slot) << checkBits
	s := x.scratch.Get().(*[2][aes.BlockSize]byte)
	for round := range rounds {
		left, right = right, left^x.mix(s, round, right)
	}
	x.scratch.Put(s)
	var raw [idBytes]byte
	binary.BigEndian.PutUint64(raw[3:], left<<halfBits|right)
	raw[0], raw[1], raw[2] = byte(left>>36), byte(left>>28), byte(left>>20)
	return base64.URLEncoding.AppendEncode(dst, raw[:])
}

// parse reads an id. It is false for every text that append did not make with
// the same key.
func (x *ids) parse(id []byte) (Ref, bool) {
	var buf [IDSize / 4 * 3]byte
	if len(id) != IDSize {
		return Ref{}, false
	}
	if n, err := urlStrict.Decode(buf[:], id); err != nil || n != idBytes {
		return Ref{}, false
	}
	low := binary.BigEndian.Uint64(buf[3:])
	right := low & halfMask
	left := uint64(buf[0])<<36 | uint64(buf[1])<<28 | uint64(buf[2])<<20 | low>>halfBits
	s := x.scratch.Get().(*[2][aes.BlockSize]byte)
	for round := rounds - 1; round >= 0; round-- {
		left, right = right^x.mix(s, round, left), left
	}
	x.scratch.Put(s)
	if right&(1<<checkBits-1) != 0 {
		return Ref{}, false
	}
	return Ref{
		instance:   uint16(left >> (halfBits - 16)),
		loop:       uint8(left >> generationBits),
		generation: uint32(left & (maxGeneration - 1)),
		slot:       uint32(right >> checkBits),
	}, true
}

var urlStrict = base64.URLEncoding.Strict()

// mix is the round function: the first bits of AES of the round and a half.
func (x *ids) mix(s *[2][aes.BlockSize]byte, round int, half uint64) uint64 {
	in, out := &s[0], &s[1]
	in[0] = byte(round)
	binary.BigEndian.PutUint64(in[8:], half)
	x.block.Encrypt(out[:], in[:])
	return binary.BigEndian.Uint64(out[:]) & halfMask
}
