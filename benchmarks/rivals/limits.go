package rivals

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// never is a rate per second, and a burst, that no benchmark reaches: limits
// are charged and never deny.
const never = 10_000_000

// neverQuota is a number of requests that no benchmark makes in a month.
const neverQuota = 1_000_000_000

// limit puts every kind of limit in force for a deployed API: throttles of the
// stage and of each method, and a usage plan with throttle and quota that has
// the API's key.
func (c *control) limit(ctx context.Context, id string, api API) error {
	if err := c.throttleStage(ctx, id, api); err != nil {
		return err
	}
	var key, plan struct{ ID string }
	err := c.send(ctx, http.MethodPost, "/apikeys", map[string]any{"name": api.Name, "value": api.Key, "enabled": true}, &key)
	if err != nil {
		return err
	}
	err = c.send(ctx, http.MethodPost, "/usageplans", map[string]any{
		"name":      api.Name,
		"apiStages": []any{map[string]string{"apiId": id, "stage": Stage}},
		"throttle":  map[string]any{"rateLimit": float64(never), "burstLimit": never},
		"quota":     map[string]any{"limit": neverQuota, "period": "MONTH"},
	}, &plan)
	if err != nil {
		return err
	}
	return c.send(ctx, http.MethodPost, "/usageplans/"+plan.ID+"/keys", map[string]string{"keyId": key.ID, "keyType": "API_KEY"}, nil)
}

// throttleStage is UpdateStage with a throttle for all methods and one for each.
func (c *control) throttleStage(ctx context.Context, id string, api API) error {
	methods := []string{"*/*"}
	for _, r := range api.Routes {
		methods = append(methods, strings.ReplaceAll(r.Path, "/", "~1")+"/"+r.Method)
	}
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value string `json:"value"`
	}
	var ops []operation
	for _, m := range methods {
		for _, leaf := range []string{"rateLimit", "burstLimit"} {
			ops = append(ops, operation{"replace", "/" + m + "/throttling/" + leaf, strconv.Itoa(never)})
		}
	}
	return c.send(ctx, http.MethodPatch, "/restapis/"+id+"/stages/"+Stage, map[string]any{"patchOperations": ops}, nil)
}

// send is call with a body that is marshalled.
func (c *control) send(ctx context.Context, method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, b, into)
}
