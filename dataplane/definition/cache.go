package definition

// CacheSetting is how a stage caches the answers of a method. It takes effect
// when the stage has a cache; see Stage.CacheClusterEnabled.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
type CacheSetting struct {
	Enabled    bool `json:"enabled"`
	TTLSeconds int  `json:"ttlInSeconds"` // 0 to MaxCacheTTL; 0 caches nothing
	Encrypted  bool `json:"dataEncrypted,omitempty"`

	// OpenInvalidation lets any client refresh an entry with Cache-Control:
	// max-age=0; else it takes the permission execute-api:InvalidateCache, and
	// UnauthorizedStrategy says what becomes of a request without it.
	OpenInvalidation     bool   `json:"openInvalidation,omitempty"`
	UnauthorizedStrategy string `json:"unauthorizedStrategy,omitempty"` // CacheSucceedWithHeader when empty
}

// Bounds and default of CacheSetting.TTLSeconds, in seconds.
const (
	DefaultCacheTTL = 300
	MaxCacheTTL     = 3600
)

// Values of CacheSetting.UnauthorizedStrategy.
const (
	CacheFailWith403          = "FAIL_WITH_403"
	CacheSucceedWithHeader    = "SUCCEED_WITH_RESPONSE_HEADER"
	CacheSucceedWithoutHeader = "SUCCEED_WITHOUT_RESPONSE_HEADER"
)

// Ways of a stage's cache.
const (
	CacheModeAWS      = "aws"      // by the TTL and the declared parameters alone
	CacheModeStandard = "standard" // a shared cache by RFC 9111
)

// CacheSizes are AWS's values of Stage.CacheClusterSize, in gigabytes.
var CacheSizes = []string{"0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"}
