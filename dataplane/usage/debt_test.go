package usage

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// TestDebts: a Store goes on with what another's clients have spent, of plans and of
// methods, of which each token is told once.
func TestDebts(t *testing.T) {
	p := onProd("p", definition.UsagePlan{Throttle: throttleOf(1, 5)})
	p.APIStages[0].Throttle = map[string]definition.Throttle{"/pets/GET": *throttleOf(1, 3)}
	before, after := newFixture(t), newFixture(t)
	before.now, after.now = 1e12, 5e12 // clocks of two processes
	stage, then := before.deploy(p), after.deploy(p)
	for _, f := range []*fixture{before, after} {
		for n := range 4 {
			f.key(keyID(n), "p")
		}
	}
	const second = int64(1e9)
	pets := func(s *StagePlans) Overrides { return s.Overrides("/pets", "GET") }
	pass := func(debts []Debt) {
		t.Helper()
		text, err := json.Marshal(debts)
		if err != nil {
			t.Fatal(err)
		}
		var got []Debt
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		after.Owe(after.now, 0, got)
	}
	spend := func(f *fixture, s *StagePlans, key int, method Overrides, n, want int) {
		t.Helper()
		if got := f.requests(keyID(key), s, method, 0, n); got != want {
			t.Errorf("key %d: %d of %d requests admitted, want %d", key, got, n, want)
		}
	}
	spend(before, stage, 0, Overrides{}, 9, 5)
	spend(before, stage, 1, Overrides{}, 2, 2)
	spend(before, stage, 1, pets(stage), 2, 2)
	debts := before.Debts(before.now)
	if len(debts) != 3 {
		t.Errorf("%d debts: %v", len(debts), debts)
	}
	gone := limiter.Key{Hi: 1, Lo: 2}
	pass(append(debts, Debt{PlanID: "p", KeyID: keyID(9), Nanos: second}, Debt{PlanID: "none", KeyID: keyID(3), Nanos: second}, Debt{Method: &gone, Nanos: 1}))
	if late := before.LateDebts(before.now); late != nil {
		t.Errorf("told twice: %v", late)
	}

	// While both serve, what one admits the other has less.
	before.now, after.now = before.now+second, after.now+second
	spend(before, stage, 0, Overrides{}, 1, 1) // the one of that second
	spend(before, stage, 2, Overrides{}, 3, 3)
	late := before.LateDebts(before.now)
	slices.SortFunc(late, func(a, b Debt) int { return int(a.Nanos - b.Nanos) })
	if len(late) != 2 || late[0] != (Debt{PlanID: "p", KeyID: keyID(0), Nanos: second}) || late[1] != (Debt{PlanID: "p", KeyID: keyID(2), Nanos: 3 * second}) {
		t.Errorf("late: %v", late)
	}
	pass(late)
	spend(after, then, 0, Overrides{}, 9, 0)
	spend(after, then, 1, Overrides{}, 9, 4) // 2 spent, 1 refilled
	spend(after, then, 1, pets(then), 9, 2)  // of 3
	spend(after, then, 2, Overrides{}, 9, 2)
	spend(after, then, 3, Overrides{}, 9, 5)

	before.now += 100 * second
	if late := before.LateDebts(before.now); late != nil {
		t.Errorf("full buckets owe %v", late)
	}
}
