package control

import (
	"bytes"
	"strconv"
)

// Double is a number that is printed as AWS prints a double: 2.0, not 2.
type Double float64

// MarshalJSON prints at least one decimal.
func (d Double) MarshalJSON() ([]byte, error) {
	text := strconv.AppendFloat(nil, float64(d), 'f', -1, 64)
	if !bytes.ContainsRune(text, '.') {
		text = append(text, ".0"...)
	}
	return text, nil
}

// ThrottleSettings are a token bucket. A part that is nil is inherited from the
// account's limit.
type ThrottleSettings struct {
	BurstLimit *int    `json:"burstLimit,omitempty"` // requests
	RateLimit  *Double `json:"rateLimit,omitempty"`  // requests per second
}

// QuotaSettings are a number of requests per calendar period, in UTC.
type QuotaSettings struct {
	Limit  int64  `json:"limit"`
	Offset int64  `json:"offset"` // taken off the limit in the first period
	Period string `json:"period"` // DAY, WEEK or MONTH
}

// APIKey identifies a client. Value is empty unless it was asked for.
type APIKey struct {
	ID              string             `json:"id"`
	Value           string             `json:"value,omitempty"`
	Name            string             `json:"name,omitempty"`
	CustomerID      string             `json:"customerId,omitempty"`
	Description     string             `json:"description,omitempty"`
	Enabled         bool               `json:"enabled"`
	CreatedDate     int64              `json:"createdDate"`
	LastUpdatedDate int64              `json:"lastUpdatedDate"`
	StageKeys       []string           `json:"stageKeys"` // always empty: usage plans have replaced them
	Tags            *map[string]string `json:"tags,omitempty"`
}

// APIKeyIDs is the answer to an import of API keys.
type APIKeyIDs struct {
	IDs      []string `json:"ids"` // in the order of the lines
	Warnings []string `json:"warnings"`
}

// UsagePlan says how much each of its keys may use the stages it lists.
type UsagePlan struct {
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	APIStages   []APIStage         `json:"apiStages"`
	Throttle    *ThrottleSettings  `json:"throttle,omitempty"`
	Quota       *QuotaSettings     `json:"quota,omitempty"`
	ProductCode string             `json:"productCode,omitempty"`
	Tags        *map[string]string `json:"tags,omitempty"`
}

// APIStage is a stage in a usage plan. Throttle replaces the plan's for single
// methods, by path and verb: "/pets/GET", "//GET" for the root.
type APIStage struct {
	APIID    string                      `json:"apiId"`
	Stage    string                      `json:"stage"`
	Throttle map[string]ThrottleSettings `json:"throttle,omitempty"`
}

// UsagePlanKey is an API key in a usage plan.
type UsagePlanKey struct {
	ID    string `json:"id"`
	Type  string `json:"type"`            // API_KEY
	Value string `json:"value,omitempty"` // for who may change keys
	Name  string `json:"name,omitempty"`
}

// Usage is what the keys of a plan have used. Values maps a key's id to one pair
// for each day from StartDate to EndDate: requests used that day, and remaining
// of the quota after it (-1 without a quota).
type Usage struct {
	UsagePlanID string                `json:"usagePlanId"`
	StartDate   string                `json:"startDate"` // YYYY-MM-DD, UTC
	EndDate     string                `json:"endDate"`   // included
	Position    string                `json:"position,omitempty"`
	Values      map[string][][2]int64 `json:"values"`
}
