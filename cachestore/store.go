package cachestore

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"
)

// ErrClosed is returned for an entry that comes after [Store.Close].
var ErrClosed = errors.New("cachestore: the store is closed")

// Options of a [Store].
type Options struct {
	// MaxBytes bounds the memory of entries; at least 32 MiB are taken, see
	// the package comment.
	MaxBytes int
	// MaxValueBytes bounds one value. It is 1 MiB when 0, and never more than
	// [MaxValue] or a sixteenth of MaxBytes: larger ones would push their own
	// parts out.
	MaxValueBytes int
	// MaxWaiters bounds how many may wait for one key; 4096 when 0.
	MaxWaiters int
	// Savable keeps a list of the keys, which [Store.Save] needs. It costs the
	// length of the key and 2 bytes of MaxBytes with each entry stored, and a
	// lock.
	Savable bool
}

const (
	minBytes          = 32 << 20 // fastcache's own
	defaultValueBytes = 1 << 20
	defaultWaiters    = 4096
)

// Store keeps entries in bounded memory off the Go heap; see the package
// comment. The zero Store is not usable.
type Store struct {
	options Options
	cache   atomic.Pointer[fastcache.Cache] // nil before the first entry and after Close
	makes   sync.Mutex                      // of cache
	closed  atomic.Bool

	flushes      atomic.Uint64
	groupsLock   sync.Mutex
	groups       []*Group // by number
	groupsByName map[string]*Group

	serial  atomic.Uint64 // of values in parts
	catalog *catalog      // nil when not savable
	flights [flightShards]flightShard
	counts  counts
}

// New returns an empty store.
func New(o Options) *Store {
	o.MaxBytes = max(o.MaxBytes, minBytes)
	if o.MaxValueBytes <= 0 {
		o.MaxValueBytes = defaultValueBytes
	}
	o.MaxValueBytes = min(o.MaxValueBytes, MaxValue, o.MaxBytes/16)
	if o.MaxWaiters <= 0 {
		o.MaxWaiters = defaultWaiters
	}
	s := &Store{options: o, groupsByName: map[string]*Group{}}
	// Generations start anywhere, so that nobody can prepare keys whose hashes
	// collide and push one another out.
	s.flushes.Store(rand.Uint64())
	if o.Savable {
		s.catalog = &catalog{}
	}
	return s
}

// Get appends what is stored under key to dst. The entry's Meta and Value point
// into the returned slice, next to each other but not at its beginning; they
// are valid as long as the caller leaves that slice alone. On [Miss] nothing is
// appended.
func (s *Store) Get(dst []byte, key Key, now int64) ([]byte, Entry, State) {
	c := s.cache.Load()
	if c == nil {
		s.counts.early.Add(1)
		return dst, Entry{}, Miss
	}
	n := len(dst)
	dst, ok := c.HasGet(dst, key)
	if !ok {
		return dst, Entry{}, Miss
	}
	e, parted, ok := parse(dst[n:])
	state := e.state(now)
	if !ok || state == Miss {
		s.counts.expired.Add(1)
		return dst[:n], Entry{}, Miss
	}
	if parted {
		if dst, ok = s.appendParts(c, dst, n, &e); !ok {
			s.counts.incomplete.Add(1)
			return dst[:n], Entry{}, Miss
		}
	}
	if state == Stale {
		s.counts.stale.Add(1)
	}
	return dst, e, state
}

// Set stores e under key, in place of what is there, without regard to whoever
// is filling it. The error is [ErrTooLarge] or [ErrClosed]; without one the
// entry is there until something pushes it out. e is copied.
func (s *Store) Set(key Key, e Entry) error {
	p, err := s.prepare(key, &e)
	if err != nil {
		return err
	}
	defer p.release()
	return p.publish()
}

// Delete removes the entry of key, and takes the lead from whoever is filling
// it, whose answer may be older than the reason to delete: the first of those
// that wait for it leads anew.
func (s *Store) Delete(key Key, now int64) {
	sh := s.flightShard(key)
	sh.Lock()
	if c := s.cache.Load(); c != nil {
		c.Del(key)
	}
	var next wake
	if f := sh.flights[string(key)]; f != nil {
		s.counts.lost.Add(1)
		next = f.handOver(now)
	}
	sh.Unlock()
	next.deliver()
}

// Close drops all entries and returns their memory to the stores that remain.
// From then on gets miss and nothing is stored.
func (s *Store) Close() {
	s.makes.Lock()
	defer s.makes.Unlock()
	s.closed.Store(true)
	if c := s.cache.Swap(nil); c != nil {
		c.Reset()
	}
}

// open returns the cache and makes it when this is the first entry.
func (s *Store) open() (*fastcache.Cache, error) {
	if c := s.cache.Load(); c != nil {
		return c, nil
	}
	s.makes.Lock()
	defer s.makes.Unlock()
	if s.closed.Load() {
		return nil, ErrClosed
	}
	c := s.cache.Load()
	if c == nil {
		c = fastcache.New(s.options.MaxBytes)
		s.cache.Store(c)
	}
	return c, nil
}
