package limiter

// sweep is how many entries an addition looks at in search of idle ones.
const sweep = 16

// add gives key an entry, under the lock of its segment.
func (t *Table) add(s *segment, key Key, now, wall int64) (*Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.lookup(key); e != nil {
		return e, nil
	}
	// Begin early: who is condemned now can make room when none is left.
	if t.entries.Load()*2 >= t.capacity {
		t.evict(s, now, wall)
	}
	if !t.reserve() {
		t.refused.Add(1)
		return nil, ErrTableFull
	}
	number := s.vacancy()
	e := s.entry(number)
	e.occupy(key)
	x := s.index.Load().room()
	x.add(indexWord(key, number))
	s.index.Store(x)
	return e, nil
}

// reserve counts one more entry if there is room.
func (t *Table) reserve() bool {
	if t.entries.Add(1) <= t.capacity {
		return true
	}
	t.entries.Add(-1)
	return false
}

// vacancy returns the number of a vacant entry, a new one if need be.
func (s *segment) vacancy() int {
	if last := len(s.free) - 1; last >= 0 {
		number := s.free[last]
		s.free = s.free[:last]
		return int(number)
	}
	number := s.count
	s.count++
	chunks := *s.chunks.Load()
	if number/chunkEntries == len(chunks) {
		c := new(chunk)
		for i := range c {
			c[i].state.Store(vacant)
		}
		more := append(chunks[:len(chunks):len(chunks)], c)
		s.chunks.Store(&more)
	}
	return number
}

// evict looks at the next few entries: condemns the idle ones, and vacates
// those that were condemned a grace time ago and are idle still.
func (t *Table) evict(s *segment, now, wall int64) {
	for range min(sweep, s.count) {
		s.hand = (s.hand + 1) % s.count
		e := s.entry(s.hand)
		switch state := e.state.Load(); {
		case state == vacant || !e.idle(now, wall):
		case state == live:
			e.state.CompareAndSwap(live, max(1, now))
		case now-state >= Grace && e.state.CompareAndSwap(state, vacant):
			s.index.Load().remove(indexWord(e.Key(), s.hand))
			s.free = append(s.free, uint32(s.hand))
			t.entries.Add(-1)
			t.evicted.Add(1)
		}
	}
}
