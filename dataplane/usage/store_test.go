package usage

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

var prod = definition.StageKey{APIID: "api0000001", Stage: "prod"}

func ptr[T any](v T) *T { return &v }

func throttleOf(rate float64, burst int) *definition.Throttle {
	return &definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
}

// accountLimit is AWS's.
var accountLimit = *throttleOf(10000, 5000)

func utc(month time.Month, day, hour int) int64 {
	return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC).UnixNano()
}

// fixture is a store with a clock of its own.
type fixture struct {
	*Store
	t   testing.TB
	now int64
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{Store: NewStore(Options{Secret: [16]byte{1, 2, 3}, Shards: 2, MethodBuckets: 100}), t: t}
	f.clock = func() int64 { return f.now }
	return f
}

// deploy compiles plans and puts them in force, for the stage prod.
func (f *fixture) deploy(plans ...*definition.UsagePlan) *StagePlans {
	f.t.Helper()
	var compiled []*Plan
	for _, p := range plans {
		c, err := f.Plan(p, accountLimit)
		if err != nil {
			f.t.Fatal(err)
		}
		compiled = append(compiled, c)
	}
	f.Enforce(compiled, f.now)
	return NewStagePlans(prod, compiled)
}

func valueOf(id string) []byte { return []byte("value-of-" + id + "-and-more") }

func (f *fixture) key(id string, plans ...string) {
	f.t.Helper()
	if err := f.PutKey(id, f.hasher.Sum(valueOf(id)), true); err != nil {
		f.t.Fatal(err)
	}
	for _, p := range plans {
		if err := f.PutPlanKey(p, id); err != nil {
			f.t.Fatal(err)
		}
	}
}

func keyID(n int) string { return fmt.Sprintf("key%07d", n) }

// request finds, spends and counts, and returns what decided.
func (f *fixture) request(id string, of *StagePlans, method Overrides, wall int64) (limiter.Decision, bool) {
	c, ok := f.Find(valueOf(id), of)
	if !ok {
		return limiter.Decision{}, false
	}
	d := limiter.SpendAll(f.now, wall, 0, c.AppendCharges(nil, method, f.now, wall))
	if d.Allowed() {
		f.Count(0, &c, wall)
	}
	return d, true
}

// requests returns how many of n were admitted.
func (f *fixture) requests(id string, of *StagePlans, method Overrides, wall int64, n int) (admitted int) {
	f.t.Helper()
	for range n {
		d, ok := f.request(id, of, method, wall)
		if !ok {
			f.t.Fatalf("key %s is unknown", id)
		}
		if d.Allowed() {
			admitted++
		}
	}
	return admitted
}

func onProd(id string, p definition.UsagePlan) *definition.UsagePlan {
	p.ID, p.Name = id, "plan "+id
	p.APIStages = append(p.APIStages, definition.PlanStage{APIID: prod.APIID, Stage: prod.Stage})
	return &p
}

func TestFind(t *testing.T) {
	f := newFixture(t)
	gold := onProd("gold01", definition.UsagePlan{})
	other := &definition.UsagePlan{ID: "other1", APIStages: []definition.PlanStage{{APIID: prod.APIID, Stage: "dev"}}}
	stage := f.deploy(gold, other)
	one, two := keyID(1), keyID(2)
	finds := func(says, id, plan string) {
		t.Helper()
		c, ok := f.Find(valueOf(id), stage)
		got := ""
		if ok {
			got = c.Plan().ID
			if got := string(c.AppendKeyID(nil)); got != one && got != two {
				t.Errorf("%s: key id %q", says, got)
			}
		}
		if got != plan {
			t.Errorf("%s: found %q, want %q", says, got, plan)
		}
	}
	finds("no keys", one, "")
	f.key(one)
	finds("in no plan", one, "")
	f.key(two, "other1")
	finds("in a plan of another stage", two, "")
	f.key(two, "gold01")
	finds("in both", two, "gold01")
	f.DeletePlanKey("gold01", two)
	finds("taken out", two, "")
	f.key(one, "gold01", "other1")
	finds("put in", one, "gold01")
	_ = f.PutKey(one, f.hasher.Sum(valueOf(one)), false)
	finds("disabled", one, "")
	f.key(one)
	finds("enabled", one, "gold01")
	_ = f.PutKey(one, f.hasher.Sum(valueOf("new value!")), true)
	finds("its value before rotation", one, "")
	finds("its value after", "new value!", "gold01")
	f.DeleteKey(one)
	finds("deleted", "new value!", "")
	f.key(two, "gold01")
	f.DeletePlan("gold01")
	finds("the plan deleted", two, "")
	if _, ok := f.Find(valueOf(two), nil); ok {
		t.Error("found on a stage in no plan")
	}
}

func TestControlErrors(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"", "short", "UPPERCASE0", "elevenchars", "under_core"} {
		if f.PutKey(id, Hash{}, true) == nil {
			t.Errorf("key id %q was taken", id)
		}
	}
	f.key(keyID(1))
	for _, tt := range []struct{ plan, key string }{
		{"gold01", keyID(2)}, {"", keyID(1)}, {"an id of more than 16", keyID(1)}, {"a\x00b", keyID(1)},
	} {
		if f.PutPlanKey(tt.plan, tt.key) == nil {
			t.Errorf("key %q was put in plan %q", tt.key, tt.plan)
		}
	}
	// Of what there is not, nothing is deleted.
	f.DeleteKey(keyID(9))
	f.DeleteKey("?")
	f.DeletePlan("absent")
	f.DeletePlanKey("absent", keyID(1))
	if s := f.Stats(); s.Keys != 1 || s.Accounts != 0 {
		t.Errorf("%+v", s)
	}
}

func TestIDs(t *testing.T) {
	for _, id := range []string{"0000000000", "zzzzzzzzzz", "a1b2c3d4e5"} {
		n, ok := parseID(id)
		if got := formatID(n); !ok || got != id || n >= keyNumbers {
			t.Errorf("%q is %d is %q", id, n, got)
		}
	}
}

// The vector of the reference implementation, vectors_sip128.
func TestHasher(t *testing.T) {
	h := NewHasher([16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}).Sum(nil)
	if want := (Hash{0xe6a825ba047f81a3, 0x930255c71472f66d}); h != want {
		t.Errorf("%x, want %x", h, want)
	}
	if HashOf(h.Bytes()) != h || h.Bytes()[0] != 0xe6 {
		t.Errorf("%x as bytes", h.Bytes())
	}
}

// Usage is per key and plan, and stays while the key is out of the plan.
func TestUsageOutlivesThePlace(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{
		Quota: &definition.Quota{Limit: 5, Period: definition.PeriodDay},
	}))
	one, two, wall := keyID(1), keyID(2), utc(1, 5, 0)
	f.key(one, "gold01")
	f.key(two, "gold01")
	if got := f.requests(one, stage, Overrides{}, wall, 9); got != 5 {
		t.Fatalf("%d admitted of 5", got)
	}
	f.DeletePlanKey("gold01", one)
	f.key(one, "gold01")
	if got := f.requests(one, stage, Overrides{}, wall, 9); got != 0 {
		t.Errorf("%d admitted after the key was put back", got)
	}
	if got := f.requests(two, stage, Overrides{}, wall, 9); got != 5 {
		t.Errorf("%d admitted of another key's 5", got)
	}
	f.DeleteKey(one)
	f.key(one, "gold01")
	if got := f.requests(one, stage, Overrides{}, wall, 9); got != 5 {
		t.Errorf("%d admitted of a new key's 5", got)
	}
}

// Memory of what was deleted is used again, after the grace time and empty.
func TestMemoryIsReused(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{
		Throttle: throttleOf(0.001, 1), Quota: &definition.Quota{Limit: 1, Period: definition.PeriodDay},
	}))
	for i := range 100 {
		f.key(keyID(i), "gold01")
		if got := f.requests(keyID(i), stage, Overrides{}, utc(1, 1, 0), 2); got != 1 {
			t.Fatalf("key %d: %d admitted, want 1", i, got)
		}
		f.drain(nil, func(total) {})
		f.DeleteKey(keyID(i))
		f.now += limiter.Grace / 4
	}
	if f.keys.records.count > 6 || f.accounts.count > 6 {
		t.Errorf("%d records and %d accounts for one key at a time", f.keys.records.count, f.accounts.count)
	}
	if s := f.Stats(); s.Keys != 0 || s.Accounts > 0 {
		t.Errorf("%+v", s)
	}
}

// An account that is yet to be written is not given away, or it would be on two
// stacks.
func TestDirtyMemoryIsNotReused(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{}))
	f.key(keyID(1), "gold01")
	f.requests(keyID(1), stage, Overrides{}, utc(1, 1, 0), 1)
	f.DeleteKey(keyID(1))
	f.now += 2 * limiter.Grace
	f.key(keyID(2), "gold01")
	if f.accounts.count != 2 {
		t.Error("a dirty account was given away")
	}
	f.drain(nil, func(u total) { t.Errorf("usage of a deleted key: %+v", u) })
	f.key(keyID(3), "gold01")
	if f.accounts.count != 2 {
		t.Error("a clean account was not given away")
	}
}

func TestDeletePlanKeepsOtherPlansOfTheKey(t *testing.T) {
	f := newFixture(t)
	var plans []*definition.UsagePlan
	for i := range 10 {
		plans = append(plans, &definition.UsagePlan{ID: fmt.Sprintf("plan%02d", i), APIStages: []definition.PlanStage{{APIID: "a", Stage: fmt.Sprint(i)}}})
	}
	f.deploy(plans...)
	for i := range plans {
		f.key(keyID(1), plans[i].ID)
	}
	for i, gone := range []int{0, 9, 4} { // the last, the first and one between
		f.DeletePlan(plans[gone].ID)
		if s := f.Stats(); s.Accounts != 9-i {
			t.Errorf("%d accounts, want %d", s.Accounts, 9-i)
		}
	}
	for i, p := range plans {
		a, _ := f.lookup(p.ID, keyID(1))
		if want := i != 0 && i != 9 && i != 4; (a != nil) != want {
			t.Errorf("plan %d: account %v", i, a != nil)
		}
	}
}
