package health

import "time"

// Rules say what takes a target out, and for how long. They are not changed while
// they are in use.
type Rules struct {
	Failures    int           // so many in a row eject a target; 0: none do
	FailureRate float64       // of a target's requests in the window, 0 to 1; 0: no rate ejects it
	MinRequests int           // in the window, before a rate says anything
	Window      time.Duration // that rates are of
	Ejection    time.Duration // the first one
	MaxEjection time.Duration // the longest, whatever was repeated
	MaxEjected  float64       // share of the targets that may be out, 0 to 1

	Breaker BreakerRules
}

// BreakerRules say when the circuit breaker of a group opens.
type BreakerRules struct {
	FailureRate float64 // that every target that is asked reaches, 0 to 1; 0: never
	MinRequests int     // in the window, of all of them
	Single      bool    // also where there is one target
	Open        time.Duration
	MaxOpen     time.Duration
}

// Trials is how many requests a target on trial has to answer, and none to fail.
const Trials = 3

// outlier is how many times as often as the others' a target's requests have to
// fail to be ejected for their rate.
const outlier = 2

// backoff is how long the n-th time lasts, n from 1.
func backoff(first, longest time.Duration, n int) int64 {
	d := first
	for ; n > 1 && d < longest; n-- {
		d *= 2
	}
	return int64(min(d, longest))
}
