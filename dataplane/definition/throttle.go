package definition

import (
	"fmt"
	"strings"
)

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

// MethodName returns the method that the key of a method setting names, a
// resource path and a verb: "pets~1{id}/GET" is "/pets/{id} GET".
func MethodName(key string) (string, error) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", fmt.Errorf("method setting %q: write the resource's path, with ~1 for its slashes, a slash and the method, or %s", key, AllMethods)
	}
	path := strings.NewReplacer("~1", "/", "~0", "~").Replace(key[:i])
	return "/" + strings.TrimPrefix(path, "/") + " " + key[i+1:], nil
}
