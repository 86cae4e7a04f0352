package websocket

import (
	"encoding/binary"
	"math/bits"
)

// mask masks or unmasks b in place (RFC 6455 section 5.3). key holds the four
// bytes of the masking key as they come, the first one lowest.
func mask(b []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 32 {
		_ = b[31]
		binary.LittleEndian.PutUint64(b[0:8], binary.LittleEndian.Uint64(b[0:8])^wide)
		binary.LittleEndian.PutUint64(b[8:16], binary.LittleEndian.Uint64(b[8:16])^wide)
		binary.LittleEndian.PutUint64(b[16:24], binary.LittleEndian.Uint64(b[16:24])^wide)
		binary.LittleEndian.PutUint64(b[24:32], binary.LittleEndian.Uint64(b[24:32])^wide)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(wide >> (8 * i))
	}
}

// turn returns the key for what follows n masked bytes.
func turn(key uint32, n int) uint32 { return bits.RotateLeft32(key, -8*(n%4)) }
