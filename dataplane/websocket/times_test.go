package websocket

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
)

func testLoop(t *testing.T) *loop.Loop {
	t.Helper()
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestTimes walks through the life of a connection with a clock of its own.
func TestTimes(t *testing.T) {
	l := AWSLimits()
	at := func(d time.Duration) int64 { return int64(time.Hour + d) }
	const s = time.Second
	start := func(edit func(*times)) *times {
		var x times
		x.open(at(0))
		if edit != nil {
			edit(&x)
		}
		return &x
	}
	for _, c := range []struct {
		name    string
		times   *times
		blocked int64
		backend bool
		now     int64
		want    action
		next    int64 // after which the next is looked at
	}{
		{"just opened", start(nil), 0, false, at(0), doNothing, at(30 * s)},
		{"before the first ping", start(nil), 0, false, at(30*s - 1), doNothing, at(30 * s)},
		{"first ping", start(nil), 0, false, at(30 * s), doPing, at(30 * s)},
		{"heard since", start(func(x *times) { x.hear(at(20 * s)) }), 0, false, at(30 * s), doNothing, at(50 * s)},
		{"first ping unanswered", start(func(x *times) { x.missed = 1 }), 0, false, at(59 * s), doNothing, at(60 * s)},
		{"second ping", start(func(x *times) { x.missed = 1 }), 0, false, at(60 * s), doPing, at(60 * s)},
		{"third ping", start(func(x *times) { x.missed = 2 }), 0, false, at(90 * s), doPing, at(90 * s)},
		{"dead", start(func(x *times) { x.missed = 3 }), 0, false, at(120 * s), doLose, at(120 * s)},
		{"alive again", start(func(x *times) { x.missed = 3; x.hear(at(119 * s)) }), 0, false, at(120 * s), doNothing, at(149 * s)},
		{"idle though it answers pings", start(func(x *times) { x.hear(at(599 * s)) }), 0, false, at(600 * s), doIdle, at(600 * s)},
		{"not idle", start(func(x *times) { x.hear(at(599 * s)); x.active = at(1 * s) }), 0, false, at(600 * s), doNothing, at(601 * s)},
		{"old", start(func(x *times) { x.hear(at(7199 * s)); x.active = at(7199 * s) }), 0, false, at(7200 * s), doLife, at(7200 * s)},
		{"old towards a backend", start(func(x *times) { x.hear(at(7199 * s)) }), 0, true, at(7200 * s), doNothing, at(7229 * s)},
		{"takes nothing", start(func(x *times) { x.hear(at(39 * s)) }), at(10 * s), false, at(40 * s), doSlow, at(40 * s)},
		{"takes something", start(func(x *times) { x.hear(at(39 * s)) }), at(10*s + 1), false, at(40 * s), doNothing, at(40*s + 1)},
		{"message does not end", start(func(x *times) { x.hear(at(60 * s)); x.begun = at(1 * s) }), 0, false, at(61 * s), doAssembly, at(61 * s)},
		{"message ended", start(func(x *times) { x.hear(at(60 * s)); x.begun = at(1 * s); x.arrived(at(60 * s)) }), 0, false, at(61 * s), doNothing, at(90 * s)},
	} {
		if got := c.times.due(c.now, &l, 0, c.blocked, c.backend); got != c.want {
			t.Errorf("%s: action %d, want %d", c.name, got, c.want)
		}
		if got := c.times.next(&l, 0, c.blocked, c.backend); got != c.next {
			t.Errorf("%s: next at %s, want %s", c.name, time.Duration(got)-time.Hour, time.Duration(c.next)-time.Hour)
		}
	}
}

func TestLimitsCheck(t *testing.T) {
	l := AWSLimits()
	if err := l.Check(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*Limits){
		"frame limit": func(l *Limits) { l.Frame = 0 }, "message limit": func(l *Limits) { l.Message = -1 }, "control limit": func(l *Limits) { l.Control = 1 << 16 },
		"queue bytes limit": func(l *Limits) { l.QueueBytes = 1 << 31 }, "ping time": func(l *Limits) { l.Ping = 0 }, "closing time": func(l *Limits) { l.Closing = -1 },
	} {
		l := AWSLimits()
		spoil(&l)
		if err := l.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestPingsAreSpread: connections that began together are not pinged together.
func TestPingsAreSpread(t *testing.T) {
	l := AWSLimits()
	var x times
	x.open(1)
	perSlot := map[int64]int{}
	for slot := range uint32(6400) {
		at := x.ping(&l, slot) - 1
		if at > int64(30*time.Second) || at < int64(26*time.Second) {
			t.Fatalf("slot %d is pinged after %s", slot, time.Duration(at))
		}
		perSlot[at]++
	}
	for at, n := range perSlot {
		if n > 100 {
			t.Errorf("%d of 6400 are pinged after %s", n, time.Duration(at))
		}
	}
}

func TestControlRate(t *testing.T) {
	var x times
	x.open(0)
	now := int64(5 * time.Second)
	for i := range 64 {
		if !x.control(now+int64(i), 64) {
			t.Fatalf("the %dth is refused", i+1)
		}
	}
	if x.control(now+int64(time.Second)-1, 64) {
		t.Error("the 65th is not refused")
	}
	if !x.control(now+int64(time.Second), 64) {
		t.Error("the first of the next second is refused")
	}
}

func TestDrainQuota(t *testing.T) {
	var d drain
	d.begin(1000, 100, 10)
	for now, want := range map[int64]int{1000: 0, 1009: 1, 1010: 1, 1055: 6, 1099: 10, 1100: 10, 5000: 10} {
		if got := d.quota(now); got != want {
			t.Errorf("at %d: %d, want %d", now, got, want)
		}
	}
	d.begin(1000, 0, 10)
	if got := d.quota(1000); got != 10 {
		t.Errorf("without a window: %d", got)
	}
}
