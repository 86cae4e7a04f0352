package rfc9111

import "strconv"

// Forward is why a request went to the backend: the fwd parameter of
// Cache-Status (RFC 9211 section 2.2).
type Forward uint8

// Reasons to forward.
const (
	NotForwarded Forward = iota
	ForwardBypass
	ForwardMethod
	ForwardURIMiss
	ForwardVaryMiss
	ForwardRequest
	ForwardStale
	ForwardPartial
	numForwards
)

var forwardNames = [numForwards]string{"", "bypass", "method", "uri-miss", "vary-miss", "request", "stale", "partial"}

func (f Forward) String() string { return forwardNames[f] }

// Collapse is whether a request waited for another one's response (RFC 9211
// section 2.6).
type Collapse uint8

// Outcomes of waiting.
const (
	NotCollapsed Collapse = iota
	Collapsed
	CollapseFailed // the response was of no use, and a request of its own made
)

// CacheStatus is this cache's member of Cache-Status.
type CacheStatus struct {
	Forward       Forward // NotForwarded is a hit
	ForwardStatus int     // what the backend answered, if not what the client got
	HasTTL        bool
	TTL           int64
	Stored        bool
	Collapse      Collapse
	Detail        string // a token
}

// AppendLine appends a Cache-Status line whose member names the cache, by a
// token. It goes behind the lines of caches closer to the backend (RFC 9211
// section 2).
func (c *CacheStatus) AppendLine(dst []byte, cache string) []byte {
	dst = append(dst, "Cache-Status: "...)
	dst = append(dst, cache...)
	if c.Forward == NotForwarded {
		dst = append(dst, "; hit"...)
	} else {
		dst = append(dst, "; fwd="...)
		dst = append(dst, forwardNames[c.Forward]...)
		if c.ForwardStatus != 0 {
			dst = append(dst, "; fwd-status="...)
			dst = strconv.AppendInt(dst, int64(c.ForwardStatus), 10)
		}
	}
	if c.HasTTL {
		dst = append(dst, "; ttl="...)
		dst = strconv.AppendInt(dst, c.TTL, 10)
	}
	if c.Forward != NotForwarded {
		if c.Stored {
			dst = append(dst, "; stored"...)
		}
		switch c.Collapse {
		case Collapsed:
			dst = append(dst, "; collapsed"...)
		case CollapseFailed:
			dst = append(dst, "; collapsed=?0"...)
		}
	}
	if c.Detail != "" {
		dst = append(dst, "; detail="...)
		dst = append(dst, c.Detail...)
	}
	return append(dst, "\r\n"...)
}
