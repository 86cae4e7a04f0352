package websocket

import (
	"math"
	"time"
)

// drain closes the connections of a loop a few at a time.
type drain struct {
	active     bool
	from, till int64
	count      int // connections there were
	closed     int
	next       int // slot to look at
}

func (d *drain) begin(now int64, window time.Duration, count int) {
	*d = drain{active: true, from: now, till: now + int64(window), count: count}
}

// quota returns how many of the connections should have been closed by now.
func (d *drain) quota(now int64) int {
	if now >= d.till {
		return d.count
	}
	return int(math.Ceil(float64(d.count) * float64(now-d.from) / float64(d.till-d.from))) // the first at once
}

// advance closes as many as time has come for.
func (d *drain) advance(sh *shard, now int64) {
	for quota := d.quota(now); d.next < len(sh.slots) && (d.closed < quota || now >= d.till); d.next++ {
		if c := sh.slots[d.next].conn; c != nil && c.phase == phaseOpen {
			c.Close(GoingAway, "")
			d.closed++
		}
	}
	d.active = d.next < len(sh.slots)
}
