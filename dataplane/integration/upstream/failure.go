package upstream

// Failure says why a call got no answer, or no whole one.
type Failure uint8

// Failures.
const (
	Unresolved     Failure = iota + 1 // the target's name has no address
	Refused                           // no connection, or no TLS
	ConnectTimeout                    // no connection in time
	Timeout                           // connected, and no whole answer in time
	NoAnswer                          // the connection ended before an answer began
	Invalid                           // the answer is not HTTP, or ambiguous
	TooLarge                          // the answer's body is over the limit
	Truncated                         // the connection ended within the answer's body
	Busy                              // too many calls wait for the target already
	ShuttingDown                      // the gateway stops
)

var failureText = [...]string{
	Unresolved:     "name does not resolve",
	Refused:        "connection refused or failed",
	ConnectTimeout: "connection timed out",
	Timeout:        "timed out",
	NoAnswer:       "connection closed without an answer",
	Invalid:        "invalid answer",
	TooLarge:       "answer too large",
	Truncated:      "answer cut short",
	Busy:           "too many requests wait for the backend",
	ShuttingDown:   "gateway is shutting down",
}

func (f Failure) String() string { return failureText[f] }
