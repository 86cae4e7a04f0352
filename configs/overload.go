package configs

import (
	"fmt"
	"time"
)

// Overload says when the host sheds load. Each signal has a level that goes from
// 0 at `start` to 1 at `full`; with a `full` of 0 it is off. Memory and
// descriptors shorten timeouts from level 0 on, close idle connections from 0.5
// and accept none at 1. They and the delay shed requests of low priority from 0.7
// on and of normal priority from 0.85.
type Overload struct {
	// MemoryBytes is what the daemon may have resident. 0: what its control group
	// or GOMEMLIMIT allows, or else what the host has.
	MemoryBytes int `yaml:"memory_bytes"`
	// Memory are the shares of that limit.
	Memory Shares `yaml:"memory"`
	// Delay is how long an event waits for its event loop, at the least in half a
	// second.
	Delay Delays `yaml:"delay"`
	// Descriptors are the shares of the file descriptors that clients and
	// integrations may have: all but `limits.reserved_descriptors`.
	Descriptors Shares `yaml:"descriptors"`
	// InFlight are the shares of `limits.in_flight`. Requests of low priority are
	// refused above `start` and normal ones half way to `full`, at once.
	InFlight Shares `yaml:"in_flight"`
}

// Shares are from 0 to 1.
type Shares struct {
	// Start is the share at which the level leaves 0.
	Start float64 `yaml:"start"`
	// Full is the share at which the level is 1; 0 switches the signal off.
	Full float64 `yaml:"full"`
}

// Delays are times.
type Delays struct {
	// Start is the delay at which the level leaves 0.
	Start time.Duration `yaml:"start"`
	// Full is the delay at which the level is 1; 0 switches the signal off.
	Full time.Duration `yaml:"full"`
}

func validateOverload(r *report, o *Overload) {
	if o.MemoryBytes != 0 {
		between(r, "overload.memory_bytes", o.MemoryBytes, 16<<20, 1<<44)
	}
	for _, s := range []struct {
		field string
		Shares
	}{{"memory", o.Memory}, {"descriptors", o.Descriptors}, {"in_flight", o.InFlight}} {
		at := "overload." + s.field
		if !(s.Start >= 0 && s.Start <= 1) {
			r.failAt(at+".start", fmt.Sprintf("%g is out of range", s.Start), "write a share from 0 to 1, for example 0.85")
		}
		if s.Full != 0 && !(s.Full > s.Start && s.Full <= 1) {
			r.failAt(at+".full", fmt.Sprintf("%g is out of range", s.Full), fmt.Sprintf("write a share above start (%g) and at most 1, or 0 to switch the signal off", s.Start))
		}
	}
	d := &o.Delay
	if d.Start < 0 || d.Start > time.Minute {
		r.failAt("overload.delay.start", fmt.Sprintf("%s is out of range", d.Start), "write a duration from 0s to 1m")
	}
	if d.Full != 0 && (d.Full <= d.Start || d.Full > time.Minute) {
		r.failAt("overload.delay.full", fmt.Sprintf("%s is out of range", d.Full), fmt.Sprintf("write a duration above start (%s) and at most 1m, or 0s to switch the signal off", d.Start))
	}
}
