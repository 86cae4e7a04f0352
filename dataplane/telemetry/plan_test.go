package telemetry

import (
	"sync"
	"testing"
)

func TestPlanMetrics(t *testing.T) {
	r := NewRegistry(2, "")
	p := r.Plan("p1", "old name")
	p.Observe(0, PlanAllowed)
	p.Observe(1, PlanAllowed)
	p.Observe(1, PlanQuota)
	if again := r.Plan("p1", "gold\xff"); again != p {
		t.Error("a second call got other metrics")
	}
	r.Plan("p0", "silver").Observe(0, PlanThrottled)
	want := `tidegate_plan_requests_total{outcome="allowed",plan="p0",plan_name="silver"} 0
tidegate_plan_requests_total{outcome="allowed",plan="p1",plan_name="gold` + "\ufffd" + `"} 2
tidegate_plan_requests_total{outcome="quota",plan="p0",plan_name="silver"} 0
tidegate_plan_requests_total{outcome="quota",plan="p1",plan_name="gold` + "\ufffd" + `"} 1
tidegate_plan_requests_total{outcome="throttled",plan="p0",plan_name="silver"} 1
tidegate_plan_requests_total{outcome="throttled",plan="p1",plan_name="gold` + "\ufffd" + `"} 0
`
	if got := scrape(t, r, "tidegate_plan"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	r.ForgetPlan("p1")
	r.ForgetPlan("none")
	p.Observe(0, PlanAllowed)
	want = `tidegate_plan_requests_total{outcome="allowed",plan="p0",plan_name="silver"} 0
tidegate_plan_requests_total{outcome="quota",plan="p0",plan_name="silver"} 0
tidegate_plan_requests_total{outcome="throttled",plan="p0",plan_name="silver"} 1
`
	if got := scrape(t, r, "tidegate_plan"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestPlanObserveConcurrentlyWithoutAllocating(t *testing.T) {
	r := NewRegistry(2, "")
	p := r.Plan("p", "gold")
	var workers sync.WaitGroup
	for shard := range 2 {
		workers.Go(func() {
			for range 1000 {
				p.Observe(shard, PlanThrottled)
			}
		})
	}
	scrape(t, r, "")
	r.Plan("p", "renamed")
	workers.Wait()
	if n := p.total(PlanThrottled); n != 2000 {
		t.Errorf("counted %d", n)
	}
	if n := testing.AllocsPerRun(100, func() { p.Observe(0, PlanAllowed) }); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

func TestThrottleLimits(t *testing.T) {
	r := NewRegistry(1, "")
	c := r.Counters(ThrottledRequests, ThrottleLimits)
	for limit := LimitAccount; limit <= LimitQuota; limit++ {
		c.Add(0, int(limit), int(limit)+1)
	}
	want := `tidegate_throttled_requests_total{limit="account"} 1
tidegate_throttled_requests_total{limit="method"} 3
tidegate_throttled_requests_total{limit="plan"} 4
tidegate_throttled_requests_total{limit="plan_method"} 5
tidegate_throttled_requests_total{limit="quota"} 6
tidegate_throttled_requests_total{limit="stage"} 2
`
	if got := scrape(t, r, "tidegate_throttled"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}
