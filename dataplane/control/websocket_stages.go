package control

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireWebSocketStage(st *definition.Stage) WebSocketStage {
	out := WebSocketStage{
		StageName: st.Name, DeploymentID: st.DeploymentID, Description: st.Description, AutoDeploy: st.AutoDeploy,
		LastDeploymentStatusMessage: st.LastDeploymentStatus, DefaultRouteSettings: wireRouteSettings(st.DefaultRouteSetting),
		RouteSettings: make(map[string]RouteSettings, len(st.RouteSettings)), StageVariables: orEmpty(st.Variables), Tags: orEmpty(st.Tags),
		MaxInFlight: st.MaxInFlight, CreatedDate: wholeSeconds(st.CreatedDate), LastUpdatedDate: wholeSeconds(st.LastUpdatedDate),
	}
	for key, setting := range st.RouteSettings {
		out.RouteSettings[key] = wireRouteSettings(setting)
	}
	return out
}

func (s *Server) webSocketStage(c *definition.Catalog, r *request) (*definition.Stage, error) {
	if _, err := s.webSocketAPI(c, r.apiID()); err != nil {
		return nil, err
	}
	if st := c.Stages[definition.StageKey{APIID: r.apiID(), Stage: r.params["stage"]}]; st != nil {
		return st, nil
	}
	return nil, missing("Stage", "Invalid stage identifier specified")
}

// webSocketStageInput is the body of CreateStage and UpdateStage.
type webSocketStageInput struct {
	StageName      *string           `json:"stageName"` // of CreateStage
	Tags           map[string]string `json:"tags"`      // of CreateStage
	DeploymentID   *string           `json:"deploymentId"`
	Description    *string           `json:"description"`
	AutoDeploy     *bool             `json:"autoDeploy"`
	StageVariables map[string]string `json:"stageVariables"`

	DefaultRouteSettings *routeSettingsInput            `json:"defaultRouteSettings"`
	RouteSettings        map[string]*routeSettingsInput `json:"routeSettings"`

	MaxInFlight *int `json:"x-tidegate-max-in-flight"` // 0 takes it away

	AccessLogSettings   json.RawMessage `json:"accessLogSettings"`
	ClientCertificateID json.RawMessage `json:"clientCertificateId"`
}

// apply puts what the body says into st, a copy of the caller's. An empty text
// takes a stage variable away.
func (in *webSocketStageInput) apply(c *definition.Catalog, st *definition.Stage) error {
	if err := (refusals{"accessLogSettings": in.AccessLogSettings, "clientCertificateId": in.ClientCertificateID}).check("a stage"); err != nil {
		return err
	}
	if in.Description != nil {
		st.Description = *in.Description
	}
	if in.AutoDeploy != nil {
		st.AutoDeploy = *in.AutoDeploy
	}
	if n := in.MaxInFlight; n != nil {
		if *n != 0 {
			if err := checkMaxInFlight(*n); err != nil {
				return err
			}
		}
		st.MaxInFlight = *n
	}
	variables := maps.Clone(st.Variables)
	for name, value := range in.StageVariables {
		if variables == nil {
			variables = map[string]string{}
		}
		if variables[name] = value; value == "" {
			delete(variables, name)
		}
	}
	if err := checkVariables(variables); err != nil {
		return err
	}
	st.Variables = orNil(variables)
	if in.DeploymentID != nil {
		st.DeploymentID = *in.DeploymentID
	}
	return in.applySettings(c, st)
}

func (s *Server) createWebSocketStage(r *request) (int, any, error) {
	var in webSocketStageInput
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if in.StageName == nil {
		return 0, nil, badRequest("Invalid request input: stageName: missing")
	}
	var st *definition.Stage
	now := s.now().UTC()
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := s.webSocketAPI(c, r.apiID())
		if err != nil {
			return definition.Change{}, err
		}
		st = &definition.Stage{APIID: a.ID, Name: *in.StageName, Tags: orNil(in.Tags), CreatedDate: now, LastUpdatedDate: now}
		for _, err := range []error{checkStageName(st.Name), checkTags(st.Tags), in.apply(c, st)} {
			if err != nil {
				return definition.Change{}, err
			}
		}
		if c.Stages[definition.StageKey{APIID: st.APIID, Stage: st.Name}] != nil {
			return definition.Change{}, conflict("Stage already exists")
		}
		var ch definition.Change
		if st.DeploymentID == "" && st.AutoDeploy {
			if st, err = firstDeployment(c, a, st, now, &ch); err != nil {
				return definition.Change{}, err
			}
		}
		ch.PutStages = []*definition.Stage{st}
		return ch, servesDeployment(c, st, &ch)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = st.Name
	return 201, wireWebSocketStage(st), nil
}

// firstDeployment deploys an API to a new stage with autoDeploy. Unlike other
// deployments it may have no routes: they are still to come.
func firstDeployment(c *definition.Catalog, a *definition.API, st *definition.Stage, now time.Time, ch *definition.Change) (*definition.Stage, error) {
	if len(a.Body.WebSocket.Routes) > 0 {
		if err := websocketapi.Check(a.Body); err != nil {
			return nil, badRequest("%s", reasons(err))
		}
	}
	next := *a
	d := newDeployment(c, &next, "Automatic deployment of the stage "+st.Name, now)
	d.AutoDeployed = true
	ch.PutAPIs, ch.PutDeployments = []*definition.API{&next}, []*definition.Deployment{d}
	return pointedAt(st, d, now), nil
}

// servesDeployment says whether the deployment of a stage is there, or is made by
// the same change.
func servesDeployment(c *definition.Catalog, st *definition.Stage, ch *definition.Change) error {
	switch {
	case st.DeploymentID == "":
		return badRequest("deploymentId is missing: a stage serves a deployment, or has autoDeploy")
	case len(ch.PutDeployments) == 0 && c.Deployments[definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}] == nil:
		return missing("Deployment", "Invalid Deployment identifier specified")
	}
	return nil
}

func (s *Server) getWebSocketStage(r *request) (int, any, error) {
	st, err := s.webSocketStage(s.gateway.Catalog(), r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireWebSocketStage(st), nil
}

func (s *Server) getWebSocketStages(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	if _, err := s.webSocketAPI(c, r.apiID()); err != nil {
		return 0, nil, err
	}
	var all []*definition.Stage
	for k, st := range c.Stages {
		if k.APIID == r.apiID() {
			all = append(all, st)
		}
	}
	return items(r, all, func(st *definition.Stage) string { return st.Name }, wireWebSocketStage)
}

func (s *Server) updateWebSocketStage(r *request) (int, any, error) {
	var in webSocketStageInput
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	if in.StageName != nil || in.Tags != nil {
		return 0, nil, badRequest("Invalid request input: stageName and tags cannot be updated")
	}
	var next *definition.Stage
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		st, err := s.webSocketStage(c, r)
		if err != nil {
			return definition.Change{}, err
		}
		kept := *st
		next = &kept
		if err := in.apply(c, next); err != nil {
			return definition.Change{}, err
		}
		now := s.now().UTC()
		next.LastUpdatedDate = now
		var ch definition.Change
		switch a := c.APIs[st.APIID]; {
		case !next.AutoDeploy:
		case next.DeploymentID != st.DeploymentID:
			return definition.Change{}, badRequest("The deployment of a stage with autoDeploy is made by itself: set autoDeploy to false to choose one")
		case !st.AutoDeploy && c.Deployments[definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}].Body.Revision != a.Body.Revision:
			if next, err = firstDeployment(c, a, next, now, &ch); err != nil {
				return definition.Change{}, err
			}
		}
		ch.PutStages = []*definition.Stage{next}
		return ch, servesDeployment(c, next, &ch)
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireWebSocketStage(next), nil
}

func (s *Server) deleteWebSocketStage(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		st, err := s.webSocketStage(c, r)
		if err != nil {
			return definition.Change{}, err
		}
		return definition.Change{
			DeleteStages:      []definition.StageKey{{APIID: st.APIID, Stage: st.Name}},
			DeleteDeployments: superseded(c, []*definition.Stage{st}),
			PutPlans: detach(c, func(in definition.PlanStage) bool {
				return in.APIID == st.APIID && in.Stage == st.Name
			}),
		}, nil
	})
	return 204, nil, err
}
