package authorizer

import "sync/atomic"

// Stats are the counts of one authorizer of one stage. They only grow. Any
// goroutine may read them.
type Stats struct {
	Hits          atomic.Int64 // verdicts found remembered
	Misses        atomic.Int64 // and not
	Calls         atomic.Int64 // of the owner's code, that ended
	Nanoseconds   atomic.Int64 // that those took, together
	Unauthorized  atomic.Int64 // callers that it does not know, or whose token is invalid
	Failed        atomic.Int64
	Misconfigured atomic.Int64
	Busy          atomic.Int64 // requests that were told so
}

// count adds the verdict of a call.
func (s *Stats) count(v *Verdict) {
	s.Calls.Add(1)
	s.Nanoseconds.Add(v.Latency)
	switch v.Outcome {
	case Unauthorized:
		s.Unauthorized.Add(1)
	case Failed:
		s.Failed.Add(1)
	case Misconfigured:
		s.Misconfigured.Add(1)
	}
}
