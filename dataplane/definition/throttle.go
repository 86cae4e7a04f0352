package definition

// Throttle is the limit of a token bucket. A part that is nil is inherited from
// the account's limit; a rate or burst of 0 blocks.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
type Throttle struct {
	RateLimit  *float64 `json:"rateLimit,omitempty"`  // requests per second
	BurstLimit *int     `json:"burstLimit,omitempty"` // requests, the capacity of the bucket
}

// MethodSetting is what a stage sets for one method, or for every method that
// has no setting of its own. It is complete: nothing of it is inherited from the
// setting for every method.
type MethodSetting struct {
	Throttle Throttle      `json:"throttle"`
	Caching  *CacheSetting `json:"caching,omitempty"` // nil: caching is off
}

// AllMethods is the key of the setting for every method of a stage.
const AllMethods = "*/*"
