package usage

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// Plan is a compiled usage plan. It is immutable.
type Plan struct {
	ID, Name string
	// Number is the plan's own for the life of the Store, from 0 up: for tables
	// by plan.
	Number int

	throttle *throttle      // nil: none
	quota    *limiter.Quota // nil: none
	stages   map[definition.StageKey]map[string]*throttle
}

// throttle is a compiled throttle, of a plan or of one method in it.
type throttle struct {
	limit  limiter.Limit
	method uint64 // names a method's throttle; 0 for the plan's
	policy string // for RateLimit-Policy
}

// Plan compiles a usage plan. account is the account's limit, both parts set,
// for the parts that the plan inherits. The error, a
// [*definition.InvalidError], names what is wrong with the plan.
func (s *Store) Plan(p *definition.UsagePlan, account definition.Throttle) (*Plan, error) {
	if account.RateLimit == nil || account.BurstLimit == nil {
		return nil, fmt.Errorf("usage plan %q: the account's limit has no rate or no burst", p.ID)
	}
	s.mu.Lock()
	number, err := s.plans.number(p.ID)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	c := &Plan{ID: p.ID, Name: p.Name, Number: int(number), stages: map[definition.StageKey]map[string]*throttle{}}
	if p.Throttle != nil {
		c.throttle = newThrottle(*p.Throttle, account)
	}
	if c.quota, err = newQuota(p.Quota); err != nil {
		return nil, invalid("usage plan %q: quota: %w", p.ID, err)
	}
	for _, st := range p.APIStages {
		methods := make(map[string]*throttle, len(st.Throttle))
		for method, t := range st.Throttle {
			if i := strings.LastIndexByte(method, '/'); i <= 0 || method[0] != '/' || i == len(method)-1 {
				return nil, invalid(`usage plan %q: stage "%s:%s": throttle of %q: want a resource path and a method, such as "/pets/GET"`,
					p.ID, st.APIID, st.Stage, method)
			}
			compiled := newThrottle(t, account)
			compiled.method = methodHash(s.hasher, p.ID, st.APIID, st.Stage, method)
			methods[method] = compiled
		}
		c.stages[definition.StageKey{APIID: st.APIID, Stage: st.Stage}] = methods
	}
	return c, nil
}

func invalid(format string, args ...any) error {
	return &definition.InvalidError{Err: fmt.Errorf(format, args...)}
}

func newThrottle(t, account definition.Throttle) *throttle {
	rate, burst := *account.RateLimit, *account.BurstLimit
	if t.RateLimit != nil {
		rate = *t.RateLimit
	}
	if t.BurstLimit != nil {
		burst = *t.BurstLimit
	}
	l := limiter.NewLimit(rate, burst)
	return &throttle{limit: l, policy: throttlePolicy(l)}
}

func newQuota(q *definition.Quota) (*limiter.Quota, error) {
	if q == nil {
		return nil, nil
	}
	period, err := parsePeriod(q.Period)
	if err != nil {
		return nil, err
	}
	since := int64(0)
	if !q.Since.IsZero() {
		since = q.Since.UnixNano()
	}
	compiled := limiter.NewQuota(q.Limit, period, q.Offset, since)
	return &compiled, nil
}

func parsePeriod(name string) (limiter.Period, error) {
	switch name {
	case definition.PeriodDay:
		return limiter.Day, nil
	case definition.PeriodWeek:
		return limiter.Week, nil
	case definition.PeriodMonth:
		return limiter.Month, nil
	}
	return 0, fmt.Errorf("unknown period %q: want DAY, WEEK or MONTH", name)
}
