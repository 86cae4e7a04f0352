package window

// add gives key a place, in which nothing is counted. It is nil when all places
// have keys that are over the limit.
func (c *Counts) add(s *set, key, tick uint64, limit int64) *cells {
	mu := &c.adding[key%uint64(len(c.sets))%stripes]
	mu.Lock()
	defer mu.Unlock()
	if of := s.lookup(key); of != nil {
		return of
	}
	way, lowest := -1, limit
	for w := range s.keys {
		if s.keys[w].Load() == 0 {
			way, lowest = w, 0
			break
		}
		if n := s.cells[w].sum(tick); n <= lowest {
			way, lowest = w, n-1 // of equals, the first
		}
	}
	if way < 0 {
		return nil
	}
	of := &s.cells[way]
	if s.keys[way].Load() != 0 {
		if lowest >= 0 {
			c.displaced.Add(1)
		}
		// Nobody finds the place while it is between two keys. Who has found it
		// before may still count into it: the new key then has one too many.
		s.keys[way].Store(0)
		for i := range of {
			of[i].Store(0)
		}
	}
	s.keys[way].Store(key)
	return of
}
