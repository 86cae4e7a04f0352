package route

import (
	"hash/maphash"
	"math/bits"
)

// edges finds the static child of a node by its segment: one open-addressed
// hash table for the whole tree, at most half full. The keys are in the nodes
// themselves, which a look-up is about to read anyway.
type edges struct {
	slots []slot // a power of two
	seed  maphash.Seed
}

type slot struct {
	hash  uint32
	child uint32 // none when the slot is free
}

// newEdges indexes the static nodes. The seed is random, so that nobody can
// choose segments that collide.
func newEdges(nodes []node) edges {
	e := edges{
		slots: make([]slot, 1<<bits.Len(uint(len(nodes)*2))),
		seed:  maphash.MakeSeed(),
	}
	for child := int(root) + 1; child < len(nodes); child++ {
		n := &nodes[child]
		if n.variable {
			continue
		}
		hash := edgeHash(n.parent, maphash.String(e.seed, n.name))
		at := hash
		for e.slot(at).child != none {
			at++
		}
		*e.slot(at) = slot{hash, uint32(child)}
	}
	return e
}

// lookup returns the child of parent with that segment, or none.
func (e *edges) lookup(nodes []node, parent uint32, segment []byte) uint32 {
	hash := edgeHash(parent, maphash.Bytes(e.seed, segment))
	for at := hash; ; at++ {
		s := e.slot(at)
		if s.child == none {
			return none
		}
		if s.hash == hash {
			if n := &nodes[s.child]; n.parent == parent && n.name == string(segment) {
				return s.child
			}
		}
	}
}

func (e *edges) slot(at uint32) *slot { return &e.slots[int(at)&(len(e.slots)-1)] }

func edgeHash(parent uint32, segment uint64) uint32 {
	return uint32((segment ^ uint64(parent)*0x9e3779b97f4a7c15) >> 16)
}
