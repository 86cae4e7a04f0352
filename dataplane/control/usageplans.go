package control

import (
	"math"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	maxPlansOfKey  = 10
	maxPlanMethods = 20 // with a throttle of their own, of one stage in one plan

	maxQuota = math.MaxInt32 // AWS's Integer
)

var periods = []string{definition.PeriodDay, definition.PeriodWeek, definition.PeriodMonth}

func wireUsagePlan(p *definition.UsagePlan, emptyTags bool) UsagePlan {
	out := UsagePlan{
		ID: p.ID, Name: p.Name, Description: p.Description, ProductCode: p.ProductCode, APIStages: []APIStage{},
		Throttle: wireThrottle(p.Throttle), Tags: wireTags(p.Tags, emptyTags),
	}
	if q := p.Quota; q != nil {
		out.Quota = &QuotaSettings{Limit: q.Limit, Offset: q.Offset, Period: q.Period}
	}
	for _, st := range p.APIStages {
		one := APIStage{APIID: st.APIID, Stage: st.Stage}
		for method, limit := range st.Throttle {
			if one.Throttle == nil {
				one.Throttle = make(map[string]ThrottleSettings, len(st.Throttle))
			}
			one.Throttle[method] = *wireThrottle(&limit)
		}
		out.APIStages = append(out.APIStages, one)
	}
	return out
}

func (s *Server) createUsagePlan(r *request) (int, any, error) {
	var in struct {
		Name        *string           `json:"name"`
		Description *string           `json:"description"`
		APIStages   []APIStage        `json:"apiStages"`
		Throttle    *ThrottleSettings `json:"throttle"`
		Quota       *QuotaSettings    `json:"quota"`
		Tags        map[string]string `json:"tags"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var problems []string
	if in.Name == nil {
		problems = append(problems, mustNotBeNull("createUsagePlanInput.name"))
	}
	if q := in.Quota; q != nil && q.Period != "" && !slices.Contains(periods, q.Period) {
		problems = append(problems, mustBeOneOf("createUsagePlanInput.quota.period", q.Period, periods...))
	}
	if err := validation(problems); err != nil {
		return 0, nil, err
	}
	now := s.now().UTC()
	p := &definition.UsagePlan{Name: *in.Name, Description: optional(in.Description), Tags: in.Tags, CreatedDate: now}
	if q := in.Quota; q != nil && *q != (QuotaSettings{}) {
		p.Quota = &definition.Quota{Limit: q.Limit, Offset: q.Offset, Period: q.Period, Since: now}
	}
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		p.ID = newID(6, func(id string) bool { return c.Plans[id] != nil })
		var err error
		if p.Throttle, err = in.Throttle.throttle("throttle"); err != nil {
			return definition.Change{}, err
		}
		if p.APIStages, err = planStages(in.APIStages); err != nil {
			return definition.Change{}, err
		}
		if err := checkTags(p.Tags); err != nil {
			return definition.Change{}, err
		}
		for _, st := range p.APIStages {
			if err := stageForPlan(c, p.ID, st.APIID, st.Stage); err != nil {
				return definition.Change{}, err
			}
		}
		return definition.Change{PutPlans: []*definition.UsagePlan{p}}, checkPlan(c, p)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = p.ID
	return 201, wireUsagePlan(p, omitEmptyTags), nil
}

func (s *Server) getUsagePlan(r *request) (int, any, error) {
	p, err := s.plan(s.gateway.Catalog(), r.params["plan"])
	if err != nil {
		return 0, nil, err
	}
	return 200, wireUsagePlan(p, printEmptyTags), nil
}

// getUsagePlans lists all plans, or those that one key is in.
func (s *Server) getUsagePlans(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	var of []string
	keyID := r.query.Get("keyId")
	if keyID != "" {
		if _, err := s.key(keyID); err != nil {
			return 0, nil, err
		}
		var err error
		if of, err = s.gateway.Keys().PlansOf(keyID); err != nil {
			return 0, nil, err
		}
	}
	var all []*definition.UsagePlan
	for _, p := range c.Plans {
		if keyID == "" || slices.Contains(of, p.ID) {
			all = append(all, p)
		}
	}
	some, err := page(all, func(p *definition.UsagePlan) string { return byTime(p.CreatedDate, p.ID) }, r.query)
	if err != nil {
		return 0, nil, err
	}
	list := List[UsagePlan]{Items: make([]UsagePlan, len(some.Items)), Position: some.Position}
	for i, p := range some.Items {
		list.Items[i] = wireUsagePlan(p, omitEmptyTags)
	}
	return 200, list, nil
}

func (s *Server) deleteUsagePlan(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		p, err := s.plan(c, r.params["plan"])
		if err != nil {
			return definition.Change{}, err
		}
		if len(p.APIStages) > 0 {
			return definition.Change{}, badRequest("Cannot delete Usage Plan %s because there are API Stages associated with it: %s", p.ID, stageNames(p))
		}
		return definition.Change{DeletePlans: []string{p.ID}}, nil
	})
	return 202, nil, err
}
