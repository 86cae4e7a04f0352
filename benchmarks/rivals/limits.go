package rivals

import (
	"context"
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
	methods := []string{allMethods}
	for _, r := range api.Routes {
		methods = append(methods, strings.ReplaceAll(r.Path, "/", "~1")+"/"+r.Method)
	}
	if err := c.throttle(ctx, id, never, methods...); err != nil {
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

// deny has all requests of a deployed API refused: a throttle of 0 blocks.
func (c *control) deny(ctx context.Context, id string) error {
	return c.throttle(ctx, id, 0, allMethods)
}

const allMethods = "*/*"

// throttle is UpdateStage with a rate and burst for each of some methods.
func (c *control) throttle(ctx context.Context, id string, limit int, methods ...string) error {
	var patches []patch
	for _, m := range methods {
		for _, leaf := range []string{"rateLimit", "burstLimit"} {
			patches = append(patches, replace("/"+m+"/throttling/"+leaf, strconv.Itoa(limit)))
		}
	}
	return c.patchStage(ctx, id, patches...)
}
