package telemetry

import (
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// PlanOutcome is what a usage plan made of a request with an API key.
type PlanOutcome uint8

// The outcomes.
const (
	PlanAllowed   PlanOutcome = iota
	PlanThrottled             // denied by a rate, of the plan or of another limit
	PlanQuota                 // denied by the quota
	planOutcomes
)

var planOutcomeNames = [planOutcomes]string{"allowed", "throttled", "quota"}

// Plan counts the requests of one usage plan. It outlives changes of the plan.
type Plan struct {
	id     string
	name   string // guarded by Registry.mu
	shards []planShard
}

// planShard is what one event loop counts, alone on its cache line.
type planShard struct {
	outcomes [planOutcomes]atomic.Uint64
	_        [cacheLine - planOutcomes*8]byte
}

// Observe counts a request. It neither blocks nor allocates; any goroutine may
// call it.
func (p *Plan) Observe(shard int, outcome PlanOutcome) { p.shards[shard].outcomes[outcome].Add(1) }

func (p *Plan) total(outcome PlanOutcome) (n uint64) {
	for i := range p.shards {
		n += p.shards[i].outcomes[outcome].Load()
	}
	return n
}

// Plan returns the metrics of a usage plan, making them at the first call. They
// live until ForgetPlan. name is the plan's present name.
func (r *Registry) Plan(id, name string) *Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.plans[id]
	if p == nil {
		p = &Plan{id: id, shards: make([]planShard, r.shards)}
		r.plans[id] = p
	}
	p.name = name
	return p
}

// ForgetPlan drops the metrics of a usage plan that was deleted. Requests that
// are still running may go on to use them.
func (r *Registry) ForgetPlan(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.plans, id)
}

var descPlanRequests = prometheus.NewDesc("tidegate_plan_requests_total",
	"Requests with an API key of a usage plan, by what became of them: allowed, throttled, quota.",
	[]string{"plan", "plan_name", "outcome"}, nil)

// planCollector shows all usage plans of a Registry.
type planCollector struct{ r *Registry }

// Describe implements prometheus.Collector.
func (c planCollector) Describe(out chan<- *prometheus.Desc) { out <- descPlanRequests }

// Collect implements prometheus.Collector.
func (c planCollector) Collect(out chan<- prometheus.Metric) {
	type named struct {
		name string
		plan *Plan
	}
	c.r.mu.Lock()
	plans := make([]named, 0, len(c.r.plans))
	for _, p := range c.r.plans {
		plans = append(plans, named{strings.ToValidUTF8(p.name, "\ufffd"), p})
	}
	c.r.mu.Unlock()
	for _, p := range plans {
		for outcome, label := range planOutcomeNames {
			out <- prometheus.MustNewConstMetric(descPlanRequests, prometheus.CounterValue,
				float64(p.plan.total(PlanOutcome(outcome))), p.plan.id, p.name, label)
		}
	}
}
