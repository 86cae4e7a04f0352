package dataplane

import (
	"cmp"
	"slices"

	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// FlushCache implements control.Gateway.
func (g *Gateway) FlushCache(apiID, stage string) error {
	g.caches.Flush(definition.StageKey{APIID: apiID, Stage: stage})
	return nil
}

// Caches implements control.Gateway.
func (g *Gateway) Caches() []control.CacheStatus {
	var list []control.CacheStatus
	catalog := g.catalog.Load()
	g.caches.Each(func(c *cache.Stage, mode string) {
		stats := c.Store.Stats()
		out := control.CacheStatus{
			APIID: c.Key.APIID, Stage: c.Key.Stage, Mode: mode, Size: c.Size,
			Stale: stats.Stale, Entries: stats.Entries, Bytes: stats.Bytes, MaxBytes: stats.MaxBytes, EvictedBytes: stats.EvictedBytes,
		}
		if api := catalog.APIs[c.Key.APIID]; api != nil {
			out.APIName = api.Name
			out.Hits, out.Misses = g.registry.Stage(c.Key.APIID, api.Name, c.Key.Stage).Cache()
		}
		if asked := out.Hits + out.Misses; asked > 0 {
			out.HitRatio = float64(out.Hits) / float64(asked)
		}
		list = append(list, out)
	})
	slices.SortFunc(list, func(a, b control.CacheStatus) int {
		return cmp.Or(cmp.Compare(a.APIName, b.APIName), cmp.Compare(a.APIID, b.APIID), cmp.Compare(a.Stage, b.Stage))
	})
	return list
}
