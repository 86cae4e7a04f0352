package control

import (
	"fmt"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func wireWebSocketDeployment(d *definition.Deployment) WebSocketDeployment {
	return WebSocketDeployment{
		DeploymentID: d.ID, Description: d.Description, AutoDeployed: d.AutoDeployed, DeploymentStatus: "DEPLOYED",
		CreatedDate: wholeSeconds(d.CreatedDate), Number: d.Number,
	}
}

func (s *Server) webSocketDeployment(c *definition.Catalog, r *request) (*definition.Deployment, error) {
	if _, err := s.webSocketAPI(c, r.apiID()); err != nil {
		return nil, err
	}
	if d := c.Deployments[definition.DeploymentKey{APIID: r.apiID(), ID: r.params["deployment"]}]; d != nil {
		return d, nil
	}
	return nil, missing("Deployment", "Invalid Deployment identifier specified")
}

// createWebSocketDeployment freezes an API and, with a stage name, makes the stage
// or points it at the new deployment: one change for both.
func (s *Server) createWebSocketDeployment(r *request) (int, any, error) {
	var in struct {
		Description *string `json:"description"`
		StageName   *string `json:"stageName"`

		// AWS does not have them. They are put in place of those that the stage has.
		StageVariables map[string]string `json:"x-tidegate-stage-variables"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	name := optional(in.StageName)
	switch {
	case name == "" && len(in.StageVariables) > 0:
		return 0, nil, badRequest("x-tidegate-stage-variables need a stageName")
	case name != "":
		if err := checkStageName(name); err != nil {
			return 0, nil, err
		}
	}
	if err := checkVariables(in.StageVariables); err != nil {
		return 0, nil, err
	}
	now := s.now().UTC()
	var d *definition.Deployment
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		a, err := s.webSocketAPI(c, r.apiID())
		if err != nil {
			return definition.Change{}, err
		}
		if err := websocketapi.Check(a.Body); err != nil {
			return definition.Change{}, badRequest("%s", reasons(err))
		}
		next := *a
		d = newDeployment(c, &next, optional(in.Description), now)
		ch := definition.Change{PutAPIs: []*definition.API{&next}, PutDeployments: []*definition.Deployment{d}}
		if name != "" {
			st := c.Stages[definition.StageKey{APIID: a.ID, Stage: name}]
			if st == nil {
				st = &definition.Stage{APIID: a.ID, Name: name, CreatedDate: now}
			} else if st.AutoDeploy {
				ch.DeleteDeployments = superseded(c, []*definition.Stage{st})
			}
			st = pointedAt(st, d, now)
			if in.StageVariables != nil {
				st.Variables = orNil(in.StageVariables)
			}
			ch.PutStages = []*definition.Stage{st}
		}
		return ch, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = d.ID
	return 201, wireWebSocketDeployment(d), nil
}

// orNil is how what is empty is stored.
func orNil[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

func (s *Server) getWebSocketDeployment(r *request) (int, any, error) {
	d, err := s.webSocketDeployment(s.gateway.Catalog(), r)
	if err != nil {
		return 0, nil, err
	}
	return 200, wireWebSocketDeployment(d), nil
}

func (s *Server) getWebSocketDeployments(r *request) (int, any, error) {
	c := s.gateway.Catalog()
	if _, err := s.webSocketAPI(c, r.apiID()); err != nil {
		return 0, nil, err
	}
	var all []*definition.Deployment
	for k, d := range c.Deployments {
		if k.APIID == r.apiID() {
			all = append(all, d)
		}
	}
	return items(r, all, func(d *definition.Deployment) string { return fmt.Sprintf("%020d", d.Number) }, wireWebSocketDeployment)
}

func (s *Server) updateWebSocketDeployment(r *request) (int, any, error) {
	var in struct {
		Description *string `json:"description"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var next definition.Deployment
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		d, err := s.webSocketDeployment(c, r)
		if err != nil {
			return definition.Change{}, err
		}
		next = *d
		if in.Description != nil {
			next.Description = *in.Description
		}
		return definition.Change{PutDeployments: []*definition.Deployment{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireWebSocketDeployment(&next), nil
}

func (s *Server) deleteWebSocketDeployment(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		d, err := s.webSocketDeployment(c, r)
		if err != nil {
			return definition.Change{}, err
		}
		for k, st := range c.Stages {
			if k.APIID == d.APIID && st.DeploymentID == d.ID {
				return definition.Change{}, badRequest("Active stages pointing to this deployment must be moved or deleted")
			}
		}
		return definition.Change{DeleteDeployments: []definition.DeploymentKey{{APIID: d.APIID, ID: d.ID}}}, nil
	})
	return 204, nil, err
}
