package gate

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
)

// marks are prefix_marks or sentence_marks of maps.h. A mark is set after its rule
// is in the map that has all of it, and cleared before. What has no mark has its
// bucket crowded, so that the program looks into that map.
type marks struct {
	shared *ebpf.Memory
}

const (
	marksPerBucket = 4  // MARKS
	bucketBits     = 16 // BUCKET_BITS
	bucketSize     = 16 * marksPerBucket
	markFactor     = 0x9e3779b97f4a7c15 // MARK_FACTOR
	markSentence   = 1
	markPrefix4    = 1
	markPrefix6    = 64
	markKind       = 0xff
	markAllow      = 0x100
	markCrowded    = 0x200
	markAnswer     = 10
	markUntil      = 16
	markUnit       = 14
	markForever    = 1<<48 - 1
	markDoubt      = 0 // has ended already: the program looks into the maps
)

// mark says what the rule of a prefix or a sentence is about.
type mark struct {
	key  uint64
	kind uint8
}

func (m mark) bucket() uint32 {
	return uint32((m.key ^ uint64(m.kind)<<32) * markFactor >> (64 - bucketBits))
}

func sentenceMark(k programSource) mark {
	return mark{uint64(k.Words[0]) | uint64(k.Words[1])<<32, markSentence}
}

// prefixMark returns false for a prefix that is too long to have one.
func prefixMark(p netip.Prefix) (mark, bool) {
	w := words(p.Addr())
	if p.Addr().Is4() {
		return mark{uint64(w[0]), markPrefix4 + uint8(p.Bits())}, true
	}
	return mark{uint64(w[0]) | uint64(w[1])<<32, markPrefix6 + uint8(p.Bits())}, p.Bits() <= 64
}

// wordOf is what the program reads of a rule, without a kind.
func wordOf(k programRule) uint64 {
	until := min(k.Until>>markUnit, markForever-1)
	if k.Until == 0 {
		until = markForever
	}
	return until<<markUntil | uint64(k.Answer)<<markAnswer | uint64(k.Allow)*markAllow
}

// bucket is one of the kernel's: keys and words by turns.
type bucket [2 * marksPerBucket]uint64

func (b *bucket) kind(i int) uint8 { return uint8(b[2*i+1]) }

func (b *bucket) find(m mark) (int, bool) {
	for i := range marksPerBucket {
		if b[2*i] == m.key && b.kind(i) == m.kind {
			return i, true
		}
	}
	return 0, false
}

func (b *bucket) crowded() bool { return b[1]&markCrowded != 0 }

func (m *marks) open(k *ebpf.Map) (err error) {
	if m.shared, err = k.Memory(); err != nil {
		return fmt.Errorf("map %s into memory: %w", k, err)
	}
	return nil
}

// read returns some buckets, from index on, that do not follow later changes.
func (m *marks) read(index uint32, buckets []bucket) error {
	raw := make([]byte, len(buckets)*bucketSize)
	if _, err := m.shared.ReadAt(raw, int64(index)*bucketSize); err != nil {
		return fmt.Errorf("read the gate's marks: %w", err)
	}
	for at := range buckets {
		for i := range buckets[at] {
			buckets[at][i] = binary.NativeEndian.Uint64(raw[bucketSize*at+8*i:])
		}
	}
	return nil
}

func (m *marks) readOne(index uint32) (*bucket, error) {
	var one [1]bucket
	return &one[0], m.read(index, one[:])
}

// write writes one of the numbers of a bucket, which the program reads whole.
func (m *marks) write(index uint32, b *bucket, at int, value uint64) error {
	var raw [8]byte
	binary.NativeEndian.PutUint64(raw[:], value)
	if _, err := m.shared.WriteAt(raw[:], int64(index)*bucketSize+int64(at)*8); err != nil {
		return fmt.Errorf("write the gate's marks: %w", err)
	}
	b[at] = value
	return nil
}

// put sets a mark, or has its bucket crowded.
func (m *marks) put(k mark, word uint64) error {
	index := k.bucket()
	b, err := m.readOne(index)
	if err != nil {
		return err
	}
	return m.set(index, b, k, word)
}

func (m *marks) set(index uint32, b *bucket, k mark, word uint64) error {
	i, found := b.find(k)
	for ; !found && i < marksPerBucket; i++ {
		if b.kind(i) == 0 {
			break
		}
	}
	if i == marksPerBucket {
		return m.crowd(index, b, true)
	}
	if !found {
		if err := m.write(index, b, 2*i, k.key); err != nil {
			return err
		}
	}
	return m.write(index, b, 2*i+1, b[2*i+1]&markCrowded|word|uint64(k.kind))
}

// clear takes a mark back. That others are without one stays until rebuild.
func (m *marks) clear(k mark) error {
	index := k.bucket()
	b, err := m.readOne(index)
	if err != nil {
		return err
	}
	if i, found := b.find(k); found {
		return m.write(index, b, 2*i+1, b[2*i+1]&markCrowded)
	}
	return nil
}

func (m *marks) crowd(index uint32, b *bucket, crowded bool) error {
	word := b[1] &^ markCrowded
	if crowded {
		word |= markCrowded
	}
	if word == b[1] {
		return nil
	}
	return m.write(index, b, 1, word)
}

// wanted is a mark as it should be.
type wanted struct {
	mark
	word uint64
}

// rebuild sets the marks that should be there, clears all others, and forgets
// crowds that are none any more.
func (m *marks) rebuild(all []wanted) error {
	var ends [1<<bucketBits + 1]uint32
	for _, w := range all {
		ends[w.bucket()+1]++
	}
	for i := range 1 << bucketBits {
		ends[i+1] += ends[i]
	}
	sorted, next := make([]wanted, len(all)), ends
	for _, w := range all {
		i := w.bucket()
		sorted[next[i]] = w
		next[i]++
	}
	buckets := make([]bucket, 1<<bucketBits)
	if err := m.read(0, buckets); err != nil {
		return err
	}
	for i := range buckets {
		if err := m.settle(uint32(i), &buckets[i], sorted[ends[i]:ends[i+1]]); err != nil {
			return err
		}
	}
	return nil
}

func (m *marks) settle(index uint32, b *bucket, here []wanted) error {
	crowded := len(here) > marksPerBucket
	if crowded {
		if err := m.crowd(index, b, true); err != nil {
			return err
		}
	}
	for i := range marksPerBucket {
		stays := false
		for _, w := range here {
			stays = stays || b[2*i] == w.key && b.kind(i) == w.kind
		}
		if !stays && b.kind(i) != 0 {
			if err := m.write(index, b, 2*i+1, b[2*i+1]&markCrowded); err != nil {
				return err
			}
		}
	}
	for _, w := range here {
		if err := m.set(index, b, w.mark, w.word); err != nil {
			return err
		}
	}
	return m.crowd(index, b, crowded)
}
