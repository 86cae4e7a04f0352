// Package sentence decides which sources of denied requests the kernel gate
// shuts out, and for how long. It knows neither the kernel nor the pipeline.
//
// A source is condemned when at least so many of its requests came within a
// window and every one of them was denied. It has to have finished a handshake to
// be heard of at all, so a spoofed address cannot be condemned. One request that
// is served, such as that of a neighbour behind the same address, clears it. A
// sentence lasts as long as the client was told to wait, doubles with each
// repetition, and is capped.
package sentence

import (
	"net/netip"
	"sync"
	"time"

	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// maxCases bounds how many sources are looked into at once. Those that come
// when it is full are not: they are denied in userspace as before.
const maxCases = 4096

// Rules say when a source is condemned and for how long.
type Rules struct {
	Window  time.Duration // within which its requests were denied, all of them
	Denials int           // at least
	First   time.Duration // a sentence where it is not known when the limit returns
	Longest time.Duration // the most, whatever was repeated
	Trusted []netip.Prefix
}

// Verdict is a sentence.
type Verdict struct {
	Source  netip.Prefix // an IPv4 address or an IPv6 /64
	Offence telemetry.Offence
	Until   int64 // Unix nanoseconds
	Strike  int   // 1 for the first
}

// Judge hears of denied requests. Hear and Sweep are for one goroutine; the
// others for any.
type Judge struct {
	suspects *telemetry.Suspects
	condemn  func(Verdict) error // its error is the gate's: it cannot shut out

	mu    sync.Mutex
	rules Rules
	cases map[netip.Prefix]*record
}

// record is what is known of a source.
type record struct {
	since   int64 // beginning of the window, Unix nanoseconds
	last    int64 // the last denial
	denials int
	strikes int
	until   int64 // of the sentence
}

// NewJudge returns a judge that has heard of nobody.
func NewJudge(rules Rules, suspects *telemetry.Suspects, condemn func(Verdict) error) *Judge {
	return &Judge{suspects: suspects, condemn: condemn, rules: rules, cases: map[netip.Prefix]*record{}}
}

// SetRules changes the rules for what comes next.
func (j *Judge) SetRules(r Rules) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rules = r
}

// skew is how far the clocks of two event loops may be apart.
const skew = int64(time.Millisecond)

// Hear takes note of a denied request, and condemns its source if that is due.
// now is when it is heard, in Unix nanoseconds. Whether a source is served too is
// known only from when its first denial was heard, so what was denied before does
// not count.
func (j *Judge) Hear(r *telemetry.Report, now int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	source := telemetry.Network(r.Source)
	if !source.IsValid() || j.trusted(r.Source) {
		return
	}
	c := j.cases[source]
	if c == nil {
		if len(j.cases) >= maxCases || !j.suspects.Watch(r.Source) {
			return
		}
		c = &record{since: now + skew}
		j.cases[source] = c
	}
	if c.last = max(c.last, r.At); c.until > r.At || c.since > r.At {
		return // of a connection that was open before, or too early
	}
	if served := j.suspects.LastServed(r.Source); served > c.since-skew || r.At-c.since > int64(j.rules.Window) {
		c.since, c.denials = r.At, 0
	}
	if c.denials++; c.denials < j.rules.Denials {
		return
	}
	c.until = r.At + int64(j.length(r, c.strikes))
	if err := j.condemn(Verdict{Source: source, Offence: r.Offence, Until: c.until, Strike: c.strikes + 1}); err != nil {
		c.until = 0
		return
	}
	c.strikes++
	c.since, c.denials = c.until, 0
	j.suspects.Condemn(r.Source, c.until)
}

// length of a sentence: what Retry-After said, doubled with every strike.
func (j *Judge) length(r *telemetry.Report, strikes int) time.Duration {
	base := j.rules.First
	if r.Until > r.At {
		base = (time.Duration(r.Until-r.At) + time.Second - 1).Truncate(time.Second)
	}
	for range strikes {
		if base >= j.rules.Longest {
			break
		}
		base *= 2
	}
	return min(base, j.rules.Longest)
}

func (j *Judge) trusted(source netip.Addr) bool {
	source = source.Unmap().WithZone("")
	if source.IsLoopback() || source.IsUnspecified() {
		return true
	}
	for _, p := range j.rules.Trusted {
		if p.Contains(source) {
			return true
		}
	}
	return false
}

// Release forgets what is known of the sources in a prefix.
func (j *Judge) Release(prefix netip.Prefix) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for source := range j.cases {
		if prefix.Overlaps(source) {
			j.suspects.Forget(source.Addr())
			delete(j.cases, source)
		}
	}
}

// Sweep forgets those that have behaved for as long as the longest sentence and
// a window after it. Call it every second or so with the Unix nanoseconds.
func (j *Judge) Sweep(now int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for source, c := range j.cases {
		quiet := int64(j.rules.Window)
		if c.strikes > 0 { // repetition counts
			quiet += int64(j.rules.Longest)
		}
		if now > max(c.last, c.until)+quiet {
			j.suspects.Forget(source.Addr())
			delete(j.cases, source)
		}
	}
}
