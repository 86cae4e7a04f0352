package main

import (
	"context"
	"slices"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// protocolREST is the protocol of an API that is no WebSocket API, as people see it.
const protocolREST = "REST"

// api is an API of either protocol. What one of them has alone is in its wire.
type api struct {
	id, name, protocol   string
	version, description string
	created              time.Time
	wire                 any // as JSON shows it
}

func (a *api) webSocket() bool { return a.protocol == definition.ProtocolWebSocket }

// restRow and webSocketRow are APIs as JSON: what their operations answer, with an
// id and a protocol under the same names.
type restRow struct {
	ProtocolType string `json:"protocolType"`
	control.RestAPI
}

type webSocketRow struct {
	ID          string `json:"id"`
	CreatedDate int64  `json:"createdDate"` // Unix seconds, as of REST APIs
	control.WebSocketAPI
}

// allAPIs returns the APIs of both protocols, oldest first.
func allAPIs(ctx context.Context, c *control.Client) ([]api, error) {
	restAPIs, err := c.APIs(ctx)
	if err != nil {
		return nil, err
	}
	webSocketAPIs, err := c.WebSocketAPIs(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]api, 0, len(restAPIs)+len(webSocketAPIs))
	for _, a := range restAPIs {
		all = append(all, api{a.ID, a.Name, protocolREST, a.Version, a.Description, time.Unix(a.CreatedDate, 0), restRow{protocolREST, a}})
	}
	for _, a := range webSocketAPIs {
		all = append(all, api{a.APIID, a.Name, a.ProtocolType, a.Version, a.Description, a.CreatedDate, webSocketRow{a.APIID, a.CreatedDate.Unix(), a}})
	}
	slices.SortStableFunc(all, func(a, b api) int { return a.created.Compare(b.created) })
	return all, nil
}

// stage is a stage of an API of either protocol.
type stage struct {
	name, deploymentID string
	variables          map[string]string
	updated            time.Time
	wire               any // what the operations answer
}

func (a *api) stages(ctx context.Context, c *control.Client) ([]stage, error) {
	var all []stage
	if a.webSocket() {
		list, err := c.WebSocketStages(ctx, a.id)
		for _, s := range list {
			all = append(all, stage{s.StageName, s.DeploymentID, s.StageVariables, s.LastUpdatedDate, s})
		}
		return all, err
	}
	list, err := c.Stages(ctx, a.id)
	for _, s := range list {
		all = append(all, stage{s.StageName, s.DeploymentID, s.Variables, time.Unix(s.LastUpdatedDate, 0), s})
	}
	return all, err
}

// stage returns a stage by its name; a missing one is the daemon's error.
func (a *api) stage(ctx context.Context, c *control.Client, name string) (*stage, error) {
	if a.webSocket() {
		s, err := c.WebSocketStage(ctx, a.id, name)
		if err != nil {
			return nil, err
		}
		return &stage{s.StageName, s.DeploymentID, s.StageVariables, s.LastUpdatedDate, *s}, nil
	}
	s, err := c.Stage(ctx, a.id, name)
	if err != nil {
		return nil, err
	}
	return &stage{s.StageName, s.DeploymentID, s.Variables, time.Unix(s.LastUpdatedDate, 0), *s}, nil
}

// deployments returns the deployments, oldest first, in the form of REST APIs.
func (a *api) deployments(ctx context.Context, c *control.Client) ([]control.Deployment, error) {
	if !a.webSocket() {
		return c.Deployments(ctx, a.id)
	}
	list, err := c.WebSocketDeployments(ctx, a.id)
	var all []control.Deployment
	for _, d := range list {
		all = append(all, *restDeployment(&d))
	}
	return all, err
}

func restDeployment(d *control.WebSocketDeployment) *control.Deployment {
	return &control.Deployment{ID: d.DeploymentID, Description: d.Description, CreatedDate: d.CreatedDate.Unix(), Number: d.Number}
}

// point points a stage at a deployment.
func (a *api) point(ctx context.Context, c *control.Client, stage, deploymentID string) (err error) {
	if a.webSocket() {
		_, err = c.PointWebSocketStage(ctx, a.id, stage, deploymentID)
		return err
	}
	_, err = c.UpdateStage(ctx, a.id, stage, control.PatchOperation{Op: "replace", Path: "/deploymentId", Value: deploymentID})
	return err
}

func (a *api) delete(ctx context.Context, c *control.Client) error {
	if a.webSocket() {
		return c.DeleteWebSocketAPI(ctx, a.id)
	}
	return c.DeleteAPI(ctx, a.id)
}

func (a *api) deleteStage(ctx context.Context, c *control.Client, name string) error {
	if a.webSocket() {
		return c.DeleteWebSocketStage(ctx, a.id, name)
	}
	return c.DeleteStage(ctx, a.id, name)
}

func (a *api) deleteDeployment(ctx context.Context, c *control.Client, id string) error {
	if a.webSocket() {
		return c.DeleteWebSocketDeployment(ctx, a.id, id)
	}
	return c.DeleteDeployment(ctx, a.id, id)
}

// invokeURL is the address of a stage, empty if no listener has one.
func (a *api) invokeURL(status *control.Status, stage string) string {
	if a.webSocket() {
		return status.WebSocketURL(a.id, stage)
	}
	rest := a.wire.(restRow).RestAPI
	return status.InvokeURL(&rest, stage)
}
