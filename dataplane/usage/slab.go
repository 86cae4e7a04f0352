package usage

import (
	"sync/atomic"

	"github.com/tidegate/tidegate/limiter"
)

// slab hands out numbered values of T, which has no pointers, in chunks that
// never move, so that pointers to them stay good and the garbage collector does
// not scan them. One goroutine at a time adds and retires; at may be called
// meanwhile.
type slab[T any] struct {
	chunks  atomic.Pointer[[]*[chunkLen]T]
	count   uint32    // numbers ever handed out
	retired []retiree // the longest retired first
}

const chunkLen = 512

// A retiree is a number out of use that somebody may still hold.
type retiree struct {
	number uint32
	since  int64
}

func newSlab[T any]() *slab[T] {
	s := &slab[T]{}
	s.chunks.Store(new([]*[chunkLen]T))
	return s
}

func (s *slab[T]) at(number uint32) *T {
	return &(*s.chunks.Load())[number/chunkLen][number%chunkLen]
}

// take returns a number to use: one that was retired a grace time ago and that
// reuse agrees to, or else a new one.
func (s *slab[T]) take(now int64, reuse func(*T) bool) uint32 {
	if len(s.retired) > 0 {
		r := s.retired[0]
		if now-r.since >= limiter.Grace && reuse(s.at(r.number)) {
			s.retired = s.retired[1:]
			return r.number
		}
	}
	number := s.count
	s.count++
	// Readers of the shorter slice never look at what is appended behind it.
	if chunks := *s.chunks.Load(); int(number/chunkLen) == len(chunks) {
		chunks = append(chunks, new([chunkLen]T))
		s.chunks.Store(&chunks)
	}
	return number
}

func (s *slab[T]) retire(number uint32, now int64) {
	s.retired = append(s.retired, retiree{number, now})
}

func (s *slab[T]) inUse() int { return int(s.count) - len(s.retired) }
