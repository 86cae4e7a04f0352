package upstream

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidegate/tidegate/dataplane/integration/upstream/health"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// GroupStatus is how the targets of an integration are.
type GroupStatus struct {
	APIID    string
	Endpoint string // host:port of the integration's URI
	Breaker  string // closed, open, half-open
	Cause    string // why it is not closed, or was not the last time
	Wait     time.Duration
	Targets  []TargetStatus
}

// TargetStatus is how a target is.
type TargetStatus struct {
	Address  string
	State    string // up, ejected, trial, unhealthy
	Cause    string // why it is not up, or was not the last time
	Wait     time.Duration
	Check    string // what was wrong at the last health check that failed, while they do
	Requests int64  // that have ended
	Failures int64  // of them
	Retries  int64  // that failed here and went to another target
}

// APIStatus is what an API uses of what it may.
type APIStatus struct {
	ID                                        string
	InFlight, Waiting, Buffered               int64
	MaxInFlight, MaxWaiting, MaxBufferedBytes int64
}

var (
	stateNames   = [...]string{health.Up: "up", health.Ejected: "ejected", health.Trial: "trial"}
	breakerNames = [...]string{health.Closed: "closed", health.Open: "open", health.HalfOpen: "half-open"}
)

// Status returns how all groups are, those of an API together.
func (s *Store) Status() []GroupStatus {
	now := loop.Now()
	groups := s.all()
	list := make([]GroupStatus, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.status(now))
	}
	slices.SortFunc(list, func(a, b GroupStatus) int {
		return cmp.Or(cmp.Compare(a.APIID, b.APIID), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	return list
}

func (g *Group) status(now int64) GroupStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := &g.health.Breaker
	out := GroupStatus{
		APIID: g.APIID, Endpoint: g.Address(), Breaker: breakerNames[b.State], Cause: b.Cause.String(), Wait: b.Wait(now),
		Targets: make([]TargetStatus, 0, len(g.targets)),
	}
	for i, t := range g.targets {
		h := g.health.Targets[i]
		ts := TargetStatus{Address: t.Addr.String(), State: stateNames[h.State], Cause: h.Cause.String()}
		if h.State == health.Ejected {
			ts.Wait = time.Duration(max(h.Until-now, 0))
		}
		if h.Held {
			ts.State = "unhealthy"
		}
		if h.Check.Failing {
			ts.Check = h.Check.Err
		}
		for j := range t.pools {
			p := &t.pools[j]
			failed := p.failed.Load()
			ts.Requests += p.answered.Load() + failed + p.late.Load()
			ts.Failures += failed
			ts.Retries += p.moved.Load()
		}
		out.Targets = append(out.Targets, ts)
	}
	return out
}

// APIs returns what every API uses.
func (s *Store) APIs() []APIStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]APIStatus, 0, len(s.apis))
	for id, a := range s.apis {
		list = append(list, APIStatus{
			ID: id, InFlight: a.InFlight.Used(), Waiting: a.Waiting.Used(), Buffered: a.Buffered.Used(),
			MaxInFlight: a.InFlight.Limit(), MaxWaiting: a.Waiting.Limit(), MaxBufferedBytes: a.Buffered.Limit(),
		})
	}
	slices.SortFunc(list, func(a, b APIStatus) int { return cmp.Compare(a.ID, b.ID) })
	return list
}
