package http1

// Fault says why a message was refused; 0 is no fault. Status gives the answer
// it asks for. The connection must be closed after any of them.
type Fault uint8

// Faults of messages.
const (
	FaultRequestLine Fault = iota + 1
	FaultVersion
	FaultTarget
	FaultTargetLength // target longer than Limits.Target
	FaultHost
	FaultHeader
	FaultHeaderSize  // field lines longer than Limits.Header in all
	FaultHeaderCount // more field lines than Limits.Count
	FaultFraming     // Content-Length and Transfer-Encoding wrong, repeated or together
	FaultExpect      // an expectation other than 100-continue
	FaultChunk       // chunked framing broken
	FaultBodySize    // body longer than the limit
	FaultStatusLine
	numFaults
)

// statusHeaderTooLarge is the answer to field lines over the limit. AWS does not
// document it (open point 4); RFC 6585 section 5 does.
const statusHeaderTooLarge = 431

var faults = [numFaults]struct {
	status int
	reason string
}{
	FaultRequestLine:  {400, "malformed request line"},
	FaultVersion:      {400, "unsupported HTTP version"},
	FaultTarget:       {400, "malformed request target"},
	FaultTargetLength: {414, "request target too long"},
	FaultHost:         {400, "missing, repeated or malformed host"},
	FaultHeader:       {400, "malformed header"},
	FaultHeaderSize:   {statusHeaderTooLarge, "headers too large"},
	FaultHeaderCount:  {statusHeaderTooLarge, "too many headers"},
	FaultFraming:      {400, "ambiguous message framing"},
	FaultExpect:       {417, "unknown expectation"},
	FaultChunk:        {400, "malformed chunked body"},
	FaultBodySize:     {413, "body too large"},
	FaultStatusLine:   {502, "malformed status line"},
}

// Status returns the HTTP status that answers the fault.
func (f Fault) Status() int { return faults[f].status }

// Error makes a Fault an error.
func (f Fault) Error() string { return faults[f].reason }
