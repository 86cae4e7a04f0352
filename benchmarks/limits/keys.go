package limits

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/usage"
	"github.com/tidegate/tidegate/limiter"
)

// Keys are API keys in a usage plan, twice: as the gateway keeps them, and in a
// Go map.
type Keys struct {
	count int
	store *usage.Store
	stage *usage.StagePlans
	plain map[string]*client
}

// client is what a gateway would keep of a key in a Go map.
type client struct {
	enabled bool
	plan    *usage.Plan
	_       limiter.Bucket
	_       limiter.Counter // of the quota
}

// KeyMemory is what one key takes of the heap.
type KeyMemory struct {
	Bytes   float64
	Scanned float64 // of these the garbage collector scans for pointers
}

// NewKeys makes that many keys, at most 2^32, and returns what they take: as the
// gateway keeps them, and in the map.
func NewKeys(count int) (k *Keys, gateway, plain KeyMemory, err error) {
	k = &Keys{count: count}
	values := newRandomKeys(count)
	stage := definition.StageKey{APIID: "benchmark1", Stage: "prod"}
	rate, burst := float64(plenty), plenty
	throttle := definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
	under := &definition.UsagePlan{
		ID: "bench1", Name: "bench", Throttle: &throttle,
		APIStages: []definition.PlanStage{{APIID: stage.APIID, Stage: stage.Stage}},
		Quota:     &definition.Quota{Limit: 1e9, Period: definition.PeriodMonth},
	}

	empty := heap()
	k.store = usage.NewStore(usage.Options{Secret: [16]byte{1, 2, 3}, Shards: 1, MethodBuckets: 1})
	plan, err := k.store.Plan(under, throttle)
	if err != nil {
		return nil, gateway, plain, err
	}
	k.stage = usage.NewStagePlans(stage, []*usage.Plan{plan})
	for i := range count {
		if err := k.put(i, values.of(uint64(i)), plan); err != nil {
			return nil, gateway, plain, err
		}
	}
	stored := heap()
	k.plain = make(map[string]*client)
	for i := range count {
		k.plain[string(values.of(uint64(i)))] = &client{enabled: true, plan: plan}
	}
	mapped := heap()
	return k, perKey(empty, stored, count), perKey(stored, mapped, count), nil
}

func (k *Keys) put(i int, value []byte, plan *usage.Plan) error {
	id := strconv.FormatInt(int64(i), 36)
	id = strings.Repeat("0", 10-len(id)) + id
	if err := k.store.PutKey(id, k.store.Hasher().Sum(value), true); err != nil {
		return err
	}
	return k.store.PutPlanKey(plan.ID, id)
}

// Finds returns lookups of keys at random: of the gateway and of the map, each
// until it has the key's plan. "Spends" are lookups, admitted when found.
//
// Which key is next depends on the plan that was found, which is always the
// first: a processor cannot begin a lookup before the last one is done, as it
// cannot when a lookup is one step of a request.
func (k *Keys) Finds() []Limiter {
	return []Limiter{k.find(), k.lookup()}
}

func (k *Keys) find() Limiter {
	r, plan := newRandomKeys(k.count), 0
	return Limiter{FindKey, func(_ int, _ Moment, n int) (found int) {
		for range n {
			if c, ok := k.store.Find(r.next(plan), k.stage); ok {
				plan = c.Plan().Number
				found++
			}
		}
		return found
	}}
}

func (k *Keys) lookup() Limiter {
	r, plan := newRandomKeys(k.count), 0
	return Limiter{MapLookup, func(_ int, _ Moment, n int) (found int) {
		for range n {
			if c := k.plain[string(r.next(plan))]; c != nil && c.enabled {
				plan = c.plan.Number
				found++
			}
		}
		return found
	}}
}

// randomKeys makes values of keys out of their numbers, in memory that is at
// hand as a request's is.
type randomKeys struct {
	count  uint64
	state  uint32
	number [8]byte
	value  [keyLen]byte
}

// keyLen is how long the values of keys are that AWS generates.
const keyLen = 40

func newRandomKeys(count int) *randomKeys {
	r := &randomKeys{count: uint64(count), state: 1}
	copy(r.value[:], "benchmarksbenchmarksbenc")
	return r
}

// next returns the value of another key, until the next call.
func (r *randomKeys) next(plan int) []byte {
	r.state = r.state*1664525 + 1013904223 + uint32(plan)
	return r.of(uint64(r.state) * r.count >> 32)
}

// of returns the value of key i, whose last 16 characters differ from those of
// others throughout.
func (r *randomKeys) of(i uint64) []byte {
	binary.BigEndian.PutUint64(r.number[:], (i+1)*0x9e3779b97f4a7c15)
	hex.Encode(r.value[keyLen-16:], r.number[:])
	return r.value[:]
}

// heap is what is reachable, and how much of it is scanned.
func heap() (m [2]uint64) {
	runtime.GC()
	runtime.GC() // the second frees what the first found
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	metrics.Read(samples)
	for i, s := range samples {
		if s.Value.Kind() != metrics.KindUint64 {
			panic(fmt.Sprintf("limits: this Go does not measure %s", s.Name))
		}
		m[i] = s.Value.Uint64()
	}
	return m
}

func perKey(before, after [2]uint64, count int) KeyMemory {
	each := func(i int) float64 { return float64(int64(after[i]-before[i])) / float64(count) }
	return KeyMemory{Bytes: each(0), Scanned: each(1)}
}
