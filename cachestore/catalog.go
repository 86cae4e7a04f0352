package cachestore

import (
	"encoding/binary"
	"iter"
	"sync"

	"github.com/VictoriaMetrics/fastcache"
)

// catalog lists the keys that were stored, since fastcache cannot. It is a
// sequence of pages that are kept in the cache too, and so are pushed out at
// about the time the entries they list are, and need no tidying up. Listings are
// numbered, and each record has the number of its own, so that one that was
// stored repeatedly is found once, by its last listing.
type catalog struct {
	mu       sync.Mutex
	listings uint32 // so far; it may wrap, long after what it told apart is gone
	page     []byte // the one being written: listings before (4 bytes), then length (2 bytes) and key, repeated
	number   uint32 // of it
	first    uint32 // earlier ones are gone
}

type pageName [4 + 4]byte

func (n *pageName) set(number uint32) {
	binary.LittleEndian.PutUint32(n[:], catalogID)
	binary.LittleEndian.PutUint32(n[4:], number)
}

// add lists key and returns the number of the listing.
func (g *catalog) add(s *Store, c *fastcache.Cache, key Key) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.page) > 0 && len(g.page)+2+len(key) > partBytes {
		g.turn(s, c)
	}
	if len(g.page) == 0 {
		g.page = binary.LittleEndian.AppendUint32(g.page, g.listings)
	}
	g.page = binary.LittleEndian.AppendUint16(g.page, uint16(len(key)))
	g.page = append(g.page, key...)
	g.listings++
	return g.listings - 1
}

// turn begins a new page.
func (g *catalog) turn(s *Store, c *fastcache.Cache) {
	var name pageName
	name.set(g.number)
	c.Set(name[:], g.page)
	g.page = g.page[:0]
	g.number++
	// Two looks for one page: first catches up with what was pushed out.
	for range 2 {
		name.set(g.first)
		if g.first == g.number || s.has(c, name[:]) {
			break
		}
		g.first++
	}
}

// keys yields the listings so far and their keys. A key is valid until the next.
func (g *catalog) keys(s *Store, c *fastcache.Cache) iter.Seq2[uint32, Key] {
	g.mu.Lock()
	if len(g.page) > 0 {
		g.turn(s, c)
	}
	first, end := g.first, g.number
	g.mu.Unlock()
	return func(yield func(uint32, Key) bool) {
		var name pageName
		var page []byte
		for number := first; number != end; number++ {
			name.set(number)
			page, _ = s.look(c, page[:0], name[:])
			if len(page) == 0 {
				continue
			}
			listing := binary.LittleEndian.Uint32(page)
			for rest := page[4:]; len(rest) > 0; listing++ {
				n := int(binary.LittleEndian.Uint16(rest))
				if !yield(listing, Key(rest[2:2+n])) {
					return
				}
				rest = rest[2+n:]
			}
		}
	}
}

// listed appends the record of key to buf if the listing is its own and it can
// still be used.
func (s *Store) listed(c *fastcache.Cache, buf []byte, key Key, listing uint32, now int64) ([]byte, Entry, bool) {
	n := len(buf)
	buf, ok := s.look(c, buf, key)
	if !ok {
		return buf, Entry{}, false
	}
	e, parted, ok := parse(buf[n:])
	if !ok || listingOf(buf[n:]) != listing || e.state(now) == Miss {
		return buf, Entry{}, false
	}
	if parted {
		buf, ok = s.appendParts(c, buf, n, &e)
	}
	return buf, e, ok
}
