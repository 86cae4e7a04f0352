// Package caches compares package cachestore of Tidegate with Go's caches:
// fastcache, bigcache and freecache, which keep entries as bytes, and otter and
// ristretto, which keep them as objects of the heap, as a Go map does. Each is
// filled in a process of its own, so that none pays for the garbage collection
// of another. What is compared is here once, for the scenarios cachestore and
// cache-gc and for
//
//	go test -bench . -count=10
package caches

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Names of the contestants.
const (
	Tidegate  = "cachestore"
	Fastcache = "fastcache"
	Bigcache  = "bigcache"
	Freecache = "freecache"
	Otter     = "otter"
	Ristretto = "ristretto"
	GoMap     = "go-map"
)

// Modules are the modules the rivals are from.
var Modules = map[string]string{
	Fastcache: "github.com/VictoriaMetrics/fastcache", Bigcache: "github.com/allegro/bigcache/v3", Freecache: "github.com/coocood/freecache",
	Otter: "github.com/maypok86/otter/v2", Ristretto: "github.com/dgraph-io/ristretto/v2",
}

// Contents are what a cache is filled with.
type Contents struct {
	Entries    int
	ValueBytes int // of each value, at least 9: its number and a zero
}

// KeyBytes is the length of all keys: what begins one of Tidegate's, and 40
// bytes as of a method, a path and parameters.
const KeyBytes = prefixBytes + 40

const prefixBytes = 12

// room is the memory a bounded cache is given, in bytes: a quarter more than
// keys, values and what is kept beside them, and not too little for caches that
// divide it, so that no part has to evict.
func (c Contents) room() int {
	return max(32<<20, c.Entries*(c.ValueBytes+KeyBytes+64)/4*5)
}

// cache is an opened contestant.
type cache struct {
	// prefix is what keys begin with.
	prefix [prefixBytes]byte
	// set stores a copy of the value.
	set func(key, value []byte) error
	// settle, when there is one, waits until what was set can be got.
	settle func()
	// reader returns what gets values, for one goroutine. What it returns is
	// valid until it is called again, and nil when there is nothing.
	reader func() func(key []byte) []byte
}

var open = map[string]func(Contents) (*cache, error){
	Tidegate: openTidegate, Fastcache: openFastcache, Bigcache: openBigcache, Freecache: openFreecache,
	Otter: openOtter, Ristretto: openRistretto, GoMap: openGoMap,
}

// Filled is a cache that holds its contents.
type Filled struct {
	cache *cache
	Contents
}

// Fill opens a cache, stores the contents and looks whether all are there.
func Fill(name string, c Contents) (*Filled, error) {
	opens, ok := open[name]
	if !ok {
		return nil, fmt.Errorf("caches: there is no %q", name)
	}
	opened, err := opens(c)
	if err != nil {
		return nil, fmt.Errorf("caches: open %s: %w", name, err)
	}
	f := &Filled{opened, c}
	if err := f.fill(); err != nil {
		return nil, fmt.Errorf("caches: fill %s: %w", name, err)
	}
	return f, nil
}

func (f *Filled) fill() error {
	const settling = 1024 // ristretto drops what it has not taken up when its buffer is full
	k, value := f.keys(), bytes.Repeat([]byte("benchmark"), f.ValueBytes/9+1)[:f.ValueBytes]
	value[len(value)-1] = 0
	for i := range uint64(f.Entries) {
		binary.LittleEndian.PutUint64(value, i)
		if err := f.cache.set(k.of(i), value); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if f.cache.settle != nil && (i%settling == settling-1 || i == uint64(f.Entries)-1) {
			f.cache.settle()
		}
	}
	get := f.cache.reader()
	for i := range uint64(f.Entries) {
		if !f.isValue(get(k.of(i)), i) {
			return fmt.Errorf("entry %d of %d is not there", i, f.Entries)
		}
	}
	return nil
}

// isValue says whether v is the value of entry i.
func (f *Filled) isValue(v []byte, i uint64) bool {
	return len(v) == f.ValueBytes && binary.LittleEndian.Uint64(v) == i
}

// keys makes keys out of numbers, in memory that is at hand as a request's is.
type keys struct {
	entries uint64
	state   uint32
	key     [KeyBytes]byte
}

func (f *Filled) keys() *keys {
	k := &keys{entries: uint64(f.Entries), state: 1}
	copy(k.key[:], f.cache.prefix[:])
	copy(k.key[prefixBytes:], "GET /prod/benchmarks/items/{id} ")
	return k
}

// of returns the key of entry i, until the next call.
func (k *keys) of(i uint64) []byte {
	binary.LittleEndian.PutUint64(k.key[KeyBytes-8:], (i+1)*0x9e3779b97f4a7c15)
	return k.key[:]
}

// next returns the number of another entry at random. It depends on last, which
// is zero.
func (k *keys) next(last byte) uint64 {
	k.state = k.state*1664525 + 1013904223 + uint32(last)
	return uint64(k.state) * k.entries >> 32
}
