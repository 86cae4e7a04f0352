package rfc9111

// Policy is what the standards leave to the cache, in seconds.
type Policy struct {
	// HeuristicMax bounds the freshness lifetime of responses that give none (RFC
	// 9111 section 4.2.2).
	HeuristicMax int64
	// MaxLifetime bounds every freshness lifetime; 0 leaves it to the backend.
	MaxLifetime int64
	// Keep is how long a response is kept after it became stale, to be validated,
	// or used for requests that accept it.
	Keep int64
	// StaleIfUnreachable is how long after it became stale a response is used when
	// the backend gives no answer (RFC 9111 section 4.2.4: disconnected).
	StaleIfUnreachable int64
}

const (
	minute = 60
	day    = 24 * 60 * minute
)

// DefaultPolicy is a cautious one.
var DefaultPolicy = Policy{HeuristicMax: day, Keep: day, StaleIfUnreachable: day}

// Times of a response, in nanoseconds since the Unix epoch.
type Times struct {
	Request  int64 // when the request was sent
	Response int64 // when the head of the response was there
}

const second = 1_000_000_000
