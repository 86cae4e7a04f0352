package upstream

// Failure says why a call got no answer, or no whole one.
type Failure uint8

// Failures.
const (
	Unresolved     Failure = iota + 1 // no target's name has an address
	Refused                           // no connection, or no TLS
	ConnectTimeout                    // no connection in time
	Timeout                           // connected, and no whole answer in time
	NoAnswer                          // the connection ended before an answer began
	Invalid                           // the answer is not HTTP, or ambiguous
	TooLarge                          // the answer's body is over the limit
	Truncated                         // the connection ended within the answer's body
	Busy                              // too many calls of the API are under way, or wait
	NoSocket                          // the host has no descriptor or port left for a connection
	ShuttingDown                      // the gateway stops
	Open                              // the circuit breaker is open; see Call.RetryAfter
	badStatus                         // a target failed so; the call has its answer
	numFailures
)

var failureText = [numFailures]string{
	Unresolved:     "name does not resolve",
	Refused:        "connection refused or failed",
	ConnectTimeout: "connection timed out",
	Timeout:        "timed out",
	NoAnswer:       "connection closed without an answer",
	Invalid:        "invalid answer",
	TooLarge:       "answer too large",
	Truncated:      "answer cut short",
	Busy:           "too many requests wait for the backend",
	NoSocket:       "no socket is left for a connection to the backend",
	ShuttingDown:   "gateway is shutting down",
	Open:           "circuit breaker is open",
	badStatus:      "answered with a status that is a failure",
}

func (f Failure) String() string { return failureText[f] }
