package verdict

import (
	"slices"
	"sync"
)

// Waiter waits for a verdict. Decided is called once, from another goroutine,
// unless Leave came first; it must not block.
type Waiter[V any] interface{ Decided(V) }

// Calls has a question asked once, however many requests wait for its answer.
// Its methods may be called from any goroutine. They take a lock, but for no
// longer than a look at a map.
type Calls[V any] struct {
	mostCalls, mostWaiters int

	mu      sync.Mutex
	calls   map[string]*call[V]
	waiting int
}

type call[V any] struct{ waiters []Waiter[V] }

// NewCalls bounds how many questions are asked at once, and how many requests
// wait for answers.
func NewCalls[V any](mostCalls, mostWaiters int) *Calls[V] {
	return &Calls[V]{mostCalls: mostCalls, mostWaiters: mostWaiters, calls: map[string]*call[V]{}}
}

// Wait waits for the verdict on key with w if somebody asks for it already. Where
// nobody does, room is whether Join would ask: what it takes to ask need not be
// made when it would not.
func (c *Calls[V]) Wait(key []byte, w Waiter[V]) (waits, room bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting >= c.mostWaiters {
		return false, false
	}
	under := c.calls[string(key)]
	if under == nil {
		return false, len(c.calls) < c.mostCalls
	}
	c.add(under, w)
	return true, true
}

func (c *Calls[V]) add(under *call[V], w Waiter[V]) {
	under.waiters = append(under.waiters, w)
	c.waiting++
}

// Join waits for the verdict on key with w. If nobody is asking yet, it runs ask
// on a goroutine of its own. It is false, and w does not wait, when too many do
// already.
//
// ask has to bound its own time. What it returns goes to all who wait; it should
// put it into a Cache before that, so that nobody asks again.
func (c *Calls[V]) Join(key []byte, w Waiter[V], ask func() V) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting >= c.mostWaiters {
		return false
	}
	under := c.calls[string(key)]
	if under == nil {
		if len(c.calls) >= c.mostCalls {
			return false
		}
		under = &call[V]{}
		name := string(key)
		c.calls[name] = under
		go func() {
			verdict := ask()
			for _, w := range c.end(name) {
				w.Decided(verdict)
			}
		}()
	}
	c.add(under, w)
	return true
}

func (c *Calls[V]) end(name string) []Waiter[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiters := c.calls[name].waiters
	delete(c.calls, name)
	c.waiting -= len(waiters)
	return waiters
}

// Leave ends w's wait for key. It is false when Decided has been called, or is
// about to be.
func (c *Calls[V]) Leave(key []byte, w Waiter[V]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	under := c.calls[string(key)]
	if under == nil {
		return false
	}
	i := slices.Index(under.waiters, w)
	if i < 0 {
		return false
	}
	under.waiters = slices.Delete(under.waiters, i, i+1)
	c.waiting--
	return true
}

// Waiting returns how many requests wait.
func (c *Calls[V]) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting
}
