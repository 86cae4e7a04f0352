package control

import "time"

// IssuerStatus is how it is with the keys of an issuer of tokens, which is why
// its tokens are accepted or refused.
type IssuerStatus struct {
	Issuer    string      `json:"issuer"`
	JWKSURI   string      `json:"jwksUri,omitempty"` // not known until it is discovered
	Keys      []IssuerKey `json:"keys"`
	Unfit     []string    `json:"unfit,omitempty"`     // published keys that cannot be used, and why
	FetchedAt *time.Time  `json:"fetchedAt,omitempty"` // when Keys came
	TriedAt   *time.Time  `json:"triedAt,omitempty"`   // when they were asked for last
	Failures  int         `json:"failures"`            // fetches that failed since FetchedAt
	LastError string      `json:"lastError,omitempty"` // at FailedAt; it may be over
	FailedAt  *time.Time  `json:"failedAt,omitempty"`
	Fetching  bool        `json:"fetching,omitempty"` // now
}

// IssuerKey is a key that tokens may be signed with.
type IssuerKey struct {
	ID         string   `json:"kid"`
	Type       string   `json:"type"` // such as "RSA 2048" or "P-256"
	Algorithms []string `json:"algorithms"`
}

// AuthorizerStatus is how it is with a custom authorizer of a stage, since it
// serves there.
type AuthorizerStatus struct {
	APIID   string `json:"restApiId"`
	APIName string `json:"restApiName"`
	Stage   string `json:"stageName"`
	ID      string `json:"id"`
	Name    string `json:"name"`

	Hits              int64 `json:"hits"`   // requests with a verdict that was remembered
	Misses            int64 `json:"misses"` // and without
	Calls             int64 `json:"calls"`  // that ended
	MeanLatencyMillis int64 `json:"meanLatencyMillis"`
	Unauthorized      int64 `json:"unauthorized"` // calls that did not know the caller
	Invalid           int64 `json:"invalid"`      // requests whose token was not in the form that is asked for
	Failed            int64 `json:"failed"`       // calls that gave no verdict
	Busy              int64 `json:"busy"`         // requests that were refused because too many waited

	Waiting    int        `json:"waiting"`    // requests, now
	Remembered int        `json:"remembered"` // verdicts, now
	LastError  string     `json:"lastError,omitempty"`
	FailedAt   *time.Time `json:"failedAt,omitempty"`
}
