package waf

import "sync/atomic"

// tally counts what a rule has done, for each event loop and once more for the
// goroutines beside them, so that none shares a cache line with another.
type tally struct{ shards []tallyShard }

type tallyShard struct {
	counts [3]atomic.Uint64 // by action
	_      [40]byte
}

func newTally(shards int) *tally { return &tally{make([]tallyShard, shards+1)} }

func (in *Input) tally(t *tally, did action) { t.shards[in.shard(len(t.shards))].counts[did].Add(1) }

func (t *tally) sum(did action) (n uint64) {
	for i := range t.shards {
		n += t.shards[i].counts[did].Load()
	}
	return n
}

// RuleStats is what a rule has done since the start of the daemon.
type RuleStats struct {
	Name    string // empty for the default action
	Metric  string // VisibilityConfig.MetricName, or else the name
	Allowed uint64
	Blocked uint64
	Counted uint64
}

// Stats returns what the rules have done, in their order, and last the default
// action. Any goroutine may call it.
func (a *ACL) Stats() []RuleStats {
	all := make([]RuleStats, 0, len(a.rules)+1)
	for i := range a.rules {
		all = append(all, a.rules[i].stats())
	}
	return append(all, a.otherwise.stats())
}

func (r *rule) stats() RuleStats {
	return RuleStats{r.name, r.metric, r.tally.sum(allow), r.tally.sum(block), r.tally.sum(countOnly)}
}
