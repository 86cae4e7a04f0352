// Package limits compares package limiter of Tidegate with Go's rate limiters,
// all in this process: golang.org/x/time/rate, go.uber.org/ratelimit and the
// memory store of github.com/sethvargo/go-limiter. What is compared is here
// once, for the scenario limiter and for
//
//	go test -bench . -count=10
package limits

import "time"

// Limiter spends from one limit, or decides on several.
type Limiter struct {
	Name string
	// Spend makes n spends at the moment at and returns how many were admitted.
	// Cores tell themselves apart by core, from 0; each calls from one goroutine.
	Spend func(core int, at Moment, n int) (admitted int)
}

// Moment is what Tidegate's limiter is told of the time. An event loop reads the
// clock once for all requests that are ready; so do measurements, once per
// [batch]. Limiters that read the clock themselves are left to.
type Moment struct {
	Now  int64 // monotonic nanoseconds
	Wall int64 // Unix nanoseconds
}

var started = time.Now()

// momentNow reads the clock.
func momentNow() Moment {
	now := time.Now()
	return Moment{Now: int64(now.Sub(started)), Wall: now.UnixNano()}
}

// Names of the contestants.
const (
	Tidegate      = "tidegate"
	Decision      = "tidegate-decision"
	XTime         = "x/time/rate"
	XTimeGivenNow = "x/time/rate-given-now"
	Uber          = "uber/ratelimit"
	Sethvargo     = "sethvargo/go-limiter"

	OverloadedName = "tidegate-overloaded"
	UnderusedName  = "tidegate-underused"

	FindKey   = "tidegate-keys"
	MapLookup = "go-map"
)

// Modules are the modules the rivals are from.
var Modules = map[string]string{
	XTime: "golang.org/x/time", XTimeGivenNow: "golang.org/x/time", Uber: "go.uber.org/ratelimit", Sethvargo: "github.com/sethvargo/go-limiter",
}

// plenty is a rate and burst that no loop uses up: a token per nanosecond.
const plenty = 1_000_000_000

// Uncontended returns a limiter of each kind for spends of one goroutine. All
// spends are admitted.
func Uncontended() []Limiter {
	return []Limiter{
		bucket(Tidegate), xtime(XTime, plenty, plenty), decision(Decision), xtimeGivenNow(XTimeGivenNow, plenty, plenty),
		uber(Uber), sethvargo(Sethvargo),
	}
}

// SelfCheck returns x/time/rate under every name that is compared: all ratios
// must be about 1.
func SelfCheck() []Limiter {
	var same []Limiter
	for _, name := range []string{Tidegate, XTime, Decision} {
		same = append(same, xtime(name, plenty, plenty))
	}
	return append(same, xtime(XTimeGivenNow, plenty, plenty))
}

// Hot limits are spent by several cores, out of a burst that lasts for years:
// at the speed of this loop any rate is an overload.
const (
	hotRate  = 1e6
	hotBurst = 1e12
)

// Hot returns one limit of each kind for that many cores, which all spend from
// it. All spends are admitted.
func Hot(cores int) []Limiter {
	return []Limiter{
		shared(Tidegate, cores, hotRate, hotBurst), xtime(XTime, hotRate, hotBurst), uber(Uber), sethvargo(Sethvargo),
	}
}

// Overloaded returns Tidegate's limit as Hot does, for the account's default
// limit: next to all spends are denied.
func Overloaded(cores int) Limiter { return shared(OverloadedName, cores, 10_000, 5_000) }

// Underused returns Tidegate's limit as Hot does, for a rate above what the cores
// spend: its bucket is always full, and no spend gains from the one before.
func Underused(cores int) Limiter { return shared(UnderusedName, cores, plenty, plenty) }
