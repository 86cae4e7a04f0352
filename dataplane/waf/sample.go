package waf

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// How many requests are sampled: of each event loop the last so many, and no more
// than one in so many nanoseconds for each action.
const (
	samplesKept    = 64
	sampleInterval = int64(100e6)
)

// Sample is a request that a rule matched, or the default action applied to.
type Sample struct {
	At     int64  // the now that it was inspected at
	Rule   string // empty for the default action
	Action string // ALLOW, BLOCK or COUNT
	Source netip.Addr
	Method string
	Host   string
	URI    string // path and query, at most 256 bytes
}

// sampler keeps samples of an ACL.
type sampler struct{ shards []sampleShard }

// sampleShard is locked by an event loop only if nobody else has it.
type sampleShard struct {
	due     [3]atomic.Int64 // by action
	mu      sync.Mutex
	next    int
	samples [samplesKept]sampleSlot
}

// sampleSlot is a Sample without memory of its own.
type sampleSlot struct {
	used   bool
	at     int64
	rule   string
	did    action
	source netip.Addr
	method [32]byte
	host   [64]byte
	uri    [256]byte
	sizes  [3]int // of method, host and URI
}

func newSampler(shards int) *sampler { return &sampler{make([]sampleShard, shards+1)} }

// sample remembers a request, unless one was remembered a moment ago.
func (in *Input) sample(s *sampler, r *rule, did action) {
	shard := &s.shards[in.shard(len(s.shards))]
	if !r.sampled || in.now < shard.due[did].Load() || !shard.mu.TryLock() {
		return
	}
	shard.due[did].Store(in.now + sampleInterval)
	slot := &shard.samples[shard.next]
	shard.next = (shard.next + 1) % samplesKept
	slot.used, slot.at, slot.rule, slot.did, slot.source = true, in.now, r.name, did, in.source
	slot.sizes = [3]int{copy(slot.method[:], in.method()), copy(slot.host[:], in.Request.Host), copy(slot.uri[:], in.Request.Target)}
	shard.mu.Unlock()
}

// Samples returns requests that were sampled lately, the newest first. Any
// goroutine may call it.
func (a *ACL) Samples() (all []Sample) {
	for i := range a.sampler.shards {
		shard := &a.sampler.shards[i]
		shard.mu.Lock()
		for j := range shard.samples {
			if slot := &shard.samples[j]; slot.used {
				all = append(all, Sample{
					slot.at, slot.rule, actionNames[slot.did], slot.source,
					string(slot.method[:slot.sizes[0]]), string(slot.host[:slot.sizes[1]]), string(slot.uri[:slot.sizes[2]]),
				})
			}
		}
		shard.mu.Unlock()
	}
	slices.SortFunc(all, func(a, b Sample) int { return int(b.At - a.At) })
	return all
}
