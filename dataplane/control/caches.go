package control

import "context"

// CacheStatus is how the response cache of one stage is. Counts are since the
// gateway started, or since the cache was switched on when that was later.
type CacheStatus struct {
	APIID   string `json:"apiId"`
	APIName string `json:"apiName"`
	Stage   string `json:"stage"`
	Mode    string `json:"mode"` // definition.CacheModeAWS or CacheModeStandard
	Size    string `json:"size"` // one of definition.CacheSizes, in gigabytes, as asked for

	Hits     uint64  `json:"hits"`     // requests answered by the cache
	Misses   uint64  `json:"misses"`   // requests that a backend answered
	Stale    uint64  `json:"stale"`    // of Hits, those whose answer had expired
	HitRatio float64 `json:"hitRatio"` // Hits of all, 0 to 1; 0 without requests

	Entries      uint64 `json:"entries"`      // held now
	Bytes        uint64 `json:"bytes"`        // held now
	MaxBytes     uint64 `json:"maxBytes"`     // the most it may hold
	EvictedBytes uint64 `json:"evictedBytes"` // that had to make room
}

// flushCache answers FlushStageCache. AWS does it within minutes; here it is
// done when the answer arrives.
func (s *Server) flushCache(r *request) (int, any, error) {
	st, err := s.stage(s.gateway.Catalog(), r.apiID(), r.params["stage"])
	if err != nil {
		return 0, nil, err
	}
	if err := s.gateway.FlushCache(st.APIID, st.Name); err != nil {
		return 0, nil, err
	}
	return 202, nil, nil
}

// FlushStageCache empties the response cache of a stage (FlushStageCache). A
// stage without a cache has nothing to empty: that is no error.
func (c *Client) FlushStageCache(ctx context.Context, apiID, stage string) error {
	return c.call(ctx, "DELETE", pathOf("restapis", apiID, "stages", stage, "cache", "data"), nil, nil, nil)
}

// Caches says how the response caches of all stages are, by names of API and
// stage: a part of Status.
func (c *Client) Caches(ctx context.Context) ([]CacheStatus, error) {
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	return status.Caches, nil
}
