package definition

import "time"

// Where an API takes API keys from.
const (
	KeySourceHeader     = "HEADER"     // the X-API-Key field of the request
	KeySourceAuthorizer = "AUTHORIZER" // the usageIdentifierKey of the authorizer's answer
)

// APIKey identifies a client to usage plans. Keys are not part of a Catalog,
// since there may be millions: the state store reads them one by one.
type APIKey struct {
	ID              string            `json:"id"` // 10 characters [a-z0-9]
	Value           string            `json:"-"`  // 20 to 128 characters; never stored in clear
	Name            string            `json:"name,omitempty"`
	Description     string            `json:"description,omitempty"`
	Enabled         bool              `json:"enabled"`
	CustomerID      string            `json:"customerId,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	CreatedDate     time.Time         `json:"createdDate"`
	LastUpdatedDate time.Time         `json:"lastUpdatedDate"`
}

// PlanKey puts an API key under a usage plan.
type PlanKey struct{ PlanID, KeyID string }

// UsagePlan says how much clients may use the stages it lists. Its throttle and
// quota apply to each key by itself, over all stages of the plan together.
type UsagePlan struct {
	ID          string            `json:"id"` // 6 characters [a-z0-9]
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	ProductCode string            `json:"productCode,omitempty"`
	APIStages   []PlanStage       `json:"apiStages,omitempty"`
	Throttle    *Throttle         `json:"throttle,omitempty"` // nil: none
	Quota       *Quota            `json:"quota,omitempty"`    // nil: none
	Tags        map[string]string `json:"tags,omitempty"`
	CreatedDate time.Time         `json:"createdDate"`
}

// PlanStage is a stage in a usage plan. Throttle replaces the plan's for single
// methods; its keys are a resource path and a verb: "/pets/GET", "//GET".
type PlanStage struct {
	APIID    string              `json:"apiId"`
	Stage    string              `json:"stage"`
	Throttle map[string]Throttle `json:"throttle,omitempty"`
}

// Periods of a quota: calendar periods in UTC.
const (
	PeriodDay   = "DAY"
	PeriodWeek  = "WEEK"
	PeriodMonth = "MONTH"
)

// Quota is a number of requests per calendar period.
type Quota struct {
	Limit  int64     `json:"limit"`
	Offset int64     `json:"offset"` // taken off Limit in the period that has Since
	Period string    `json:"period"`
	Since  time.Time `json:"since"` // when the quota was set
}

// Usage is what one key has used of one plan: the counts of a UTC day and of the
// quota period that the day is in. All counts are totals, so writing or reading
// a Usage twice changes nothing.
type Usage struct {
	PlanID, KeyID string

	Day       int64 // days since the Unix epoch
	Used      int64 // requests admitted that day
	Remaining int64 // of the quota, as of the last of them; NoQuota without one

	Period     string // of the quota; empty without one
	Window     int64  // number of the period since the Unix epoch
	WindowUsed int64  // requests admitted in it
	Granted    int64  // requests granted beyond the quota, for that period alone
}

// NoQuota is the Remaining of a plan that has no quota.
const NoQuota = -1
