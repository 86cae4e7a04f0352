package authorizer

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

// cache remembers verdicts. It takes no memory until there are some.
type cache struct {
	verdicts atomic.Pointer[verdict.Cache[Verdict]]
	most     int
}

func (c *cache) get(key []byte, now int64) *Verdict {
	if v := c.verdicts.Load(); v != nil {
		return v.Get(key, now)
	}
	return nil
}

func (c *cache) put(key []byte, v Verdict, now, until int64) {
	if c.verdicts.Load() == nil {
		c.verdicts.CompareAndSwap(nil, verdict.NewCache[Verdict](c.most))
	}
	c.verdicts.Load().Put(key, v, now, until)
}

func (c *cache) flush() {
	if v := c.verdicts.Load(); v != nil {
		v.Flush()
	}
}

func (c *cache) sweep(now int64) {
	if v := c.verdicts.Load(); v != nil {
		v.Sweep(now)
	}
}

func (c *cache) len() int {
	if v := c.verdicts.Load(); v != nil {
		return v.Len()
	}
	return 0
}

// lookup returns the verdict on a key, or nil.
func (s *state) lookup(key []byte, now int64) *Verdict {
	if v := s.allowing.get(key, now); v != nil {
		return v
	}
	return s.denying.get(key, now)
}

// remember keeps policies that allow nothing apart from the others: whoever sends
// tokens that are none can have no more than those forgotten.
func (s *state) remember(key []byte, v Verdict, now, until int64) {
	if v.Policy.Allows() {
		s.allowing.put(key, v, now, until)
		return
	}
	s.denying.put(key, v, now, until)
}

// flush makes what is remembered, and what calls under way will say, unknown to
// keys made from now on.
func (s *state) flush() {
	s.generation.Add(1)
	s.allowing.flush()
	s.denying.flush()
}
