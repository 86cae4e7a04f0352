package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// origin are the times that a response carries, in seconds since the epoch.
type origin struct {
	date         int64
	hasDate      bool // the only one and readable
	lastModified int64
	hasModified  bool
}

func readOrigin(h *http1.Headers, received int64) origin {
	o := origin{date: received}
	if v, ok := single(h, http1.Date); ok {
		if t, ok := parseDate(v, received); ok {
			o.date, o.hasDate = t, true
		}
	}
	if v, ok := single(h, http1.LastModified); ok {
		o.lastModified, o.hasModified = parseDate(v, received)
	}
	return o
}

// expires returns the lifetime that Expires gives. A date that cannot be read
// has passed (RFC 9111 section 5.3), as has one of several that differ (section
// 4.2.1).
func expires(h *http1.Headers, o *origin, received int64) int64 {
	lifetime := absent
	for i := range h.Len() {
		if h.ID(i) != http1.Expires {
			continue
		}
		var this int64
		if t, ok := parseDate(h.Value(i), received); ok {
			this = min(max(t-o.date, 0), maxDelta)
		}
		if lifetime != absent && lifetime != this {
			return 0
		}
		lifetime = this
	}
	return lifetime
}

// lifetime returns the freshness lifetime in seconds (RFC 9111 section 4.2.1),
// and whether the response gives it itself.
func lifetime(r *http1.Response, c *control, targeted bool, o *origin, received int64, p *Policy) (seconds int64, explicit bool) {
	seconds, explicit = explicitLifetime(r, c, targeted, o, received)
	if !explicit && o.hasModified && (heuristicallyCacheable(r.Status) || c.has(public)) {
		seconds = min(max(o.date-o.lastModified, 0)/10, p.HeuristicMax) // section 4.2.2
	}
	if p.MaxLifetime > 0 {
		seconds = min(seconds, p.MaxLifetime)
	}
	return min(seconds, maxDelta), explicit
}

func explicitLifetime(r *http1.Response, c *control, targeted bool, o *origin, received int64) (seconds int64, explicit bool) {
	switch {
	case c.sMaxAge != absent: // invalid values make the response stale
		return max(c.sMaxAge, 0), true
	case c.maxAge != absent:
		return max(c.maxAge, 0), true
	case targeted: // Expires does not count (RFC 9213 section 2.2)
		return 0, false
	}
	if e := expires(&r.Headers, o, received); e != absent {
		return e, true
	}
	return 0, false
}

// initialAge returns the corrected_initial_age in nanoseconds (RFC 9111 section
// 4.2.3).
func initialAge(h *http1.Headers, o *origin, t Times) int64 {
	var apparent int64
	if o.hasDate {
		apparent = min(max(t.Response/second-o.date, 0), maxDelta) * second
	}
	delay := max(t.Response-t.Request, 0)
	return min(max(apparent, ageValue(h)*second+delay), maxDelta*second)
}

// ageValue returns the first member of Age, or 0 when there is none that can be
// read (RFC 9111 section 5.1).
func ageValue(h *http1.Headers) int64 {
	v := h.Get(http1.Age)
	if v == nil {
		return 0
	}
	first, _ := nextElement(v)
	return max(parseDelta(first), 0)
}
