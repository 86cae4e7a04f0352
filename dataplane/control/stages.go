package control

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	maxVariables     = 100
	maxVariableName  = 64
	maxVariableValue = 512
)

var (
	stageNamePattern     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	variableNamePattern  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	variableValuePattern = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

func (s *Server) wireStage(st *definition.Stage) Stage {
	out := Stage{
		StageName: st.Name, DeploymentID: st.DeploymentID, Description: st.Description,
		MethodSettings: s.wireMethodSettings(st), Variables: st.Variables,
		Tags:        wireTags(st.Tags, omitEmptyTags),
		CreatedDate: st.CreatedDate.Unix(), LastUpdatedDate: st.LastUpdatedDate.Unix(),
		Throttle: wireThrottle(st.Throttle), GuaranteedRate: (*Double)(st.GuaranteedRate),
		MaxInFlight: st.MaxInFlight, Priority: st.Priority,
	}
	wireCache(st, &out)
	if a := s.gateway.Catalog().WebACLs[st.WebACLID]; a != nil {
		out.WebACLARN = s.wafARN(definition.KindWebACL, a.Name, a.ID)
	}
	if st.HideLimits {
		out.RateLimitHeaders = new(bool)
	}
	return out
}

func checkStageName(name string) error {
	if !stageNamePattern.MatchString(name) {
		return badRequest("Stage name only allows a-zA-Z0-9_- and at most 128 characters")
	}
	return nil
}

// checkVariables holds stage variables to AWS's limits (Developer Guide, "API
// Gateway quotas for configuring and running a REST API").
func checkVariables(variables map[string]string) error {
	if len(variables) > maxVariables {
		return badRequest("A stage can have at most %d stage variables", maxVariables)
	}
	for name, value := range variables {
		if err := checkVariable(name, value); err != nil {
			return err
		}
	}
	return nil
}

func checkVariable(name, value string) error {
	switch {
	case !variableNamePattern.MatchString(name):
		return badRequest("Invalid stage variable name: %s.  Please use names with only word characters.", name)
	case len(name) > maxVariableName:
		return badRequest("Invalid stage variable name: %s.  Please use names with at most %d characters.", name, maxVariableName)
	case len(value) > maxVariableValue:
		return badRequest("Invalid stage variable value of %s.  Please use values with at most %d characters.", name, maxVariableValue)
	case !variableValuePattern.MatchString(value):
		return badRequest("Invalid stage variable value: %s.  Please use values with alphanumeric characters and the symbols ' ', -', '.', '_', ':', '/', '?', '&', '=', and ','.", value)
	}
	return nil
}

// checkTags holds tags to AWS's limits.
func checkTags(tags map[string]string) error {
	if len(tags) > 50 {
		return badRequest("A resource can have at most 50 tags")
	}
	for key, value := range tags {
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return badRequest("Invalid tag %s: a key has 1 to 128 characters and does not begin with aws:, a value has at most 256", key)
		}
	}
	return nil
}

func (s *Server) createStage(r *request) (int, any, error) {
	var in struct {
		StageName    *string           `json:"stageName"`
		DeploymentID *string           `json:"deploymentId"`
		Description  *string           `json:"description"`
		Variables    map[string]string `json:"variables"`
		Tags         map[string]string `json:"tags"`

		CacheClusterEnabled  *bool           `json:"cacheClusterEnabled"`
		CacheClusterSize     *string         `json:"cacheClusterSize"`
		DocumentationVersion json.RawMessage `json:"documentationVersion"`
		CanarySettings       json.RawMessage `json:"canarySettings"`
		TracingEnabled       json.RawMessage `json:"tracingEnabled"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var missing []string
	if in.StageName == nil {
		missing = append(missing, mustNotBeNull("createStageInput.stageName"))
	}
	if in.DeploymentID == nil {
		missing = append(missing, mustNotBeNull("createStageInput.deploymentId"))
	}
	cache := cacheCluster{in.CacheClusterEnabled, in.CacheClusterSize}
	if err := validation(append(missing, cache.problems("createStageInput")...)); err != nil {
		return 0, nil, err
	}
	now := s.now().UTC()
	st := &definition.Stage{
		APIID: r.apiID(), Name: *in.StageName, DeploymentID: *in.DeploymentID, Description: optional(in.Description),
		Variables: in.Variables, Tags: in.Tags, CreatedDate: now, LastUpdatedDate: now,
	}
	cache.apply(st)
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.api(c, st.APIID); err != nil {
			return definition.Change{}, err
		}
		for _, err := range []error{
			checkStageName(st.Name), checkVariables(st.Variables), checkTags(st.Tags),
			refusals{
				"documentationVersion": in.DocumentationVersion,
				"canarySettings":       in.CanarySettings,
				"tracingEnabled":       in.TracingEnabled,
			}.check("CreateStage"),
			pointsAtDeployment(c, st),
		} {
			if err != nil {
				return definition.Change{}, err
			}
		}
		if c.Stages[definition.StageKey{APIID: st.APIID, Stage: st.Name}] != nil {
			return definition.Change{}, conflict("Stage already exists")
		}
		return definition.Change{PutStages: []*definition.Stage{st}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = st.Name
	return 201, s.wireStage(st), nil
}

func pointsAtDeployment(c *definition.Catalog, st *definition.Stage) error {
	if c.Deployments[definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}] == nil {
		return badRequest("Deployment id does not exist")
	}
	return nil
}

func (s *Server) getStage(r *request) (int, any, error) {
	st, err := s.stage(s.gateway.Catalog(), r.apiID(), r.params["stage"])
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireStage(st), nil
}

// getStages lists all stages of an API, or those of one deployment. AWS has no
// pages here.
func (s *Server) getStages(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	if _, err := s.api(c, r.apiID()); err != nil {
		return 0, nil, err
	}
	only := r.query.Get("deploymentId")
	all := []Stage{}
	for k, st := range c.Stages {
		if k.APIID == r.apiID() && (only == "" || st.DeploymentID == only) {
			all = append(all, s.wireStage(st))
		}
	}
	slices.SortFunc(all, func(a, b Stage) int { return strings.Compare(a.StageName, b.StageName) })
	return 200, List[Stage]{Items: all}, nil
}

func (s *Server) updateStage(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateStageInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.Stage
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		st, err := s.stage(c, r.apiID(), r.params["stage"])
		if err != nil {
			return definition.Change{}, err
		}
		next = *st
		next.Variables, next.MethodSettings = maps.Clone(st.Variables), maps.Clone(st.MethodSettings)
		if next.Variables == nil {
			next.Variables = map[string]string{}
		}
		for _, op := range ops {
			if err := patchStage(&next, op); err != nil {
				return definition.Change{}, err
			}
		}
		if err := pointsAtDeployment(c, &next); err != nil {
			return definition.Change{}, err
		}
		if err := s.findWebACL(c, &next); err != nil {
			return definition.Change{}, err
		}
		if len(next.Variables) > maxVariables {
			return definition.Change{}, checkVariables(next.Variables)
		}
		next.LastUpdatedDate = s.now().UTC()
		return definition.Change{PutStages: []*definition.Stage{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireStage(&next), nil
}

func (s *Server) deleteStage(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.stage(c, r.apiID(), r.params["stage"]); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{
			DeleteStages: []definition.StageKey{{APIID: r.apiID(), Stage: r.params["stage"]}},
			PutPlans: detach(c, func(st definition.PlanStage) bool {
				return st.APIID == r.apiID() && st.Stage == r.params["stage"]
			}),
		}, nil
	})
	return 202, nil, err
}
