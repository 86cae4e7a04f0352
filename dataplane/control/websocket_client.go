package control

import (
	"context"
	"net/url"
	"strconv"
)

// ImportWebSocket makes a new WebSocket API of a document.
func (c *Client) ImportWebSocket(ctx context.Context, document []byte, failOnWarnings bool) (*WebSocketAPI, error) {
	return answer[WebSocketAPI](ctx, c, "POST", "/tidegate/websocketapis", failing(failOnWarnings), document)
}

// PutWebSocket puts a document in place of what a WebSocket API has.
func (c *Client) PutWebSocket(ctx context.Context, apiID string, document []byte, failOnWarnings bool) (*WebSocketAPI, error) {
	return answer[WebSocketAPI](ctx, c, "PUT", pathOf("tidegate", "websocketapis", apiID), failing(failOnWarnings), document)
}

func failing(onWarnings bool) url.Values {
	return url.Values{"failonwarnings": {strconv.FormatBool(onWarnings)}}
}

// WebSocketAPIs lists every WebSocket API, oldest first (GetApis).
func (c *Client) WebSocketAPIs(ctx context.Context) ([]WebSocketAPI, error) {
	return allItems[WebSocketAPI](ctx, c, "/v2/apis")
}

// DeleteWebSocketAPI deletes a WebSocket API with its deployments and stages
// (DeleteApi).
func (c *Client) DeleteWebSocketAPI(ctx context.Context, apiID string) error {
	return c.call(ctx, "DELETE", pathOf("v2", "apis", apiID), nil, nil, nil)
}

// WebSocketDeployInput says how to deploy a WebSocket API. Without a Stage the
// deployment serves nowhere yet.
type WebSocketDeployInput struct {
	Stage       string            `json:"stageName,omitempty"`
	Description string            `json:"description,omitempty"`
	Variables   map[string]string `json:"x-tidegate-stage-variables,omitempty"` // nil keeps those of the stage
}

// DeployWebSocket freezes a WebSocket API and points a stage, which is made if
// there is none, at the result (CreateDeployment).
func (c *Client) DeployWebSocket(ctx context.Context, apiID string, in WebSocketDeployInput) (*WebSocketDeployment, error) {
	return answer[WebSocketDeployment](ctx, c, "POST", pathOf("v2", "apis", apiID, "deployments"), nil, in)
}

// WebSocketDeployments lists the deployments of a WebSocket API, oldest first
// (GetDeployments).
func (c *Client) WebSocketDeployments(ctx context.Context, apiID string) ([]WebSocketDeployment, error) {
	return allItems[WebSocketDeployment](ctx, c, pathOf("v2", "apis", apiID, "deployments"))
}

// DeleteWebSocketDeployment deletes a deployment that no stage points at
// (DeleteDeployment).
func (c *Client) DeleteWebSocketDeployment(ctx context.Context, apiID, deploymentID string) error {
	return c.call(ctx, "DELETE", pathOf("v2", "apis", apiID, "deployments", deploymentID), nil, nil, nil)
}

// WebSocketStage returns one stage of a WebSocket API (GetStage).
func (c *Client) WebSocketStage(ctx context.Context, apiID, stage string) (*WebSocketStage, error) {
	return answer[WebSocketStage](ctx, c, "GET", pathOf("v2", "apis", apiID, "stages", stage), nil, nil)
}

// WebSocketStages lists the stages of a WebSocket API by name (GetStages).
func (c *Client) WebSocketStages(ctx context.Context, apiID string) ([]WebSocketStage, error) {
	return allItems[WebSocketStage](ctx, c, pathOf("v2", "apis", apiID, "stages"))
}

// PointWebSocketStage points a stage of a WebSocket API at a deployment
// (UpdateStage).
func (c *Client) PointWebSocketStage(ctx context.Context, apiID, stage, deploymentID string) (*WebSocketStage, error) {
	in := struct {
		DeploymentID string `json:"deploymentId"`
	}{deploymentID}
	return answer[WebSocketStage](ctx, c, "PATCH", pathOf("v2", "apis", apiID, "stages", stage), nil, in)
}

// DeleteWebSocketStage deletes a stage of a WebSocket API (DeleteStage).
func (c *Client) DeleteWebSocketStage(ctx context.Context, apiID, stage string) error {
	return c.call(ctx, "DELETE", pathOf("v2", "apis", apiID, "stages", stage), nil, nil, nil)
}

// Connections returns a page of the open connections that the filter lets pass:
// those behind the token, which is empty for the first ones.
func (c *Client) Connections(ctx context.Context, f ConnectionFilter, token string, limit int) (*ConnectionList, error) {
	q := url.Values{"maxResults": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"apiId": f.APIID, "stage": f.Stage, "nextToken": token} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return answer[ConnectionList](ctx, c, "GET", "/tidegate/connections", q, nil)
}

// CloseConnection closes a connection with the code 1000.
func (c *Client) CloseConnection(ctx context.Context, id string) error {
	return c.call(ctx, "DELETE", pathOf("tidegate", "connections", id), nil, nil, nil)
}

// SendToConnection sends a text message.
func (c *Client) SendToConnection(ctx context.Context, id, text string) error {
	return c.call(ctx, "POST", pathOf("tidegate", "connections", id), nil, []byte(text), nil)
}

// allItems reads every page of a list.
func allItems[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	items := []T{}
	query := url.Values{"maxResults": {strconv.Itoa(maxLimit)}}
	for {
		var page Items[T]
		if err := c.call(ctx, "GET", path, query, nil, &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.NextToken == "" {
			return items, nil
		}
		query.Set("nextToken", page.NextToken)
	}
}
