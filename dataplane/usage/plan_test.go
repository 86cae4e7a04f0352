package usage

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

func TestPlanInheritsFromTheAccount(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct {
		says string
		in   *definition.Throttle
		want *limiter.Limit
	}{
		{"none", nil, nil},
		{"both", throttleOf(5, 10), ptr(limiter.NewLimit(5, 10))},
		{"rate", &definition.Throttle{BurstLimit: ptr(10)}, ptr(limiter.NewLimit(10000, 10))},
		{"burst", &definition.Throttle{RateLimit: ptr(5.0)}, ptr(limiter.NewLimit(5, 5000))},
		{"all", &definition.Throttle{}, ptr(limiter.NewLimit(10000, 5000))},
		{"blocks", throttleOf(0, 10), &limiter.Limit{}},
	} {
		p, err := f.Plan(onProd("gold01", definition.UsagePlan{Throttle: tt.in}), accountLimit)
		if err != nil {
			t.Fatal(err)
		}
		if (p.throttle == nil) != (tt.want == nil) || tt.want != nil && p.throttle.limit != *tt.want {
			t.Errorf("%s: %+v, want %+v", tt.says, p.throttle, tt.want)
		}
		if p.ID != "gold01" || p.Name != "plan gold01" || p.Number != 0 {
			t.Errorf("%s: %+v", tt.says, p)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	f := newFixture(t)
	stage := func(method string) []definition.PlanStage {
		return []definition.PlanStage{{APIID: "a", Stage: "s", Throttle: map[string]definition.Throttle{method: {}}}}
	}
	for _, tt := range []struct {
		plan definition.UsagePlan
		says string
	}{
		{definition.UsagePlan{ID: "gold01", Quota: &definition.Quota{Period: "YEAR"}}, `usage plan "gold01": quota: unknown period "YEAR"`},
		{definition.UsagePlan{ID: "gold01", APIStages: stage("pets/GET")}, `usage plan "gold01": stage "a:s": throttle of "pets/GET"`},
		{definition.UsagePlan{ID: "gold01", APIStages: stage("/GET")}, `throttle of "/GET"`},
		{definition.UsagePlan{ID: "gold01", APIStages: stage("/pets/")}, `throttle of "/pets/"`},
	} {
		_, err := f.Plan(&tt.plan, accountLimit)
		var invalid *definition.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v, want %s", err, tt.says)
		}
	}
	if _, err := f.Plan(&definition.UsagePlan{ID: ""}, accountLimit); err == nil {
		t.Error("a plan without an id was compiled")
	}
	if _, err := f.Plan(&definition.UsagePlan{ID: "gold01"}, definition.Throttle{}); err == nil {
		t.Error("a plan was compiled without the account's limit")
	}
}

// withMethods is a plan of 5 requests at once, and for some methods less.
func withMethods(id string) *definition.UsagePlan {
	return &definition.UsagePlan{
		ID: id, Throttle: throttleOf(1, 5),
		APIStages: []definition.PlanStage{{APIID: prod.APIID, Stage: prod.Stage, Throttle: map[string]definition.Throttle{
			"/pets/GET":      *throttleOf(1, 2),
			"//GET":          *throttleOf(1, 1),
			"/pets/{id}/ANY": {BurstLimit: ptr(0)},
		}}},
	}
}

func TestMethodThrottleReplacesThePlans(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(&definition.UsagePlan{ID: "unused"}, withMethods("gold01"))
	f.key(keyID(1), "gold01")
	f.key(keyID(2), "gold01")
	wall := utc(1, 1, 0)
	for i, step := range []struct {
		key        int
		path, verb string
		want       int
	}{
		{1, "/pets", "GET", 2},
		{1, "/pets", "GET", 0},
		{1, "/", "GET", 1},
		{1, "/pets/{id}", "ANY", 0},
		{1, "/pets", "POST", 5}, // the methods above cost the plan's bucket nothing
		{1, "/else", "GET", 0},
		{2, "/pets", "GET", 2},
		{2, "/pets", "POST", 5},
	} {
		if got := f.requests(keyID(step.key), stage, stage.Overrides(step.path, step.verb), wall, 9); got != step.want {
			t.Errorf("step %d, %s %s: %d admitted, want %d", i, step.verb, step.path, got, step.want)
		}
	}
	c, _ := f.Find(valueOf(keyID(1)), stage)
	for _, tt := range []struct {
		path     string
		override bool
	}{{"/pets", true}, {"/pets/{id}", false}, {"/else", false}} {
		c.AppendCharges(nil, stage.Overrides(tt.path, "GET"), f.now, wall)
		if c.Override() != tt.override || c.Quota() {
			t.Errorf("%s: override %v, quota %v", tt.path, c.Override(), c.Quota())
		}
	}
	if o := (*StagePlans)(nil).Overrides("/pets", "GET"); o.throttles != nil {
		t.Error("a stage in no plan has overrides")
	}
}

// Without room for a method's bucket the plan's holds, and without that, the
// method's limit for all such methods together.
func TestMethodThrottleWithoutRoom(t *testing.T) {
	f := newFixture(t)
	f.methods = limiter.NewTable(1)
	if _, err := f.methods.LookupOrAdd(limiter.Key{Hi: 1, Lo: 1}, f.now, 0); err != nil {
		t.Fatal(err)
	}
	e := f.methods.Lookup(limiter.Key{Hi: 1, Lo: 1})
	e.MarkDirty() // so that it stays
	bare := withMethods("bare01")
	bare.Throttle = nil
	stage := f.deploy(withMethods("gold01"), bare)
	f.key(keyID(1), "gold01")
	f.key(keyID(2), "bare01")
	pets := stage.Overrides("/pets", "GET")
	if got := f.requests(keyID(1), stage, pets, 0, 9); got != 5 {
		t.Errorf("%d admitted, want the plan's 5", got)
	}
	if got := f.requests(keyID(2), stage, pets, 0, 9); got != 2 {
		t.Errorf("%d admitted, want the method's 2", got)
	}
}

// A deployment keeps what is spent, also of a throttle that it changes.
func TestEnforceKeepsTokensSpent(t *testing.T) {
	f := newFixture(t)
	f.now = int64(time.Hour)
	before := withMethods("gold01")
	stage := f.deploy(before)
	f.key(keyID(1), "gold01")
	f.requests(keyID(1), stage, Overrides{}, 0, 4)
	f.requests(keyID(1), stage, stage.Overrides("/pets", "GET"), 0, 1)

	f.deploy(before)
	after := withMethods("gold01")
	after.Throttle = throttleOf(0.01, 8)
	after.APIStages[0].Throttle["/pets/GET"] = *throttleOf(100, 4)
	stage = f.deploy(after)
	if got := f.requests(keyID(1), stage, Overrides{}, 0, 9); got != 4 {
		t.Errorf("%d admitted of 8 after 4 were spent", got)
	}
	if got := f.requests(keyID(1), stage, stage.Overrides("/pets", "GET"), 0, 9); got != 3 {
		t.Errorf("%d admitted of the method's 4 after 1 was spent", got)
	}
	f.DeletePlan("gold01")
	f.Enforce([]*Plan{stage.plans[0]}, f.now) // too late
	if f.plans.inForce[0] != nil {
		t.Error("a deleted plan is in force")
	}
}

func TestQuotaOffsetAndCharges(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{
		Throttle: throttleOf(1000, 1000),
		Quota:    &definition.Quota{Limit: 10, Offset: 4, Period: definition.PeriodWeek, Since: time.Unix(0, utc(1, 7, 5))},
	}))
	f.key(keyID(1), "gold01")
	for _, step := range []struct {
		wall int64
		want int
	}{{utc(1, 7, 6), 6}, {utc(1, 11, 23), 0}, {utc(1, 12, 0), 10}} { // a Monday
		if got := f.requests(keyID(1), stage, Overrides{}, step.wall, 20); got != step.want {
			t.Errorf("%d admitted, want %d", got, step.want)
		}
	}
	d, _ := f.request(keyID(1), stage, Overrides{}, utc(1, 18, 23))
	c, _ := f.Find(valueOf(keyID(1)), stage)
	charges := c.AppendCharges(nil, Overrides{}, f.now, utc(1, 18, 23))
	if len(charges) != 2 || !c.Quota() || d.Denied != 1 || d.RetryAfter != int64(time.Hour) {
		t.Errorf("%d charges, quota %v, %+v: the quota is the last and denies for an hour", len(charges), c.Quota(), d)
	}
}
