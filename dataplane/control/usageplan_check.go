package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// checkPlan holds a plan to its rules once all of it is known.
func checkPlan(c *definition.Catalog, p *definition.UsagePlan) error {
	if p.Name == "" {
		return badRequest("Usage Plan name cannot be an empty string")
	}
	if q := p.Quota; q != nil {
		switch {
		case q.Limit < 1 || q.Limit > maxQuota:
			return badRequest("Invalid quota limit: it must be a whole number of requests from 1 to %d", maxQuota)
		case !slices.Contains(periods, q.Period):
			return badRequest("Invalid quota period: it must be DAY, WEEK or MONTH")
		case q.Offset < 0 || q.Offset >= q.Limit:
			return badRequest("Invalid quota offset: it must be 0 or more and less than the limit")
		}
	}
	for _, st := range p.APIStages {
		if a := c.APIs[st.APIID]; a != nil && a.Protocol == definition.ProtocolWebSocket && len(st.Throttle) > 0 {
			return badRequest("API Stage %s:%s is of a WebSocket API, which has no methods to throttle: set limits of its routes with UpdateStage, routeSettings", st.APIID, st.Stage)
		}
		if len(st.Throttle) > maxPlanMethods {
			return limitExceeded("A usage plan can throttle at most %d methods of API Stage %s:%s", maxPlanMethods, st.APIID, st.Stage)
		}
	}
	return nil
}

// planStages reads the stages of a new plan.
func planStages(in []APIStage) ([]definition.PlanStage, error) {
	var stages []definition.PlanStage
	for _, st := range in {
		if st.APIID == "" || st.Stage == "" {
			return nil, invalidStage()
		}
		if stageIndex(stages, st.APIID, st.Stage) >= 0 {
			return nil, conflict("API Stage {api: %s, stage: %s} is there twice", st.APIID, st.Stage)
		}
		one := definition.PlanStage{APIID: st.APIID, Stage: st.Stage}
		for _, method := range slices.Sorted(maps.Keys(st.Throttle)) {
			if err := checkMethodKey(method); err != nil {
				return nil, err
			}
			sent := st.Throttle[method]
			limit, err := sent.throttle(fmt.Sprintf("the throttle of %s", method))
			if err != nil {
				return nil, err
			}
			if limit == nil {
				continue
			}
			if one.Throttle == nil {
				one.Throttle = map[string]definition.Throttle{}
			}
			one.Throttle[method] = *limit
		}
		stages = append(stages, one)
	}
	return stages, nil
}

func invalidStage() error { return badRequest("Invalid API Stage specified") }

// checkMethodKey takes a resource path and a verb: "/pets/GET", "//GET".
func checkMethodKey(key string) error {
	i := strings.LastIndexByte(key, '/')
	if i < 1 || key[0] != '/' || !isVerb(key[i+1:]) {
		return badRequest("Invalid method %s: it must be a resource path and a verb, such as /pets/GET, or //GET for the root", key)
	}
	return nil
}

// stageForPlan says whether there is a stage for a plan to list.
func stageForPlan(c *definition.Catalog, planID, apiID, stage string) error {
	if c.Stages[definition.StageKey{APIID: apiID, Stage: stage}] == nil {
		return noSuchPlanStage(planID, apiID, stage)
	}
	return nil
}

func noSuchPlanStage(planID, apiID, stage string) error {
	return notFound("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", apiID, stage, planID)
}

// stageIndex is where a plan has a stage, or -1.
func stageIndex(stages []definition.PlanStage, apiID, stage string) int {
	return slices.IndexFunc(stages, func(st definition.PlanStage) bool { return st.APIID == apiID && st.Stage == stage })
}

func stageNames(p *definition.UsagePlan) string {
	var names []string
	for _, st := range p.APIStages {
		names = append(names, st.APIID+":"+st.Stage)
	}
	return strings.Join(names, ", ")
}

// mayJoin says whether a key that is in the plans of have may join p too: a
// stage takes a key through one plan only.
func mayJoin(c *definition.Catalog, p *definition.UsagePlan, keyID string, have []string) error {
	if slices.Contains(have, p.ID) {
		return conflict("Usage Plan Key already exists")
	}
	if len(have) >= maxPlansOfKey {
		return limitExceeded("API Key %s is in %d usage plans, which is the most there can be", keyID, len(have))
	}
	for _, id := range have {
		other := c.Plans[id]
		if other == nil {
			continue
		}
		for _, st := range other.APIStages {
			if stageIndex(p.APIStages, st.APIID, st.Stage) >= 0 {
				return sharedStage(keyID, other.ID, st)
			}
		}
	}
	return nil
}

func sharedStage(keyID, planID string, st definition.PlanStage) error {
	return conflict("API Key %s is in Usage Plan %s already, which has the API Stage {api: %s, stage: %s} too", keyID, planID, st.APIID, st.Stage)
}

// mayAddStages says whether all keys of a plan may use the stages that next has
// and old has not. It must be called in an update. It reads the plan's keys only
// if another plan has one of the stages.
func (s *Server) mayAddStages(c *definition.Catalog, old, next *definition.UsagePlan) error {
	rivals := map[string]definition.PlanStage{} // plans that have one of them
	for _, p := range c.Plans {
		for _, st := range p.APIStages {
			if p.ID != next.ID && stageIndex(next.APIStages, st.APIID, st.Stage) >= 0 && stageIndex(old.APIStages, st.APIID, st.Stage) < 0 {
				rivals[p.ID] = st
			}
		}
	}
	keys := s.gateway.Keys()
	for after, more := "", len(rivals) > 0; more; {
		some, next, err := keys.PlanKeys(old.ID, after, maxLimit, nil)
		if err != nil {
			return err
		}
		for _, k := range some {
			plans, err := keys.PlansOf(k.ID)
			if err != nil {
				return err
			}
			for _, id := range plans {
				if st, found := rivals[id]; found {
					return sharedStage(k.ID, id, st)
				}
			}
			after = k.ID
		}
		more = next && len(some) > 0
	}
	return nil
}

// detach returns the plans that list a stage which is gone, without it.
func detach(c *definition.Catalog, gone func(definition.PlanStage) bool) []*definition.UsagePlan {
	var changed []*definition.UsagePlan
	for _, p := range c.Plans {
		if slices.ContainsFunc(p.APIStages, gone) {
			next := *p
			next.APIStages = slices.DeleteFunc(slices.Clone(p.APIStages), gone)
			changed = append(changed, &next)
		}
	}
	return changed
}
