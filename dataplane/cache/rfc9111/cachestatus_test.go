package rfc9111

import "testing"

// RFC 9211 section 2.
func TestCacheStatus(t *testing.T) {
	for want, c := range map[string]CacheStatus{
		"tidegate; hit":                                              {},
		"tidegate; hit; ttl=376":                                     {HasTTL: true, TTL: 376},
		"tidegate; hit; ttl=-412":                                    {HasTTL: true, TTL: -412},
		"tidegate; hit; ttl=0":                                       {HasTTL: true},
		"tidegate; fwd=uri-miss":                                     {Forward: ForwardURIMiss},
		"tidegate; fwd=uri-miss; ttl=60; stored":                     {Forward: ForwardURIMiss, Stored: true, HasTTL: true, TTL: 60},
		"tidegate; fwd=uri-miss; stored; collapsed":                  {Forward: ForwardURIMiss, Stored: true, Collapse: Collapsed},
		"tidegate; fwd=vary-miss; collapsed=?0":                      {Forward: ForwardVaryMiss, Collapse: CollapseFailed},
		"tidegate; fwd=stale; fwd-status=304":                        {Forward: ForwardStale, ForwardStatus: 304},
		"tidegate; fwd=stale; fwd-status=503; detail=stale-if-error": {Forward: ForwardStale, ForwardStatus: 503, Detail: "stale-if-error"},
		"tidegate; fwd=request":                                      {Forward: ForwardRequest},
		"tidegate; fwd=method":                                       {Forward: ForwardMethod},
		"tidegate; fwd=bypass":                                       {Forward: ForwardBypass},
		"tidegate; fwd=partial":                                      {Forward: ForwardPartial},
	} {
		if got := string(c.AppendLine([]byte("X\r\n"), "tidegate")); got != "X\r\nCache-Status: "+want+"\r\n" {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
