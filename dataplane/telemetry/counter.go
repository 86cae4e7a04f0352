package telemetry

import "sync/atomic"

// cell is one shard's part of a number, alone on its cache line.
type cell struct {
	n atomic.Int64
	_ [cacheLine - 8]byte
}

// sharded is a number that every shard changes without touching another's cache
// line.
type sharded []cell

func (s sharded) sum() (n int64) {
	for i := range s {
		n += s[i].n.Load()
	}
	return n
}

// Counter only grows. Any goroutine may use it.
type Counter struct{ cells sharded }

// Add adds n, which is not negative.
func (c *Counter) Add(shard int, n int) { c.cells[shard].n.Add(int64(n)) }

// Value returns the sum of all shards.
func (c *Counter) Value() uint64 { return uint64(c.cells.sum()) }

// Gauge goes up and down. Any goroutine may use it.
type Gauge struct{ cells sharded }

// Add adds n, which may be negative.
func (g *Gauge) Add(shard int, n int) { g.cells[shard].n.Add(int64(n)) }

// Value returns the sum of all shards.
func (g *Gauge) Value() int64 { return g.cells.sum() }

// Counters is a Counter for each value of a label, known by its index in the
// list that the Counters were made with.
type Counters struct{ byValue []Counter }

// Add adds n, which is not negative, to the counter of a label value.
func (c *Counters) Add(shard, value, n int) { c.byValue[value].Add(shard, n) }

// Value returns the sum of all shards for a label value.
func (c *Counters) Value(value int) uint64 { return c.byValue[value].Value() }
