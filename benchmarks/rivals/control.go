package rivals

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// control speaks to Tidegate's control socket in the dialect of the Amazon API
// Gateway REST-JSON API.
type control struct{ http *http.Client }

func dialControl(socket string) *control {
	var d net.Dialer
	return &control{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", socket) },
	}}}
}

func (c *control) waitReady(ctx context.Context, proc *process) error {
	deadline := time.Now().Add(controlWithin)
	for {
		err := c.call(ctx, http.MethodGet, "/restapis", nil, nil)
		switch {
		case err == nil:
			return nil
		case proc.ended():
			return errors.New("the process ended")
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("no answer on the control socket: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// importAPI is ImportRestApi; it returns the id of the new API.
func (c *control) importAPI(ctx context.Context, document []byte) (string, error) {
	var api struct{ ID string }
	err := c.call(ctx, http.MethodPost, "/restapis?mode=import", document, &api)
	if err == nil && api.ID == "" {
		err = errors.New("ImportRestApi answered without an id")
	}
	return api.ID, err
}

// putAPI is PutRestApi in mode overwrite.
func (c *control) putAPI(ctx context.Context, id string, document []byte) error {
	return c.call(ctx, http.MethodPut, "/restapis/"+id+"?mode=overwrite", document, nil)
}

// deploy is CreateDeployment to the stage.
func (c *control) deploy(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/restapis/"+id+"/deployments", []byte(`{"stageName":"`+Stage+`"}`), nil)
}

// importWebSocketAPI makes a WebSocket API of a document, and deploys it; it
// returns the id.
func (c *control) importWebSocketAPI(ctx context.Context, document string) (string, error) {
	var api struct{ APIID string }
	if err := c.call(ctx, http.MethodPost, "/tidegate/websocketapis", []byte(document), &api); err != nil {
		return "", err
	}
	return api.APIID, c.call(ctx, http.MethodPost, "/v2/apis/"+api.APIID+"/deployments", []byte(`{"stageName":"`+Stage+`"}`), nil)
}

// patch is one of the operations of UpdateStage, which all replace a value here.
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value"`
}

func replace(path, value string) patch { return patch{"replace", path, value} }

// patchStage is UpdateStage.
func (c *control) patchStage(ctx context.Context, id string, patches ...patch) error {
	return c.send(ctx, http.MethodPatch, "/restapis/"+id+"/stages/"+Stage, map[string]any{"patchOperations": patches}, nil)
}

// cache gives a deployed API's stage a cache and has it used for an hour.
func (c *control) cache(ctx context.Context, id string) error {
	return c.patchStage(ctx, id,
		replace("/cacheClusterEnabled", "true"),
		replace("/cacheClusterSize", "0.5"),
		replace("/*/*/caching/enabled", "true"),
		replace("/*/*/caching/ttlInSeconds", "3600"))
}

// send is call with a body that is marshalled.
func (c *control) send(ctx context.Context, method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, b, into)
}

func (c *control) call(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://control"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %.500s", method, path, resp.StatusCode, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
