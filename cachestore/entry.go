package cachestore

import (
	"encoding/binary"
	"errors"
	"math"
)

// Bounds on what can be stored, in bytes.
const (
	MaxKey   = 16 << 10 // a [Key], generation included
	MaxMeta  = 32 << 10 // Meta of an [Entry]
	MaxValue = 64 << 20 // Value of an [Entry]; see also [Options]
)

// ErrTooLarge is returned for an entry whose key, meta or value exceeds what
// the store accepts.
var ErrTooLarge = errors.New("cachestore: key, meta or value is too large")

// Entry is what is stored under a key.
type Entry struct {
	FreshUntil int64  // a hit before, in nanoseconds of the caller's clock
	KeepUntil  int64  // stale from FreshUntil until here; earlier means FreshUntil
	Meta       []byte // of the caller
	Value      []byte
}

// State says what [Store.Get] found.
type State uint8

// The states of a key.
const (
	Miss  State = iota // nothing, or something whose time to keep it is over
	Fresh              // now is before FreshUntil
	Stale              // now is before KeepUntil
)

func (e *Entry) state(now int64) State {
	switch {
	case now < e.FreshUntil:
		return Fresh
	case now < e.KeepUntil:
		return Stale
	}
	return Miss
}

// A record is an entry as the ring holds it: a header, for a value in parts
// where they are, meta, and for any other value itself.
//
//	 0  fresh until, 8 bytes
//	 8  keep until, 8 bytes
//	16  number of its listing in the catalog, 4 bytes
//	20  1 when the value is in parts, 2 bytes
//	22  length of meta, 2 bytes
const (
	headerBytes  = 24
	inPartsFlag  = 1
	partsAtBytes = 24
)

// partsAt says which parts a value is in.
type partsAt struct {
	serial uint64 // in the name of its parts
	length uint64
	sum    uint64
}

func appendHeader(dst []byte, e *Entry, listing uint32, flags uint16) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.FreshUntil))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(max(e.FreshUntil, e.KeepUntil)))
	dst = binary.LittleEndian.AppendUint32(dst, listing)
	dst = binary.LittleEndian.AppendUint16(dst, flags)
	return binary.LittleEndian.AppendUint16(dst, uint16(len(e.Meta)))
}

func appendRecord(dst []byte, e *Entry, listing uint32) []byte {
	dst = appendHeader(dst, e, listing, 0)
	dst = append(dst, e.Meta...)
	return append(dst, e.Value...)
}

func appendPartsRecord(dst []byte, e *Entry, listing uint32, at partsAt) []byte {
	dst = appendHeader(dst, e, listing, inPartsFlag)
	dst = binary.LittleEndian.AppendUint64(dst, at.serial)
	dst = binary.LittleEndian.AppendUint64(dst, at.length)
	dst = binary.LittleEndian.AppendUint64(dst, at.sum)
	return append(dst, e.Meta...)
}

// parse reads a record. The entry's slices point into it; a value in parts is
// left out. It is false for what no append above has written.
func parse(b []byte) (e Entry, parted, ok bool) {
	if len(b) < headerBytes {
		return e, false, false
	}
	e.FreshUntil = int64(binary.LittleEndian.Uint64(b))
	e.KeepUntil = int64(binary.LittleEndian.Uint64(b[8:]))
	flags, meta := binary.LittleEndian.Uint16(b[20:]), int(binary.LittleEndian.Uint16(b[22:]))
	rest := b[headerBytes:]
	switch {
	case flags == 0 && meta <= len(rest):
		e.Meta, e.Value = rest[:meta:meta], rest[meta:]
		return e, false, true
	case flags == inPartsFlag && partsAtBytes+meta == len(rest):
		e.Meta = rest[partsAtBytes:]
		return e, true, parseParts(b).length <= MaxValue
	}
	return e, false, false
}

// parseParts reads where the parts are from a record that has them.
func parseParts(b []byte) partsAt {
	b = b[headerBytes : headerBytes+partsAtBytes]
	return partsAt{
		serial: binary.LittleEndian.Uint64(b),
		length: binary.LittleEndian.Uint64(b[8:]),
		sum:    binary.LittleEndian.Uint64(b[16:]),
	}
}

func listingOf(b []byte) uint32 { return binary.LittleEndian.Uint32(b[16:]) }

var _ = [1]struct{}{}[MaxMeta/(math.MaxUint16+1)] // meta's length fits its field
