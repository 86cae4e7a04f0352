package websocket

// Stats are counts of a Hub, since its start where they are not of now.
type Stats struct {
	Open     int64 // connections that are open, and those being closed
	Backends int64 // connections to backends
	Held     int64 // bytes held for connections
	Queued   int64 // connections whose peer has not taken everything
	Refused  int64 // connections that Reserve refused

	Connects    int64
	MessagesIn  int64 // from peers, and from backends in pass-through
	MessagesOut int64
	BytesIn     int64 // of their payloads
	BytesOut    int64
	Pings       int64 // sent
	Slow        int64 // connections closed because their peer did not read

	closes [closeClasses]int64
}

// closeClasses are the codes 1000 to 1015 each, and all others together.
const closeClasses = 17

func closeClass(c Code) int {
	if c >= 1000 && c < 1000+closeClasses-1 {
		return int(c - 1000)
	}
	return closeClasses - 1
}

// Closes returns the connections that ended with a code: Abnormal for those that
// were lost, and for any code over 1015 all that had such a one.
func (s *Stats) Closes(c Code) int64 { return s.closes[closeClass(c)] }

func (s *Stats) add(o *Stats) {
	s.Open += o.Open
	s.Backends += o.Backends
	s.Held += o.Held
	s.Queued += o.Queued
	s.Refused += o.Refused
	s.Connects += o.Connects
	s.MessagesIn += o.MessagesIn
	s.MessagesOut += o.MessagesOut
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Pings += o.Pings
	s.Slow += o.Slow
	for i := range s.closes {
		s.closes[i] += o.closes[i]
	}
}

// Stats returns the counts of all loops, each as of its last tick, at most 250
// milliseconds ago. Any goroutine may call it.
func (h *Hub) Stats() (sum Stats) {
	for _, sh := range h.shards {
		sh.published.Lock()
		sum.add(&sh.published.stats)
		sh.published.Unlock()
	}
	return sum
}

// Open returns how many connections are open now. It must not be called on a loop.
func (h *Hub) Open() (n int64) {
	for _, sh := range h.shards {
		sh.loop.Do(func() { n += sh.stats.Open })
	}
	return n
}
