package window

import "math"

// Counted is what a key has in its window: its hash, and then pairs of a number of
// ticks ago and of the events of that tick.
type Counted []uint64

// Counted returns what keys have, for a table of another process that goes on for
// this one: of windows as long, and whose keys are the same hashes. Of more keys than
// most it leaves the others for later. now is as in Count, of this process. Calls of it
// and LateCounted must not overlap.
func (c *Counts) Counted(now int64, most int) []Counted {
	c.told = nil
	return c.LateCounted(now, most)
}

// LateCounted returns what Counted left, and what came since, or since the last call.
func (c *Counts) LateCounted(now int64, most int) (all []Counted) {
	if c.told == nil {
		c.told = map[uint64][ticks]uint64{}
	}
	tick := c.tickOf(now)
	for i := range c.sets {
		s := &c.sets[i]
		for w := range s.keys {
			if len(all) == most {
				return all
			}
			if key := s.keys[w].Load(); key != 0 {
				if more := s.cells[w].more(key, tick, c.told); len(more) > 1 {
					all = append(all, more)
				}
			}
		}
	}
	return all
}

// more returns what a key has that is not told yet, and has it told.
func (of *cells) more(key, tick uint64, told map[uint64][ticks]uint64) Counted {
	more := Counted{key}
	known := told[key]
	for i := range of {
		v := of[i].Load()
		n := v & countMask
		if v>>countBits+ticks <= tick || n == 0 {
			continue
		}
		if before := known[i]; before>>countBits == v>>countBits {
			n -= min(n, before&countMask)
		}
		if n > 0 {
			more = append(more, tick-min(tick, v>>countBits), n)
			known[i] = v
		}
	}
	if len(more) > 1 {
		told[key] = known
	}
	return more
}

// Add counts what another process has counted. Its ticks begin at other times: so
// that nothing is forgotten early, each event counts for up to a tick longer. Where all
// places of a key are taken, the one with the lowest count makes room, even if it is over
// its limit, which is not known here. Of what makes no sense as much is taken as does.
func (c *Counts) Add(now int64, all []Counted) {
	tick := c.tickOf(now)
	for _, counted := range all {
		if len(counted) == 0 {
			continue
		}
		key := max(1, counted[0])
		s := c.set(key)
		of := s.lookup(key)
		if of == nil {
			of = c.add(s, key, tick, math.MaxInt64)
		}
		for pairs := counted[1:]; len(pairs) >= 2; pairs = pairs[2:] {
			if ago := max(1, pairs[0]) - 1; ago < ticks {
				of.add(tick-ago, min(pairs[1], countMask/ticks))
			}
		}
	}
}
