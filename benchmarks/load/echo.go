package load

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// echo has each client say something, wait until it comes back, and go on.
type echo struct {
	Bytes int           // of a message, 16 at least
	For   time.Duration // that they speak

	text    []byte
	start   time.Time
	under   int // way: messages that have not come back
	latency []float64
}

// EchoSummary is what an echo has counted.
type EchoSummary struct {
	Messages int64   `json:"messages"` // that came back as they were
	Micros   float64 `json:"micros"`   // until the last of them
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
}

// stampBytes is how many bytes of a message tell it from others.
const stampBytes = 16

func (e *echo) joined(*crowd, *client, time.Time) {}

func (e *echo) step(c *crowd, now time.Time) (*crowdAnswer, time.Time) {
	if e.start.IsZero() {
		if e.Bytes < stampBytes {
			c.fail(fmt.Errorf("messages of %d bytes, which are less than %d", e.Bytes, stampBytes))
			return nil, now
		}
		e.start, e.text = now, bytes.Repeat([]byte("x"), e.Bytes)
		for _, m := range c.clients {
			e.say(c, m, now)
		}
	}
	end := e.start.Add(e.For)
	switch {
	case now.Before(end):
		return nil, end
	case e.under > 0:
		if now.After(end.Add(patience)) {
			c.fail(fmt.Errorf("%d messages have not come back %v after the last", e.under, patience))
		}
		return nil, end.Add(patience + tick)
	}
	slices.Sort(e.latency)
	return &crowdAnswer{Echoes: &EchoSummary{
		Messages: int64(len(e.latency)), Micros: micros(now.Sub(e.start)), P50: percentile(e.latency, 0.5), P99: percentile(e.latency, 0.99),
	}}, now
}

func (e *echo) say(c *crowd, m *client, now time.Time) {
	c.turn++
	m.turn, m.due = c.turn, now
	e.under++
	writeStamp(e.text, c.turn)
	if err := c.send(m, opText, e.text); err != nil {
		c.fail(err)
	}
}

func (e *echo) message(c *crowd, m *client, payload []byte, now time.Time) {
	if writeStamp(e.text, m.turn); !bytes.Equal(payload, e.text) {
		c.fail(fmt.Errorf("a message came back as %.200q", payload))
		return
	}
	e.under--
	e.latency = append(e.latency, micros(now.Sub(m.due)))
	if now.Sub(e.start) < e.For {
		e.say(c, m, now)
	}
}

// writeStamp writes n over the beginning of a text.
func writeStamp(text []byte, n uint64) {
	const digits = "0123456789abcdef"
	for i := range stampBytes {
		text[stampBytes-1-i] = digits[n>>(4*i)&0xF]
	}
}
