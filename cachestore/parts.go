package cachestore

import (
	"encoding/binary"
	"slices"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

// partBytes is the size of a part, and of the largest value that is stored in
// one piece with its meta. Four parts with their names fill a 64 KiB chunk of a ring, since
// the rest of a chunk is wasted; and parts are small so that those of one value
// spread evenly over the rings.
const partBytes = 16<<10 - 32

type partName [4 + 8 + 4]byte

func (n *partName) set(serial uint64, number uint32) {
	binary.LittleEndian.PutUint32(n[:], partsID)
	binary.LittleEndian.PutUint64(n[4:], serial)
	binary.LittleEndian.PutUint32(n[12:], number)
}

func setParts(c *fastcache.Cache, serial uint64, value []byte) {
	var name partName
	number := uint32(0)
	for part := range slices.Chunk(value, partBytes) {
		name.set(serial, number)
		c.Set(name[:], part)
		number++
	}
}

// appendParts appends the value of the record that begins at dst[n] and has
// been parsed to e. It is false, and what is returned to be cut off at n, when
// parts are gone.
func (s *Store) appendParts(c *fastcache.Cache, dst []byte, n int, e *Entry) ([]byte, bool) {
	at := parseParts(dst[n:])
	meta := n + headerBytes + partsAtBytes
	value := len(dst)
	end := value + int(at.length)
	dst = slices.Grow(dst, int(at.length))
	var name partName
	number, ok := uint32(0), true
	for ; ok && len(dst) < end; number++ {
		name.set(at.serial, number)
		dst, ok = c.HasGet(dst, name[:])
	}
	s.counts.look(uint64(number), ok)
	if len(dst) != end {
		return dst, false
	}
	e.Meta, e.Value = dst[meta:value:value], dst[value:]
	return dst, xxhash.Sum64(e.Value) == at.sum
}
