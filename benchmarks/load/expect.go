package load

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Stamp returns a text of so many bytes, 16 at least, that says when it was made,
// to other processes too.
func Stamp(size int) []byte {
	text := bytes.Repeat([]byte("x"), size)
	writeStamp(text, uint64(monotonic(time.Now())))
	return text
}

// monotonic returns a time by the clock that all processes share, in nanoseconds.
func monotonic(t time.Time) int64 { return clockAtEpoch + int64(t.Sub(epoch)) }

var epoch, clockAtEpoch = time.Now(), func() int64 {
	const clockMonotonic = 1
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0) // does not fail
	return ts.Nano()
}()

// expect waits for messages that the server sends unasked.
type expect struct {
	Messages int

	start   time.Time
	pushed  int64 // the earliest stamp
	latency []float64
}

// PushSummary is what has come of messages that were pushed.
type PushSummary struct {
	Messages int     `json:"messages"`
	Micros   float64 `json:"micros"` // from the first push until the last message had come
	P50      float64 `json:"p50_us"` // from the push to the arrival
	P99      float64 `json:"p99_us"`
}

// MessagesPerSecond is the throughput.
func (s PushSummary) MessagesPerSecond() float64 { return float64(s.Messages) / s.Micros * 1e6 }

func (e *expect) joined(*crowd, *client, time.Time) {}

func (e *expect) message(c *crowd, _ *client, payload []byte, now time.Time) {
	at, err := strconv.ParseInt(string(payload[:min(stampBytes, len(payload))]), 16, 64)
	if err != nil {
		c.fail(fmt.Errorf("a message without a stamp: %.100q", payload))
		return
	}
	if e.pushed == 0 || at < e.pushed {
		e.pushed = at
	}
	e.latency = append(e.latency, float64(monotonic(now)-at)/1e3)
}

func (e *expect) step(c *crowd, now time.Time) (*crowdAnswer, time.Time) {
	if e.start.IsZero() {
		e.start = now
		e.latency = slices.Grow(e.latency, e.Messages)
	}
	if len(e.latency) < e.Messages {
		if now.Sub(e.start) > 3*patience {
			c.fail(fmt.Errorf("%d of %d messages have not come within %v", e.Messages-len(e.latency), e.Messages, 3*patience))
		}
		return nil, e.start.Add(3*patience + tick)
	}
	micros := float64(monotonic(now)-e.pushed) / 1e3
	slices.Sort(e.latency)
	return &crowdAnswer{Pushes: &PushSummary{
		Messages: len(e.latency), Micros: micros, P50: percentile(e.latency, 0.5), P99: percentile(e.latency, 0.99),
	}}, now
}
