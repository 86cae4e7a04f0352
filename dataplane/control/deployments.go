package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func wireDeployment(d *definition.Deployment) Deployment {
	return Deployment{ID: d.ID, Description: d.Description, CreatedDate: d.CreatedDate.Unix(), Number: d.Number}
}

type createDeploymentInput struct {
	StageName        *string           `json:"stageName"`
	StageDescription *string           `json:"stageDescription"`
	Description      *string           `json:"description"`
	Variables        map[string]string `json:"variables"`

	CacheClusterEnabled *bool           `json:"cacheClusterEnabled"`
	CacheClusterSize    *string         `json:"cacheClusterSize"`
	CanarySettings      json.RawMessage `json:"canarySettings"`
	TracingEnabled      json.RawMessage `json:"tracingEnabled"`
}

func (in *createDeploymentInput) cache() cacheCluster {
	return cacheCluster{in.CacheClusterEnabled, in.CacheClusterSize}
}

func (in *createDeploymentInput) check() error {
	if err := (refusals{
		"canarySettings": in.CanarySettings,
		"tracingEnabled": in.TracingEnabled,
	}).check("CreateDeployment"); err != nil {
		return err
	}
	if optional(in.StageName) == "" {
		if optional(in.StageDescription) != "" || len(in.Variables) > 0 {
			return badRequest("stageDescription and variables need a stageName")
		}
		if in.cache().asks() {
			return badRequest("cacheClusterEnabled and cacheClusterSize need a stageName")
		}
		return nil
	}
	if err := checkStageName(*in.StageName); err != nil {
		return err
	}
	return checkVariables(in.Variables)
}

// createDeployment freezes the API's body and, with a stage name, makes the
// stage or points it at the new deployment: one change for both.
func (s *Server) createDeployment(r *request) (int, any, error) {
	var in createDeploymentInput
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if err := validation(in.cache().problems("createDeploymentInput")); err != nil {
		return 0, nil, err
	}
	now := s.now().UTC()
	var d *definition.Deployment
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := s.api(c, r.apiID())
		if err != nil {
			return definition.Change{}, err
		}
		if err := in.check(); err != nil {
			return definition.Change{}, err
		}
		if err := deployable(a.Body); err != nil {
			return definition.Change{}, err
		}
		next := *a
		next.DeploymentCount++
		d = &definition.Deployment{
			ID: newID(6, func(id string) bool {
				return c.Deployments[definition.DeploymentKey{APIID: a.ID, ID: id}] != nil
			}),
			APIID: a.ID, Number: next.DeploymentCount, Description: optional(in.Description), CreatedDate: now, Body: a.Body,
		}
		ch := definition.Change{PutAPIs: []*definition.API{&next}, PutDeployments: []*definition.Deployment{d}}
		if name := optional(in.StageName); name != "" {
			ch.PutStages = []*definition.Stage{deployTo(c.Stages[definition.StageKey{APIID: a.ID, Stage: name}], d, name, &in, now)}
		}
		return ch, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = d.ID
	return 201, wireDeployment(d), nil
}

// deployTo is the stage that points at d: a new one, or the old with what the
// call gives anew.
func deployTo(old *definition.Stage, d *definition.Deployment, name string, in *createDeploymentInput, now time.Time) *definition.Stage {
	st := definition.Stage{APIID: d.APIID, Name: name, CreatedDate: now}
	if old != nil {
		st = *old
	}
	st.DeploymentID, st.LastUpdatedDate = d.ID, now
	if in.StageDescription != nil {
		st.Description = *in.StageDescription
	}
	if in.Variables != nil {
		st.Variables = in.Variables
	}
	in.cache().apply(&st)
	return &st
}

// deployable refuses what AWS refuses to deploy.
func deployable(b *definition.Body) error {
	methods := 0
	for _, res := range b.Resources {
		for _, m := range res.Methods {
			if m.Integration == nil {
				return badRequest("No integration defined for method")
			}
			methods++
		}
	}
	if methods == 0 {
		return badRequest("The REST API doesn't contain any methods")
	}
	return nil
}

func (s *Server) getDeployment(r *request) (int, any, error) {
	d, err := s.deployment(s.gateway.Catalog(), r.apiID(), r.params["deployment"])
	if err != nil {
		return 0, nil, err
	}
	answer := wireDeployment(d)
	embed, err := embeds(r, "apisummary")
	if err != nil {
		return 0, nil, err
	}
	if embed {
		answer.APISummary = summary(d.Body)
	}
	return 200, answer, nil
}

// embeds says whether the query parameter embed names the one thing that the
// answer can embed.
func embeds(r *request, name string) (bool, error) {
	found := false
	for _, v := range r.query["embed"] {
		for v := range strings.SplitSeq(v, ",") {
			if !strings.EqualFold(v, name) {
				return false, badRequest("Invalid embed: %s. It must be %s", v, name)
			}
			found = true
		}
	}
	return found, nil
}

func summary(b *definition.Body) map[string]map[string]MethodSnapshot {
	paths := map[string]map[string]MethodSnapshot{}
	for _, res := range b.Resources {
		if len(res.Methods) == 0 {
			continue
		}
		paths[res.Path] = map[string]MethodSnapshot{}
		for verb, m := range res.Methods {
			paths[res.Path][verb] = MethodSnapshot{AuthorizationType: cmp.Or(m.AuthorizationType, definition.AuthNone), APIKeyRequired: m.APIKeyRequired}
		}
	}
	return paths
}

func (s *Server) getDeployments(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	if _, err := s.api(c, r.apiID()); err != nil {
		return 0, nil, err
	}
	var all []Deployment
	for k, d := range c.Deployments {
		if k.APIID == r.apiID() {
			all = append(all, wireDeployment(d))
		}
	}
	list, err := page(all, func(d Deployment) string { return fmt.Sprintf("%020d", d.Number) }, r.query)
	return 200, list, err
}

func (s *Server) updateDeployment(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateDeploymentInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.Deployment
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		d, err := s.deployment(c, r.apiID(), r.params["deployment"])
		if err != nil {
			return definition.Change{}, err
		}
		next = *d
		for _, op := range ops {
			if op.Path != "/description" {
				return definition.Change{}, unknownPath(op, "/description")
			}
			if next.Description, err = patchText(op); err != nil {
				return definition.Change{}, err
			}
		}
		return definition.Change{PutDeployments: []*definition.Deployment{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireDeployment(&next), nil
}

func (s *Server) deleteDeployment(r *request) (int, any, error) {
	key := definition.DeploymentKey{APIID: r.apiID(), ID: r.params["deployment"]}
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.deployment(c, key.APIID, key.ID); err != nil {
			return definition.Change{}, err
		}
		for k, st := range c.Stages {
			if k.APIID == key.APIID && st.DeploymentID == key.ID {
				return definition.Change{}, badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		return definition.Change{DeleteDeployments: []definition.DeploymentKey{key}}, nil
	})
	return 202, nil, err
}
