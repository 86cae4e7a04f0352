package telemetry

import "sync/atomic"

// cacheLine is the distance in bytes that keeps two goroutines' counters from
// slowing each other down.
const cacheLine = 64

// ring is a bounded queue of bytes between one producer and one consumer,
// without a lock. What the producer puts in with one push, the consumer sees
// whole or not at all.
//
//	taken          put
//	  │  to be read │  free, up to taken+len(buf)
//	──┴─────────────┴──────────────────────────▶ bytes since the beginning
type ring struct {
	buf   []byte // a power of two
	_     [cacheLine]byte
	taken atomic.Uint64 // moved by the consumer
	_     [cacheLine]byte
	put   atomic.Uint64 // moved by the producer
	_     [cacheLine]byte
}

// push copies b into the ring, or reports that it is too full. half says that
// the ring is more than half full and the consumer should hurry.
func (r *ring) push(b []byte) (ok, half bool) {
	put := r.put.Load()
	used := int(put - r.taken.Load())
	if len(b) > len(r.buf)-used {
		return false, true
	}
	at := int(put) & (len(r.buf) - 1)
	n := copy(r.buf[at:], b)
	copy(r.buf, b[n:])
	r.put.Store(put + uint64(len(b)))
	return true, used+len(b) > len(r.buf)/2
}

// pending returns all that can be read, in order: first, then second. It stays
// valid until release.
func (r *ring) pending() (first, second []byte) {
	taken, put := r.taken.Load(), r.put.Load()
	n := int(put - taken)
	at := int(taken) & (len(r.buf) - 1)
	if over := at + n - len(r.buf); over > 0 {
		return r.buf[at:], r.buf[:over]
	}
	return r.buf[at : at+n], nil
}

// release gives n bytes back to the producer.
func (r *ring) release(n int) { r.taken.Add(uint64(n)) }
