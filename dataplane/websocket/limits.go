package websocket

import (
	"fmt"
	"math"
	"time"
)

// Limits bound a connection. The connections of an API share one, which must
// pass Check and not change while they use it.
type Limits struct {
	Frame     int  // bytes of a frame's payload
	Message   int  // bytes of a message, in and out
	Fragments int  // frames of a message
	Control   int  // control frames from the peer in a second
	TextOnly  bool // binary messages are refused with 1003

	QueueMessages int // messages that a peer has not taken
	QueueBytes    int // bytes that a peer has not taken

	Ping     time.Duration // silence of the peer before it is pinged; after three pings it is gone
	Idle     time.Duration // without data in either direction
	Life     time.Duration // of the connection
	Send     time.Duration // without the peer taking a byte of what waits for it
	Assembly time.Duration // from the first frame of a message to its last
	Closing  time.Duration // from a close frame to the end of the connection
}

// AWSLimits returns AWS's quotas for WebSocket APIs where it has one, and
// bounds against abuse where it does not.
func AWSLimits() Limits {
	return Limits{
		Frame: 32 << 10, Message: 128 << 10, Fragments: 128, Control: 64, TextOnly: true,
		QueueMessages: 64, QueueBytes: 256 << 10,
		Ping: 30 * time.Second, Idle: 10 * time.Minute, Life: 2 * time.Hour,
		Send: 30 * time.Second, Assembly: time.Minute, Closing: 5 * time.Second,
	}
}

// Check returns an error that names the first limit that cannot be kept.
func (l *Limits) Check() error {
	for _, n := range []struct {
		name     string
		is, most int
	}{
		{"frame", l.Frame, math.MaxInt32}, {"message", l.Message, math.MaxInt32}, {"fragments", l.Fragments, math.MaxInt32},
		{"control", l.Control, math.MaxUint16}, {"queue messages", l.QueueMessages, math.MaxInt32}, {"queue bytes", l.QueueBytes, math.MaxInt32},
	} {
		if n.is < 1 || n.is > n.most {
			return fmt.Errorf("%s limit of WebSockets is %d: want 1 to %d", n.name, n.is, n.most)
		}
	}
	for _, d := range []struct {
		name string
		is   time.Duration
	}{
		{"ping", l.Ping}, {"idle", l.Idle}, {"life", l.Life}, {"send", l.Send}, {"assembly", l.Assembly}, {"closing", l.Closing},
	} {
		if d.is <= 0 {
			return fmt.Errorf("%s time of WebSockets is %s: want more than nothing", d.name, d.is)
		}
	}
	return nil
}
