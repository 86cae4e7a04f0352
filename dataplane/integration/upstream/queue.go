package upstream

// queue is the calls that wait on a lane, first come first served. They link to
// one another, so that any of them can leave at once.
type queue struct {
	head, tail *Call
	n          int
}

func (q *queue) push(c *Call) {
	c.previous, c.next = q.tail, nil
	if q.tail == nil {
		q.head = c
	} else {
		q.tail.next = c
	}
	q.tail = c
	q.n++
}

func (q *queue) remove(c *Call) {
	if c.previous == nil {
		q.head = c.next
	} else {
		c.previous.next = c.next
	}
	if c.next == nil {
		q.tail = c.previous
	} else {
		c.next.previous = c.previous
	}
	c.previous, c.next = nil, nil
	q.n--
}

// busyLanes are the lanes of one loop that have calls waiting.
type busyLanes struct{ lanes []*lane }

func (b *busyLanes) add(ln *lane) {
	if !ln.listed {
		ln.listed = true
		b.lanes = append(b.lanes, ln)
	}
}

// expire fails the calls that have waited too long.
func (b *busyLanes) expire(now int64) {
	lanes := b.lanes
	b.lanes = b.lanes[len(b.lanes):] // what is called may add
	for i, ln := range lanes {
		lanes[i] = nil
		ln.listed = false
		for c := ln.waiting.head; c != nil; {
			next := c.next
			if now >= c.Deadline {
				ln.forget(c)
				c.fail(Timeout)
			}
			c = next
		}
		if ln.waiting.n > 0 {
			b.add(ln)
		}
	}
}
