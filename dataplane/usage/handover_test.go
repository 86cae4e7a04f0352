package usage

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// TestHandover: what one store counts late another adds, and nothing is counted
// twice or forgotten.
func TestHandover(t *testing.T) {
	p := &definition.UsagePlan{ID: "p", APIStages: []definition.PlanStage{{APIID: prod.APIID, Stage: prod.Stage}},
		Quota: &definition.Quota{Limit: 20, Period: "DAY"}}
	before, after := newFixture(t), newFixture(t)
	wall := utc(3, 1, 12)
	stage, then := before.deploy(p), after.deploy(p)
	for _, f := range []*fixture{before, after} {
		f.key(keyID(1), "p")
	}
	if got := before.requests(keyID(1), stage, Overrides{}, wall, 5); got != 5 {
		t.Fatal(got)
	}
	if late := before.TakeLate(); late != nil {
		t.Errorf("late before there is a successor: %v", late)
	}
	before.drain(nil, func(total) {}) // the journal is closed: nothing is left for it
	after.Restore(definition.Usage{PlanID: "p", KeyID: keyID(1), Day: wall / 86400e9, Used: 5, Period: "DAY", Window: wall / 86400e9, WindowUsed: 5})
	before.HandOver()
	before.requests(keyID(1), stage, Overrides{}, wall, 3)
	after.requests(keyID(1), then, Overrides{}, wall, 4)
	for range 2 { // the second time there is nothing
		for _, l := range before.TakeLate() {
			after.AddLate(l)
		}
	}
	after.AddLate(Late{PlanID: "none", KeyID: keyID(1), Day: 1, Requests: 1})
	if got := after.requests(keyID(1), then, Overrides{}, wall, 20); got != 8 {
		t.Errorf("%d of the 8 that remain", got)
	}
	used := int64(0)
	after.drain(nil, func(u total) { used = u.Used })
	if used != 20 {
		t.Errorf("%d requests are counted for the day, want 20", used)
	}
	before.KeepCounting()
	before.requests(keyID(1), stage, Overrides{}, wall, 1)
	if late := before.TakeLate(); late != nil {
		t.Errorf("%v", late)
	}
}
