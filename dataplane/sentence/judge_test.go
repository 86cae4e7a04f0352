package sentence

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/telemetry"
)

const second = int64(time.Second)

var rules = Rules{Window: 10 * time.Second, Denials: 5, First: 10 * time.Second, Longest: time.Minute, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}

// court is a judge whose verdicts are kept.
type court struct {
	*Judge
	suspects *telemetry.Suspects
	verdicts []Verdict
	fail     error
}

func newCourt() *court {
	c := &court{suspects: telemetry.NewSuspects()}
	c.Judge = NewJudge(rules, c.suspects, func(v Verdict) error {
		if c.fail == nil {
			c.verdicts = append(c.verdicts, v)
		}
		return c.fail
	})
	return c
}

// deny reports n denied requests, a second apart from at.
func (c *court) deny(source string, n int, at, wait int64) {
	for i := range n {
		r := telemetry.Report{Source: netip.MustParseAddr(source), Offence: telemetry.Throttled, At: at + int64(i)*second/10}
		if wait > 0 {
			r.Until = r.At + wait
		}
		c.Hear(&r, r.At-skew)
	}
}

func TestCondemns(t *testing.T) {
	for _, tc := range []struct {
		name   string
		source string
		n      int
		wait   int64
		want   string
	}{
		{"enough", "192.0.2.1", 5, 3 * second, "192.0.2.1/32 for 3s"},
		{"Retry-After is whole seconds", "192.0.2.1", 5, second / 10, "192.0.2.1/32 for 1s"},
		{"a quota that is far off", "192.0.2.1", 5, 3600 * second, "192.0.2.1/32 for 1m0s"},
		{"not known when", "192.0.2.1", 5, 0, "192.0.2.1/32 for 10s"},
		{"too few", "192.0.2.1", 4, 3 * second, ""},
		{"IPv6 by its network", "2001:db8::1:2:3:4", 5, 3 * second, "2001:db8::/64 for 3s"},
		{"loopback", "127.0.0.1", 50, 3 * second, ""},
		{"loopback 6", "::1", 50, 3 * second, ""},
		{"trusted", "10.1.2.3", 50, 3 * second, ""},
		{"trusted, mapped", "::ffff:10.1.2.3", 50, 3 * second, ""},
	} {
		c := newCourt()
		c.deny(tc.source, tc.n, second, tc.wait)
		got := ""
		for _, v := range c.verdicts {
			got += fmt.Sprintf("%s for %s", v.Source, time.Duration(v.Until-second-4*second/10))
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		if condemned := c.suspects.Condemned(netip.MustParseAddr(tc.source), 2*second); condemned != (tc.want != "") {
			t.Errorf("%s: condemned %v", tc.name, condemned)
		}
	}
}

// One request that is served clears everyone behind the address.
func TestOneGoodKeyClears(t *testing.T) {
	c := newCourt()
	addr := netip.MustParseAddr("192.0.2.1")
	for i := range int64(100) {
		c.deny("192.0.2.1", 4, (1+i)*second, 3*second)
		c.suspects.Served(addr, (1+i)*second+second/2)
	}
	if len(c.verdicts) != 0 {
		t.Errorf("%d verdicts", len(c.verdicts))
	}
	c.deny("192.0.2.1", 5, 200*second, 3*second)
	if len(c.verdicts) != 1 {
		t.Errorf("%d verdicts after it was served no more", len(c.verdicts))
	}
}

// A source is watched from when it is first heard of. What it was denied before
// does not count, since it may have been served among that.
func TestEarlierDenialsDoNotCount(t *testing.T) {
	c := newCourt()
	hear := func(at, now int64) {
		c.Hear(&telemetry.Report{Source: netip.MustParseAddr("192.0.2.1"), Offence: telemetry.Throttled, At: at}, now)
	}
	for i := range int64(20) {
		hear(second+i, 2*second)
	}
	for i := range int64(4) {
		hear(2*second+skew+i, 3*second)
	}
	if len(c.verdicts) != 0 {
		t.Fatalf("%+v", c.verdicts)
	}
	if hear(2*second+skew+4, 3*second); len(c.verdicts) != 1 {
		t.Error("not condemned for what it was denied later")
	}
}

func TestSlowDenialsAreNotCondemned(t *testing.T) {
	c := newCourt()
	for i := range int64(100) {
		c.deny("192.0.2.1", 1, (1+i)*4*second, 3*second)
	}
	if len(c.verdicts) != 0 {
		t.Errorf("%d verdicts", len(c.verdicts))
	}
}

func TestRepetitionDoubles(t *testing.T) {
	c := newCourt()
	at := second
	for i, want := range []time.Duration{4, 8, 16, 32, 60, 60} {
		c.deny("192.0.2.1", 5, at, 4*second)
		if len(c.verdicts) != i+1 {
			t.Fatalf("%d verdicts after %d rounds", len(c.verdicts), i+1)
		}
		v := c.verdicts[i]
		if got := time.Duration(v.Until - at - 4*second/10); got != want*time.Second || v.Strike != i+1 {
			t.Errorf("strike %d: %s, want %s", v.Strike, got, want*time.Second)
		}
		c.deny("192.0.2.1", 20, v.Until-2*second, 4*second) // on a connection that is open still
		if len(c.verdicts) != i+1 {
			t.Fatal("condemned while it is condemned")
		}
		at = v.Until + second
		c.Sweep(at)
	}
	// It behaves for long enough.
	c.Sweep(at + 200*second)
	c.deny("192.0.2.1", 5, at+201*second, 4*second)
	if v := c.verdicts[len(c.verdicts)-1]; v.Strike != 1 {
		t.Errorf("strike %d after a long time", v.Strike)
	}
}

func TestRelease(t *testing.T) {
	c := newCourt()
	c.deny("192.0.2.1", 5, second, 4*second)
	c.Release(netip.MustParsePrefix("192.0.2.0/24"))
	if c.suspects.Condemned(netip.MustParseAddr("192.0.2.1"), second) {
		t.Error("still condemned")
	}
	c.deny("192.0.2.1", 5, 2*second, 4*second)
	if v := c.verdicts[len(c.verdicts)-1]; len(c.verdicts) != 2 || v.Strike != 1 {
		t.Errorf("%+v", c.verdicts)
	}
}

// When the gate cannot shut out, everything goes on in userspace.
func TestGateFails(t *testing.T) {
	c := newCourt()
	c.fail = errors.New("off")
	c.deny("192.0.2.1", 50, second, 4*second)
	if c.suspects.Condemned(netip.MustParseAddr("192.0.2.1"), second) {
		t.Error("condemned without a gate")
	}
}

func TestManySources(t *testing.T) {
	c := newCourt()
	for i := range 3 * maxCases {
		c.deny(netip.AddrFrom4([4]byte{192, byte(i >> 16), byte(i >> 8), byte(i)}).String(), 5, second, 4*second)
	}
	if len(c.cases) > maxCases || len(c.verdicts) < maxCases/2 {
		t.Errorf("%d cases, %d verdicts", len(c.cases), len(c.verdicts))
	}
	c.Sweep(1000 * second)
	if len(c.cases) != 0 {
		t.Errorf("%d cases after a long time", len(c.cases))
	}
}
