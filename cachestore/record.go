package cachestore

import (
	"encoding/binary"
	"math"
)

// What a frame of a saved file holds is a sequence of records. Groups come
// before their entries, the end comes last, and numbers are in varints.
const (
	groupRecord = 'g' // number, name
	entryRecord = 'e' // group, rest of the key, deadlines in Unix nanoseconds, meta, value
	endRecord   = 'z'
)

type savedEntry struct {
	group uint64
	rest  []byte // of the key, after the prefix
	Entry
}

func appendGroup(dst []byte, g *Group) []byte {
	dst = append(dst, groupRecord)
	dst = binary.AppendUvarint(dst, uint64(g.id))
	return appendBytes(dst, []byte(g.name))
}

func appendEntry(dst []byte, e *savedEntry) []byte {
	dst = append(dst, entryRecord)
	dst = binary.AppendUvarint(dst, e.group)
	dst = appendBytes(dst, e.rest)
	dst = binary.AppendVarint(dst, e.FreshUntil)
	dst = binary.AppendVarint(dst, e.KeepUntil)
	dst = appendBytes(dst, e.Meta)
	return appendBytes(dst, e.Value)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// scanner takes a frame apart. After it failed it returns zeros.
type scanner struct {
	rest   []byte
	failed bool
}

func (s *scanner) uvarint() uint64 {
	v, n := binary.Uvarint(s.rest)
	return uint64(scanned(s, int64(v), n))
}

func (s *scanner) varint() int64 {
	v, n := binary.Varint(s.rest)
	return scanned(s, v, n)
}

func scanned(s *scanner, v int64, n int) int64 {
	if n <= 0 {
		s.failed, s.rest = true, nil
		return 0
	}
	s.rest = s.rest[n:]
	return v
}

func (s *scanner) bytes() []byte {
	n := s.uvarint()
	if n > uint64(len(s.rest)) {
		s.failed, s.rest = true, nil
		return nil
	}
	b := s.rest[:n:n]
	s.rest = s.rest[n:]
	return b
}

func (s *scanner) entry() (e savedEntry) {
	e.group, e.rest = s.uvarint(), s.bytes()
	e.FreshUntil, e.KeepUntil = s.varint(), s.varint()
	e.Meta, e.Value = s.bytes(), s.bytes()
	return e
}

// shift moves a time between clocks; the ends of time stay where they are.
func shift(at, by int64) int64 {
	switch sum := at + by; {
	case at == math.MaxInt64 || by > 0 && sum < at:
		return math.MaxInt64
	case by < 0 && sum > at:
		return math.MinInt64
	default:
		return sum
	}
}
