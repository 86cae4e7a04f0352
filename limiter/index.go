package limiter

import "sync/atomic"

// index finds the entry of a key: an open-addressed hash table, linearly
// probed, of words that hold 32 bits of the key and the number of its entry. It
// is read without a lock and written under the lock of its segment.
type index struct {
	words []atomic.Uint64
	live  int // words that name an entry
	used  int // and those that did
}

const (
	minIndex  = 16
	tombstone = 1 << 32 // a word that named an entry and is probed past
)

func newIndex(size int) *index { return &index{words: make([]atomic.Uint64, size)} }

func indexWord(key Key, number int) uint64 { return key.Lo<<32 | uint64(number+1) }

// names returns the entry's number in a word, -1 in an empty one or tombstone.
func names(word uint64) int { return int(uint32(word)) - 1 }

// add must not be called on a full index: see room.
func (x *index) add(word uint64) {
	mask := uint64(len(x.words) - 1)
	for at := word >> 32 & mask; ; at = (at + 1) & mask {
		if x.words[at].Load() == 0 {
			x.words[at].Store(word)
			x.live++
			x.used++
			return
		}
	}
}

func (x *index) remove(word uint64) {
	mask := uint64(len(x.words) - 1)
	for at := word >> 32 & mask; ; at = (at + 1) & mask {
		switch x.words[at].Load() {
		case word:
			x.words[at].Store(tombstone)
			x.live--
			return
		case 0:
			return
		}
	}
}

// room returns an index with room for one more word: x itself while a quarter
// of it is empty, else one without its tombstones.
func (x *index) room() *index {
	if (x.used+1)*4 <= len(x.words)*3 {
		return x
	}
	size := len(x.words)
	if (x.live+1)*2 > size {
		size *= 2
	}
	larger := newIndex(size)
	for i := range x.words {
		if word := x.words[i].Load(); names(word) >= 0 {
			larger.add(word)
		}
	}
	return larger
}
