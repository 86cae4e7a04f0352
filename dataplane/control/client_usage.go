package control

import (
	"context"
	"net/url"
	"strconv"
)

// APIKeyInput is a new API key. Without a Value the gateway makes one.
type APIKeyInput struct {
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Value       string            `json:"value,omitempty"` // 20 to 128 characters
	CustomerID  string            `json:"customerId,omitempty"`
	Enabled     bool              `json:"enabled"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// CreateAPIKey makes an API key; the answer has its value (CreateApiKey).
func (c *Client) CreateAPIKey(ctx context.Context, in APIKeyInput) (*APIKey, error) {
	return answer[APIKey](ctx, c, "POST", "/apikeys", nil, in)
}

// APIKeys lists every API key by its id (GetApiKeys).
func (c *Client) APIKeys(ctx context.Context, includeValues bool) ([]APIKey, error) {
	return all[APIKey](ctx, c, "/apikeys", url.Values{"includeValues": {strconv.FormatBool(includeValues)}})
}

// APIKey returns one API key (GetApiKey).
func (c *Client) APIKey(ctx context.Context, id string, includeValue bool) (*APIKey, error) {
	return answer[APIKey](ctx, c, "GET", pathOf("apikeys", id), url.Values{"includeValue": {strconv.FormatBool(includeValue)}}, nil)
}

// UpdateAPIKey patches an API key (UpdateApiKey). Its value never changes.
func (c *Client) UpdateAPIKey(ctx context.Context, id string, ops ...PatchOperation) (*APIKey, error) {
	return answer[APIKey](ctx, c, "PATCH", pathOf("apikeys", id), nil, patch{ops})
}

// DeleteAPIKey deletes an API key, from its usage plans too (DeleteApiKey).
func (c *Client) DeleteAPIKey(ctx context.Context, id string) error {
	return c.call(ctx, "DELETE", pathOf("apikeys", id), nil, nil, nil)
}

// ImportAPIKeys makes the keys of a CSV file, all or none (ImportApiKeys).
func (c *Client) ImportAPIKeys(ctx context.Context, csv []byte, failOnWarnings bool) (*APIKeyIDs, error) {
	q := url.Values{"mode": {"import"}, "format": {"csv"}, "failonwarnings": {strconv.FormatBool(failOnWarnings)}}
	return answer[APIKeyIDs](ctx, c, "POST", "/apikeys", q, csv)
}

// UsagePlanInput is a new usage plan.
type UsagePlanInput struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	APIStages   []APIStage        `json:"apiStages,omitempty"`
	Throttle    *ThrottleSettings `json:"throttle,omitempty"` // nil: none
	Quota       *QuotaSettings    `json:"quota,omitempty"`    // nil: none
	Tags        map[string]string `json:"tags,omitempty"`
}

// CreateUsagePlan makes a usage plan (CreateUsagePlan).
func (c *Client) CreateUsagePlan(ctx context.Context, in UsagePlanInput) (*UsagePlan, error) {
	return answer[UsagePlan](ctx, c, "POST", "/usageplans", nil, in)
}

// UsagePlans lists usage plans, oldest first: all, or those that a key is in
// (GetUsagePlans).
func (c *Client) UsagePlans(ctx context.Context, keyID string) ([]UsagePlan, error) {
	q := url.Values{}
	if keyID != "" {
		q.Set("keyId", keyID)
	}
	return all[UsagePlan](ctx, c, "/usageplans", q)
}

// UsagePlan returns one usage plan (GetUsagePlan).
func (c *Client) UsagePlan(ctx context.Context, id string) (*UsagePlan, error) {
	return answer[UsagePlan](ctx, c, "GET", pathOf("usageplans", id), nil, nil)
}

// UpdateUsagePlan patches a usage plan (UpdateUsagePlan).
func (c *Client) UpdateUsagePlan(ctx context.Context, id string, ops ...PatchOperation) (*UsagePlan, error) {
	return answer[UsagePlan](ctx, c, "PATCH", pathOf("usageplans", id), nil, patch{ops})
}

// DeleteUsagePlan deletes a usage plan that has no stages (DeleteUsagePlan).
func (c *Client) DeleteUsagePlan(ctx context.Context, id string) error {
	return c.call(ctx, "DELETE", pathOf("usageplans", id), nil, nil, nil)
}

// CreateUsagePlanKey puts an API key under a usage plan (CreateUsagePlanKey).
func (c *Client) CreateUsagePlanKey(ctx context.Context, planID, keyID string) (*UsagePlanKey, error) {
	in := struct {
		KeyID   string `json:"keyId"`
		KeyType string `json:"keyType"`
	}{keyID, keyType}
	return answer[UsagePlanKey](ctx, c, "POST", pathOf("usageplans", planID, "keys"), nil, in)
}

// UsagePlanKeys lists the API keys of a usage plan by their ids, with their
// values (GetUsagePlanKeys).
func (c *Client) UsagePlanKeys(ctx context.Context, planID string) ([]UsagePlanKey, error) {
	return all[UsagePlanKey](ctx, c, pathOf("usageplans", planID, "keys"), url.Values{})
}

// DeleteUsagePlanKey takes an API key out of a usage plan (DeleteUsagePlanKey).
func (c *Client) DeleteUsagePlanKey(ctx context.Context, planID, keyID string) error {
	return c.call(ctx, "DELETE", pathOf("usageplans", planID, "keys", keyID), nil, nil, nil)
}

// Usage tells what the keys of a plan, or one key, have used on the days from
// startDate to endDate: YYYY-MM-DD, both included, at most 90 (GetUsage).
func (c *Client) Usage(ctx context.Context, planID, keyID, startDate, endDate string) (*Usage, error) {
	q := url.Values{"startDate": {startDate}, "endDate": {endDate}, "limit": {strconv.Itoa(maxLimit)}}
	if keyID != "" {
		q.Set("keyId", keyID)
	}
	var whole *Usage
	for {
		page, err := answer[Usage](ctx, c, "GET", pathOf("usageplans", planID, "usage"), q, nil)
		if err != nil {
			return nil, err
		}
		if whole == nil {
			whole = page
		}
		for id, days := range page.Values {
			whole.Values[id] = days
		}
		if page.Position == "" {
			whole.Position = ""
			return whole, nil
		}
		q.Set("position", page.Position)
	}
}

// UpdateUsage grants requests for the current period: replace /remaining. It
// answers the usage of today (UpdateUsage).
func (c *Client) UpdateUsage(ctx context.Context, planID, keyID string, ops ...PatchOperation) (*Usage, error) {
	return answer[Usage](ctx, c, "PATCH", pathOf("usageplans", planID, "keys", keyID, "usage"), nil, patch{ops})
}
