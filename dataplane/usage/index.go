package usage

import "sync/atomic"

// index finds numbers by a hash: an open-addressed table, linearly probed, of
// words that hold 32 bits of the hash and the number. It is read without a lock
// and written by one goroutine at a time.
type index struct {
	words []atomic.Uint64
	live  int // words that have a number
	used  int // and those that had
}

const (
	minIndex  = 64
	tombstone = 1 << 32 // a word that had a number and is probed past
)

func newIndex(size int) *index { return &index{words: make([]atomic.Uint64, size)} }

func indexWord(hash uint64, number uint32) uint64 { return hash<<32 | uint64(number+1) }

// probe goes through the numbers that a hash may have.
type probe struct {
	words   []atomic.Uint64
	tag, at uint64
}

func (x *index) probe(hash uint64) probe {
	tag := uint64(uint32(hash))
	return probe{words: x.words, tag: tag, at: tag}
}

func (p *probe) next() (number uint32, ok bool) {
	mask := uint64(len(p.words) - 1)
	for {
		word := p.words[p.at&mask].Load()
		p.at++
		if word == 0 {
			return 0, false
		}
		if word>>32 == p.tag && uint32(word) != 0 {
			return uint32(word) - 1, true
		}
	}
}

// add returns the index that now has the number: x itself while a quarter of it
// is empty, else another without tombstones.
func (x *index) add(hash uint64, number uint32) *index {
	if (x.used+1)*4 > len(x.words)*3 {
		x = x.rebuilt()
	}
	x.put(indexWord(hash, number))
	return x
}

func (x *index) rebuilt() *index {
	size := len(x.words)
	if (x.live+1)*2 > size {
		size *= 2
	}
	larger := newIndex(size)
	for i := range x.words {
		if word := x.words[i].Load(); uint32(word) != 0 {
			larger.put(word)
		}
	}
	return larger
}

func (x *index) put(word uint64) {
	mask := uint64(len(x.words) - 1)
	for at := word >> 32; ; at++ {
		if x.words[at&mask].Load() == 0 {
			x.words[at&mask].Store(word)
			x.live++
			x.used++
			return
		}
	}
}

func (x *index) remove(hash uint64, number uint32) {
	mask, word := uint64(len(x.words)-1), indexWord(hash, number)
	for at := word >> 32; ; at++ {
		switch x.words[at&mask].Load() {
		case word:
			x.words[at&mask].Store(tombstone)
			x.live--
			return
		case 0:
			return
		}
	}
}
