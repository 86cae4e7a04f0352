package cachestore

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type wakeChan chan Turn

func (c wakeChan) Wake(turn Turn, t Ticket) {
	if turn == Lead {
		t.Pass()
	}
	c <- turn
}

// 1,000 requests miss one key at the same time, each in its own goroutine, and
// one of them asks the backend.
func TestStampede(t *testing.T) {
	for _, large := range []int{10, 100 << 10} {
		s := New(Options{})
		k := key(s.Group("g"), "k")
		value := noise(1, large)
		var backend, hits atomic.Int32
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 1000 {
			all.Go(func() {
				<-start
				if found(s, k, 1) == Fresh {
					hits.Add(1)
					return
				}
				c := make(wakeChan, 1)
				w := Wait{Waiter: c}
				ticket, turn := s.Begin(k, 1, int64(time.Minute), &w)
				if turn == Waiting {
					turn = <-c
				}
				switch turn {
				case Lead:
					backend.Add(1)
					time.Sleep(5 * time.Millisecond)
					if err := ticket.Commit(Entry{FreshUntil: 10, Value: value}); err != nil {
						t.Error(err)
					}
				case Filled:
					if found(s, k, 1) == Fresh {
						hits.Add(1)
					}
				default:
					t.Errorf("turn %d", turn)
				}
			})
		}
		close(start)
		all.Wait()
		if backend.Load() != 1 || hits.Load() != 999 {
			t.Errorf("%d asked the backend, %d hits", backend.Load(), hits.Load())
		}
		s.Close()
	}
}

// Values say which key and which version they are, in every word, so that one
// that is mixed or of another key shows. Everything happens at once.
func TestStress(t *testing.T) {
	const keys, workers = 64, 8
	s := New(Options{Savable: true})
	g := s.Group("g")
	var version atomic.Uint64
	var all sync.WaitGroup
	operations := 4000
	if testing.Short() {
		operations = 500
	}
	for worker := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 0))
			var buf []byte
			for i := range operations {
				number := r.Uint64N(keys)
				k := binary.LittleEndian.AppendUint64(g.Key(nil), number)
				now := int64(i)
				switch r.IntN(20) {
				case 0:
					_ = s.Set(k, Entry{now + 1000, now + 2000, nil, labelled(number, version.Add(1), size(r))})
				case 1:
					g.Flush()
				case 2:
					s.Delete(k, now)
				case 3, 4, 5:
					c := make(wakeChan, 1)
					w := Wait{Waiter: c}
					ticket, turn := s.Begin(k, now, 50, &w)
					switch {
					case turn == Waiting && r.IntN(2) == 0:
						ticket, turn = w.GiveUp(now + r.Int64N(100))
						if turn == Waiting {
							<-c
						}
						ticket.Abort(now)
					case turn == Waiting:
						// Its leader is a worker, or will be superseded by one: do not wait here.
						ticket, _ = w.GiveUp(now)
						ticket.Pass()
					case turn == Lead && r.IntN(3) == 0:
						ticket.Abort(now)
					case turn == Lead:
						_ = ticket.Commit(Entry{now + 1000, now + 2000, nil, labelled(number, version.Add(1), size(r))})
					}
				default:
					var e Entry
					var state State
					buf, e, state = s.Get(buf[:0], k, now)
					if state != Miss {
						checkLabels(t, number, e.Value)
					}
				}
			}
		})
	}
	all.Go(func() {
		for range 5 {
			s.Stats()
			if _, err := s.write(t.Context(), discard{}, nil, 0, 0); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	s.Close()
	for i := range s.flights {
		for k, f := range s.flights[i].flights {
			if f.waits != 0 || f.first != nil || f.last != nil {
				t.Errorf("%q: %d wait", k, f.waits)
			}
		}
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func labelled(key, version uint64, n int) []byte {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, key)
		b = binary.LittleEndian.AppendUint64(b, version)
	}
	return b
}

func checkLabels(t *testing.T, key uint64, value []byte) {
	t.Helper()
	for at := 0; at < len(value); at += 16 {
		k, v := binary.LittleEndian.Uint64(value[at:]), binary.LittleEndian.Uint64(value[at+8:])
		if k != key || v != binary.LittleEndian.Uint64(value[8:]) {
			t.Errorf("a value of key %d has bytes of key %d version %d at %d", key, k, v, at)
			return
		}
	}
}
