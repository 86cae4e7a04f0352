package control

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// planPaths is what UpdateUsagePlan can patch.
var planPaths = []string{
	"/name", "/description", "/productCode", "/throttle", "/throttle/rateLimit", "/throttle/burstLimit",
	"/quota", "/quota/limit", "/quota/offset", "/quota/period", "/apiStages", "/apiStages/{apiId}:{stage}/throttle",
	"/apiStages/{apiId}:{stage}/throttle/{resourcePath}/{httpMethod}/rateLimit",
	"/apiStages/{apiId}:{stage}/throttle/{resourcePath}/{httpMethod}/burstLimit",
}

func (s *Server) updateUsagePlan(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateUsagePlanInput")
	if err != nil {
		return 0, nil, err
	}
	var next *definition.UsagePlan
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		p, err := s.plan(c, r.params["plan"])
		if err != nil {
			return definition.Change{}, err
		}
		next = copyPlan(p)
		for _, op := range ops {
			if err := patchPlan(c, next, op); err != nil {
				return definition.Change{}, err
			}
		}
		if q := next.Quota; q != nil && begins(p.Quota, q) {
			q.Since = s.now().UTC()
		}
		if err := checkPlan(c, next); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{PutPlans: []*definition.UsagePlan{next}}, s.mayAddStages(c, p, next)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireUsagePlan(next, printEmptyTags), nil
}

// begins says whether next is another quota than old. With another limit alone
// it goes on as it was.
func begins(old, next *definition.Quota) bool {
	return old == nil || next.Since.IsZero() || old.Period != next.Period || old.Offset != next.Offset
}

// copyPlan copies all that a patch may change.
func copyPlan(p *definition.UsagePlan) *definition.UsagePlan {
	next := *p
	if p.Quota != nil {
		q := *p.Quota
		next.Quota = &q
	}
	next.APIStages = slices.Clone(p.APIStages)
	for i, st := range next.APIStages {
		next.APIStages[i].Throttle = maps.Clone(st.Throttle)
	}
	return &next
}

func patchPlan(c *definition.Catalog, p *definition.UsagePlan, op PatchOperation) (err error) {
	switch op.Path {
	case "/name":
		p.Name, err = op.Value, only(op, "replace")
	case "/description":
		p.Description, err = patchText(op)
	case "/productCode":
		p.ProductCode, err = patchText(op)
	case "/throttle":
		p.Throttle, err = nil, only(op, "remove")
	case "/throttle/rateLimit", "/throttle/burstLimit":
		p.Throttle, err = patchThrottle(p.Throttle, op)
	case "/quota":
		p.Quota, err = nil, only(op, "remove")
	case "/quota/limit", "/quota/offset", "/quota/period":
		if p.Quota == nil {
			p.Quota = &definition.Quota{}
		}
		err = patchQuota(p.Quota, op)
	case "/apiStages":
		err = patchPlanStages(c, p, op)
	default:
		rest, ok := strings.CutPrefix(op.Path, "/apiStages/")
		if !ok {
			return unknownPath(op, planPaths...)
		}
		err = patchStageThrottle(p, op, rest)
	}
	return err
}

// patchQuota sets one part; whether they fit together is seen at the end.
func patchQuota(q *definition.Quota, op PatchOperation) error {
	if op.Path == "/quota/offset" && op.Op == "remove" {
		q.Offset = 0
		return nil
	}
	if err := only(op, "add", "replace"); err != nil {
		return err
	}
	if op.Path == "/quota/period" {
		q.Period = op.Value
		return nil
	}
	v, err := strconv.ParseInt(op.Value, 10, 32)
	if err != nil {
		return badRequest("Invalid value for %s: it must be a whole number of requests from 0 to %d", op.Path, maxQuota)
	}
	if op.Path == "/quota/limit" {
		q.Limit = v
	} else {
		q.Offset = v
	}
	return nil
}

// patchPlanStages adds or removes the stage that the value names.
func patchPlanStages(c *definition.Catalog, p *definition.UsagePlan, op PatchOperation) error {
	if err := only(op, "add", "remove"); err != nil {
		return err
	}
	apiID, stage, err := planStage(op.Value)
	if err != nil {
		return err
	}
	i := stageIndex(p.APIStages, apiID, stage)
	switch {
	case op.Op == "remove" && i < 0:
		return noSuchPlanStage(p.ID, apiID, stage)
	case op.Op == "remove":
		p.APIStages = slices.Delete(p.APIStages, i, i+1)
		return nil
	case i >= 0:
		return conflict("API Stage {api: %s, stage: %s} is in usageplan %s already", apiID, stage, p.ID)
	}
	p.APIStages = append(p.APIStages, definition.PlanStage{APIID: apiID, Stage: stage})
	return stageForPlan(c, p.ID, apiID, stage)
}

// planStage reads "{apiId}:{stage}".
func planStage(text string) (apiID, stage string, err error) {
	apiID, stage, _ = strings.Cut(text, ":")
	if apiID == "" || stage == "" {
		return "", "", invalidStage()
	}
	return apiID, stage, nil
}

// patchStageThrottle changes the throttle of one method of a stage, or removes
// it, or those of all. rest is the path behind /apiStages/. AWS writes slashes
// of a resource path as ~1; Terraform does not, and both are taken.
func patchStageThrottle(p *definition.UsagePlan, op PatchOperation, rest string) error {
	name, rest, _ := strings.Cut(rest, "/")
	apiID, stage, err := planStage(unescape(name))
	if err != nil {
		return err
	}
	i := stageIndex(p.APIStages, apiID, stage)
	if i < 0 {
		return noSuchPlanStage(p.ID, apiID, stage)
	}
	if rest == "throttle" {
		p.APIStages[i].Throttle = nil
		return only(op, "remove")
	}
	rest, ok := strings.CutPrefix(rest, "throttle/")
	if !ok {
		return unknownPath(op, planPaths...)
	}
	path, ofRate := strings.CutSuffix(rest, "/rateLimit")
	path, ofBurst := strings.CutSuffix(path, "/burstLimit")
	method := unescape(path)
	if err := checkMethodKey(method); err != nil {
		return err
	}
	var limit *definition.Throttle
	if ofRate || ofBurst {
		if have, found := p.APIStages[i].Throttle[method]; found {
			limit = &have
		}
		limit, err = patchThrottle(limit, op)
	} else {
		err = only(op, "remove")
	}
	if err != nil {
		return err
	}
	if limit == nil {
		delete(p.APIStages[i].Throttle, method)
		return nil
	}
	if p.APIStages[i].Throttle == nil {
		p.APIStages[i].Throttle = map[string]definition.Throttle{}
	}
	p.APIStages[i].Throttle[method] = *limit
	return nil
}
