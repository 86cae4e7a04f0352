package waf

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// Requests of a source follow one another. Which sets hold it is remembered, for so
// many sources: a power of two.
const (
	membershipBits  = 10
	membershipSlots = 1 << membershipBits
)

// membership is which sets of an ACL hold a source.
type membership struct {
	acl    uint64 // ACL.serial; 0 is vacant
	source [2]uint64
	sets   bitset
}

// serials tell ACLs apart, also from those that are gone.
var serials atomic.Uint64

// inSets returns which sets of the ACL hold the connection's address.
func (in *Input) inSets(a *ACL) *bitset {
	w := &in.work
	if w.setsOf == w.request {
		return &w.sets
	}
	w.setsOf = w.request
	if in.MayBlock { // of many requests, one after the other
		in.lookUpSets(a)
		return &w.sets
	}
	if w.memberships == nil {
		w.memberships = make([]membership, membershipSlots)
	}
	address := in.source.As16()
	source := [2]uint64{binary.LittleEndian.Uint64(address[:8]), binary.LittleEndian.Uint64(address[8:])}
	high, low := bits.Mul64(source[0]^0x9e3779b97f4a7c15, source[1]^0xd1b54a32d192ed03)
	m := &w.memberships[(high^low)%membershipSlots]
	if m.acl == a.serial && m.source == source {
		w.sets = m.sets
		return &w.sets
	}
	in.lookUpSets(a)
	*m = membership{a.serial, source, w.sets}
	return &w.sets
}

func (in *Input) lookUpSets(a *ACL) {
	in.work.sets = bitset{}
	for n, table := range a.sets {
		if table.Contains(in.source) {
			in.work.sets.add(n)
		}
	}
}
