package cachestore

import (
	"sync"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

// prepared is an entry that is ready to be seen: all that takes long is done.
type prepared struct {
	store  *Store
	cache  *fastcache.Cache
	key    Key
	record *[]byte
}

var records = sync.Pool{New: func() any { return new([]byte) }}

// prepare writes the parts of e, if it needs any, and the record that shows it.
func (s *Store) prepare(key Key, e *Entry) (prepared, error) {
	if len(key) < keyPrefix || len(key) > MaxKey || len(e.Meta) > MaxMeta || len(e.Value) > s.options.MaxValueBytes {
		s.counts.tooLarge.Add(1)
		return prepared{}, ErrTooLarge
	}
	c, err := s.open()
	if err != nil {
		return prepared{}, err
	}
	var listing uint32
	if s.catalog != nil {
		listing = s.catalog.add(s, c, key)
	}
	p := prepared{store: s, cache: c, key: key, record: records.Get().(*[]byte)}
	if len(e.Meta)+len(e.Value) <= partBytes {
		*p.record = appendRecord((*p.record)[:0], e, listing)
		return p, nil
	}
	at := partsAt{serial: s.serial.Add(1), length: uint64(len(e.Value)), sum: xxhash.Sum64(e.Value)}
	setParts(c, at.serial, e.Value)
	*p.record = appendPartsRecord((*p.record)[:0], e, listing, at)
	return p, nil
}

// publish makes the entry visible.
func (p *prepared) publish() error {
	p.cache.Set(p.key, *p.record)
	if p.store.closed.Load() {
		return ErrClosed
	}
	p.store.counts.fills.Add(1)
	return nil
}

// release ends p, published or not.
func (p *prepared) release() {
	records.Put(p.record)
	if p.store.closed.Load() {
		p.cache.Reset() // what was written after Close would be lost to other stores
	}
}
