package websocket

import "math/bits"

// Buffers are powers of two in size up to largestSpare, and multiples of that
// above it. So many of each of these sizes are kept for the next to hold
// something.
const (
	smallestBuffer = 512
	largestSpare   = 16 << 10
	maxSpare       = 64
)

// spareClasses is the number of sizes from smallestBuffer to largestSpare.
const spareClasses = 6

func bufferClass(size int) int { return bits.Len(uint(size)) - bits.Len(smallestBuffer) }

// extend appends b to buf and accounts for the room it takes. It is false, and
// buf unchanged, when the loop has no more to give; the smallest buffer can
// always be had, so that a close frame can be sent.
func (sh *shard) extend(buf, b []byte) ([]byte, bool) {
	need := len(buf) + len(b)
	if need <= cap(buf) {
		return append(buf, b...), true
	}
	size := max(smallestBuffer, 1<<bits.Len(uint(need-1)))
	if size > largestSpare { // no more than a quarter in advance: many may have to wait
		size = (max(need, cap(buf)+cap(buf)/4) + largestSpare - 1) / largestSpare * largestSpare
	}
	if size > smallestBuffer && sh.stats.Held+int64(size-cap(buf)) > sh.hub.config.Buffer {
		return buf, false
	}
	grown := sh.borrow(size)
	grown = append(append(grown, buf...), b...)
	sh.giveBack(buf)
	return grown, true
}

func (sh *shard) borrow(size int) (b []byte) {
	sh.stats.Held += int64(size)
	if size <= largestSpare {
		if spare := &sh.spare[bufferClass(size)]; len(*spare) > 0 {
			last := len(*spare) - 1
			b = (*spare)[last]
			(*spare)[last] = nil
			*spare = (*spare)[:last]
			return b
		}
	}
	return make([]byte, 0, size)
}

func (sh *shard) giveBack(b []byte) {
	if cap(b) == 0 {
		return
	}
	sh.stats.Held -= int64(cap(b))
	if cap(b) > largestSpare {
		return
	}
	if spare := &sh.spare[bufferClass(cap(b))]; len(*spare) < maxSpare {
		*spare = append(*spare, b[:0])
	}
}
