package front

import "time"

// refusal is why a connection was turned away at accept.
type refusal uint8

const (
	refusedFull refusal = iota
	refusedSource
	refusedDescriptors
	numRefusals
)

// Refusals are the reasons for which connections are turned away, for Refused:
// the loop has as many as it may, their source has, or no descriptor is left.
var Refusals = [numRefusals]string{"connections", "source", "descriptors"}

// Refused returns the connections turned away for a reason, by its index in
// Refusals. Any goroutine may call it.
func (f *Front) Refused(reason int) int64 { return f.refused[reason].Load() }

// Relieved returns the idle connections closed because the host was short of
// memory or descriptors. Any goroutine may call it.
func (f *Front) Relieved() int64 { return f.relieved.Load() }

// shorter is a timeout, or less of it while the host is short of memory or
// descriptors.
func (f *Front) shorter(d time.Duration) time.Duration {
	if f.word == 0 {
		return d
	}
	return max(time.Duration((1-f.word.Pressure())*float64(d)), min(d, leastTimeout))
}

// relieve is called at every tick. It hurries or closes idle connections, some at
// a time, while the host is short of memory or descriptors.
func (f *Front) relieve(now int64) {
	f.word = f.config.Overload.Load()
	if f.word.Pressure() == 0 {
		return
	}
	latest := now + int64(f.shorter(f.config.Idle))
	c := f.hurried
	if c == nil || c == &f.conns {
		c = f.conns.next
	}
	for n := 0; n < hurryBatch && c != &f.conns; n++ {
		f.hurried = c.next
		if c.x == nil && c.served {
			if f.word.Closes() {
				f.relieved.Add(1)
				c.shut()
			} else if c.Deadline() > latest {
				c.SetDeadline(latest)
			}
		}
		c = f.hurried
	}
	f.hurried = c
}
