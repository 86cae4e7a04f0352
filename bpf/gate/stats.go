package gate

import (
	"fmt"
	"time"
)

// Counter counts packets that left the gate for one reason.
type Counter struct {
	Packets, Bytes uint64
}

// Stats are sums since the gate was first attached; they outlive a process.
type Stats struct {
	Reasons []Counter // by Reason
	// How often the present program ran, and how long in all. Zero unless the
	// host measures programs (sysctl kernel.bpf_stats_enabled=1).
	Runs    uint64
	RunTime time.Duration
}

// Stats reads the counters.
func (g *Gate) Stats() (Stats, error) {
	s := Stats{Reasons: make([]Counter, len(reasons))}
	for reason := range s.Reasons {
		var perCPU []programCounter
		if err := g.objects.Counters.Lookup(uint32(reason), &perCPU); err != nil {
			return Stats{}, fmt.Errorf("read the gate's counters: %w", err)
		}
		for _, c := range perCPU {
			s.Reasons[reason].Packets += c.Packets
			s.Reasons[reason].Bytes += c.Bytes
		}
	}
	if run, err := g.objects.Gate.Stats(); err == nil {
		s.Runs, s.RunTime = run.RunCount, run.Runtime
	}
	return s, nil
}
