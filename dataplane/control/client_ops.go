package control

import (
	"context"
	"net/url"
)

// ImportOptions say how a document is read. The zero value ignores the base
// path and keeps warnings as warnings.
type ImportOptions struct {
	BasePath       string // ignore, prepend or split; ignore when empty
	EndpointType   string // EDGE, REGIONAL or PRIVATE; what the document says when empty
	FailOnWarnings bool
}

func (o ImportOptions) query() url.Values {
	q := url.Values{}
	if o.BasePath != "" {
		q.Set("basepath", o.BasePath)
	}
	if o.EndpointType != "" {
		q.Set("endpointConfigurationTypes", o.EndpointType)
	}
	if o.FailOnWarnings {
		q.Set("failonwarnings", "true")
	}
	return q
}

// Import makes a new API of an OpenAPI document (ImportRestApi).
func (c *Client) Import(ctx context.Context, document []byte, o ImportOptions) (*RestAPI, error) {
	q := o.query()
	q.Set("mode", "import")
	return answer[RestAPI](ctx, c, "POST", "/restapis", q, document)
}

// Put reads an OpenAPI document into an API that exists (PutRestApi). mode is
// "merge" or "overwrite".
func (c *Client) Put(ctx context.Context, apiID string, document []byte, mode string, o ImportOptions) (*RestAPI, error) {
	q := o.query()
	q.Set("mode", mode)
	return answer[RestAPI](ctx, c, "PUT", pathOf("restapis", apiID), q, document)
}

// API returns one API (GetRestApi).
func (c *Client) API(ctx context.Context, apiID string) (*RestAPI, error) {
	return answer[RestAPI](ctx, c, "GET", pathOf("restapis", apiID), nil, nil)
}

// APIs lists every API, oldest first (GetRestApis).
func (c *Client) APIs(ctx context.Context) ([]RestAPI, error) {
	return all[RestAPI](ctx, c, "/restapis", url.Values{})
}

// UpdateAPI patches an API (UpdateRestApi).
func (c *Client) UpdateAPI(ctx context.Context, apiID string, ops ...PatchOperation) (*RestAPI, error) {
	return answer[RestAPI](ctx, c, "PATCH", pathOf("restapis", apiID), nil, patch{ops})
}

// DeleteAPI deletes an API with its deployments and stages (DeleteRestApi).
func (c *Client) DeleteAPI(ctx context.Context, apiID string) error {
	return c.call(ctx, "DELETE", pathOf("restapis", apiID), nil, nil, nil)
}

// Resources lists the resources of an API with their methods (GetResources).
func (c *Client) Resources(ctx context.Context, apiID string) ([]Resource, error) {
	return all[Resource](ctx, c, pathOf("restapis", apiID, "resources"), url.Values{"embed": {"methods"}})
}

// DeployInput says how to deploy. Without a Stage the deployment serves
// nowhere yet.
type DeployInput struct {
	Stage            string            `json:"stageName,omitempty"`
	StageDescription string            `json:"stageDescription,omitempty"`
	Description      string            `json:"description,omitempty"`
	Variables        map[string]string `json:"variables,omitempty"` // nil keeps those of the stage
}

// Deploy freezes an API and points a stage at the result (CreateDeployment).
func (c *Client) Deploy(ctx context.Context, apiID string, in DeployInput) (*Deployment, error) {
	return answer[Deployment](ctx, c, "POST", pathOf("restapis", apiID, "deployments"), nil, in)
}

// Deployment returns one deployment (GetDeployment).
func (c *Client) Deployment(ctx context.Context, apiID, deploymentID string) (*Deployment, error) {
	return answer[Deployment](ctx, c, "GET", pathOf("restapis", apiID, "deployments", deploymentID), nil, nil)
}

// Deployments lists the deployments of an API, oldest first (GetDeployments).
func (c *Client) Deployments(ctx context.Context, apiID string) ([]Deployment, error) {
	return all[Deployment](ctx, c, pathOf("restapis", apiID, "deployments"), url.Values{})
}

// DeleteDeployment deletes a deployment that no stage points at
// (DeleteDeployment).
func (c *Client) DeleteDeployment(ctx context.Context, apiID, deploymentID string) error {
	return c.call(ctx, "DELETE", pathOf("restapis", apiID, "deployments", deploymentID), nil, nil, nil)
}

// StageInput is a new stage.
type StageInput struct {
	StageName    string            `json:"stageName"`
	DeploymentID string            `json:"deploymentId"`
	Description  string            `json:"description,omitempty"`
	Variables    map[string]string `json:"variables,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
}

// CreateStage makes a stage (CreateStage).
func (c *Client) CreateStage(ctx context.Context, apiID string, in StageInput) (*Stage, error) {
	return answer[Stage](ctx, c, "POST", pathOf("restapis", apiID, "stages"), nil, in)
}

// Stage returns one stage (GetStage).
func (c *Client) Stage(ctx context.Context, apiID, stage string) (*Stage, error) {
	return answer[Stage](ctx, c, "GET", pathOf("restapis", apiID, "stages", stage), nil, nil)
}

// Stages lists the stages of an API by name (GetStages).
func (c *Client) Stages(ctx context.Context, apiID string) ([]Stage, error) {
	var list List[Stage]
	err := c.call(ctx, "GET", pathOf("restapis", apiID, "stages"), nil, nil, &list)
	return list.Items, err
}

// UpdateStage patches a stage (UpdateStage). To roll back, replace
// /deploymentId.
func (c *Client) UpdateStage(ctx context.Context, apiID, stage string, ops ...PatchOperation) (*Stage, error) {
	return answer[Stage](ctx, c, "PATCH", pathOf("restapis", apiID, "stages", stage), nil, patch{ops})
}

// DeleteStage deletes a stage; its deployment stays (DeleteStage).
func (c *Client) DeleteStage(ctx context.Context, apiID, stage string) error {
	return c.call(ctx, "DELETE", pathOf("restapis", apiID, "stages", stage), nil, nil, nil)
}

// Account returns the account's settings (GetAccount).
func (c *Client) Account(ctx context.Context) (*Account, error) {
	return answer[Account](ctx, c, "GET", "/account", nil, nil)
}

// UpdateAccount patches the account's settings (UpdateAccount).
func (c *Client) UpdateAccount(ctx context.Context, ops ...PatchOperation) (*Account, error) {
	return answer[Account](ctx, c, "PATCH", "/account", nil, patch{ops})
}

// Status says how the gateway is.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	return answer[Status](ctx, c, "GET", "/tidegate/status", nil, nil)
}

// Version returns the version of the gateway that runs.
func (c *Client) Version(ctx context.Context) (string, error) {
	var v struct {
		Version string `json:"version"`
	}
	err := c.call(ctx, "GET", "/tidegate/version", nil, nil, &v)
	return v.Version, err
}

// Validate reads a document as Import would, and changes nothing.
func (c *Client) Validate(ctx context.Context, document []byte, o ImportOptions) (*Validation, error) {
	return answer[Validation](ctx, c, "POST", "/tidegate/validate", o.query(), document)
}

// Upgrade has another process take over, from the program file as it is now. It
// returns when that serves.
func (c *Client) Upgrade(ctx context.Context) (*Successor, error) {
	return answer[Successor](ctx, c, "POST", "/tidegate/upgrade", nil, nil)
}

// Drain makes the gateway stop accepting requests. It returns when that has
// begun; Status says the rest.
func (c *Client) Drain(ctx context.Context) error {
	return c.call(ctx, "POST", "/tidegate/drain", nil, nil, nil)
}

type patch struct {
	Operations []PatchOperation `json:"patchOperations"`
}

// answer calls and returns a T.
func answer[T any](ctx context.Context, c *Client, method, path string, query url.Values, in any) (*T, error) {
	out := new(T)
	if err := c.call(ctx, method, path, query, in, out); err != nil {
		return nil, err
	}
	return out, nil
}
