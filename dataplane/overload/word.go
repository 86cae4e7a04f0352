package overload

import "sync/atomic"

// Word is what event loops have to know, in one word; 0 is a host at ease.
//
//	bits 0-15   pressure on memory and descriptors, in units of 1/65535
//	bits 16-31  share of low requests to shed, likewise
//	bits 32-47  share of normal requests to shed
//	bit 48      refusals cost what others need: events are delayed
type Word uint64

const (
	unit       = 1<<16 - 1 // of a share
	rests Word = 1 << 48
)

// MakeWord returns the Word of the level of memory and descriptors and of that of
// the delay, each from 0 to 1.
func MakeWord(pressure, delay float64) Word {
	part := func(share float64) Word { return Word(share*unit + 0.5) }
	level := max(pressure, delay)
	w := part(pressure) | part(shedShare(Low, level))<<16 | part(shedShare(Normal, level))<<32
	if delay >= levelLow {
		w |= rests
	}
	return w
}

// Pressure returns the level of memory and descriptors, from 0 to 1.
func (w Word) Pressure() float64 { return float64(w&unit) / unit }

// Closes reports whether connections are to be closed once they are idle.
func (w Word) Closes() bool { return w&unit >= levelClose*(unit+1) }

// Refuses reports whether connections are not to be accepted.
func (w Word) Refuses() bool { return w&unit == unit }

// Rests reports whether a client that was refused is to be left alone for as long
// as it was told to wait.
func (w Word) Rests() bool { return w&rests != 0 }

// share returns the share of a priority's requests to shed, in units.
func (w Word) share(p Priority) uint32 {
	if p == High {
		return 0
	}
	return uint32(w>>(16*(1+p))) & unit
}

// State publishes a Word. The zero value is one at ease.
type State struct{ word atomic.Uint64 }

// Load returns the present Word. A nil State is always at ease.
func (s *State) Load() Word {
	if s == nil {
		return 0
	}
	return Word(s.word.Load())
}

// Store publishes a Word.
func (s *State) Store(w Word) { s.word.Store(uint64(w)) }

// Shedder chooses the requests to shed, spread evenly, for one event loop.
type Shedder struct{ owed [numPriorities]uint32 }

// Sheds reports whether the next request of a priority is to be shed.
func (s *Shedder) Sheds(w Word, p Priority) bool {
	share := w.share(p)
	if share == 0 {
		return false
	}
	if s.owed[p] += share; s.owed[p] < unit {
		return false
	}
	s.owed[p] -= unit
	return true
}
