package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
)

// Sentence is a condemned source.
type Sentence struct {
	Source netip.Prefix // an IPv4 address, or the /64 of an IPv6 one
	Rule                // For is what is left of it
}

// Condemn sentences a source, for r.For, which has to be more than 0. It
// replaces an earlier sentence. Of an IPv6 address it means the whole /64. The
// caller vouches for the address: that it completed a handshake, and is not one
// that others share or that has to stay reachable; an allowed prefix protects
// it in the kernel. Sentences that have expired make room before ErrFull.
func (g *Gate) Condemn(source netip.Addr, r Rule) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, err := sentenceKey(source)
	if err != nil {
		return err
	}
	if r.For <= 0 {
		return fmt.Errorf("a sentence of %s needs an end", source)
	}
	k, err := g.encode(r)
	if err != nil {
		return err
	}
	err = full(g.objects.Sentences.Put(key, k))
	if errors.Is(err, ErrFull) {
		if _, err := g.sweepSentences(k.Until - uint64(r.For)); err != nil {
			return err
		}
		err = full(g.objects.Sentences.Put(key, k))
	}
	if err != nil {
		return fmt.Errorf("condemn %s: %w", source, err)
	}
	return g.marks.sentences.put(sentenceMark(key), wordOf(k))
}

// Release ends a sentence early and tells whether there was one.
func (g *Gate) Release(source netip.Addr) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, err := sentenceKey(source)
	if err != nil {
		return false, err
	}
	if err := g.marks.sentences.clear(sentenceMark(key)); err != nil {
		return false, err
	}
	err = g.objects.Sentences.Delete(key)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("release %s: %w", source, err)
	}
	return true, nil
}

// Sentences returns those in force, in no order.
func (g *Gate) Sentences() ([]Sentence, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, err := now()
	if err != nil {
		return nil, err
	}
	var all []Sentence
	err = each(g.objects.Sentences, func(key programSource, k programRule) {
		if k.Until > at {
			all = append(all, Sentence{Source: sentenceSource(key), Rule: g.decode(k, at)})
		}
	})
	return all, err
}

// sweepSentences deletes those that have expired, and returns the marks of the
// others.
func (g *Gate) sweepSentences(at uint64) (others []wanted, err error) {
	var expired []programSource
	if err := each(g.objects.Sentences, func(key programSource, k programRule) {
		if k.Until <= at {
			expired = append(expired, key)
		} else {
			others = append(others, wanted{sentenceMark(key), wordOf(k)})
		}
	}); err != nil {
		return nil, err
	}
	for _, key := range expired {
		if err := g.marks.sentences.clear(sentenceMark(key)); err != nil {
			return nil, err
		}
	}
	return others, inBatches(len(expired), func(i, j int) (int, error) { return g.objects.Sentences.BatchDelete(expired[i:j], nil) })
}

// sentenceKey is the key that sentence_of in judge.h makes.
func sentenceKey(a netip.Addr) (programSource, error) {
	a = a.Unmap()
	if !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return programSource{}, fmt.Errorf("%v is no source to condemn", a)
	}
	w := words(a)
	if a.Is4() {
		return programSource{Words: [2]uint32{0, w[0]}}, nil
	}
	if w[0] == 0 && !a.IsLoopback() {
		return programSource{}, fmt.Errorf("%v is of no unicast network", a)
	}
	return programSource{Words: [2]uint32{w[0], w[1]}}, nil
}

func sentenceSource(key programSource) netip.Prefix {
	if key.Words[0] == 0 && key.Words[1] != 0 {
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], key.Words[1])
		return netip.PrefixFrom(netip.AddrFrom4(b), 32)
	}
	return netip.PrefixFrom(address([4]uint32{key.Words[0], key.Words[1]}, false), 64)
}
