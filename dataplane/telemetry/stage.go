package telemetry

import (
	"math/bits"
	"sync/atomic"
)

// bucketBounds are the upper bounds of the latency buckets in nanoseconds.
var bucketBounds = [...]int64{
	100e3, 250e3, 500e3,
	1e6, 2.5e6, 5e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6,
	1e9, 2.5e9, 5e9, 10e9, 30e9,
}

// firstBucket is the lowest bucket that a number of so many bits can be in.
var firstBucket = func() (first [65]uint8) {
	for n := range first {
		smallest := uint64(1) << max(n-1, 0)
		for int(first[n]) < len(bucketBounds) && uint64(bucketBounds[first[n]]) < smallest {
			first[n]++
		}
	}
	return first
}()

// bucketOf returns the index of the first bound that is not below nanos, or
// len(bucketBounds).
func bucketOf(nanos int64) int {
	i := int(firstBucket[bits.Len64(uint64(nanos))])
	for i < len(bucketBounds) && nanos > bucketBounds[i] {
		i++
	}
	return i
}

// Stage counts the requests of one stage of one API: AWS's Count, 4XXError,
// 5XXError, Latency and IntegrationLatency. It outlives deployments.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
type Stage struct {
	apiID, apiName, stage string // guarded by Registry.mu
	shards                []stageShard
}

// stageShard is what one event loop counts. Both latencies of a request mostly
// fall into the same bucket or its neighbour, so their buckets are side by side:
// with very many stages the cost of counting is that of the cache lines touched.
type stageShard struct {
	sums         [2]atomic.Int64 // nanoseconds, by kind
	clientErrors atomic.Uint64
	serverErrors atomic.Uint64
	cacheHits    atomic.Uint64
	cacheMisses  atomic.Uint64
	_            [cacheLine - 48]byte
	buckets      [len(bucketBounds) + 1][2]atomic.Uint64 // not cumulative; [kind]
	_            [cacheLine - (len(bucketBounds)+1)*16%cacheLine]byte
}

// Kinds of latency. Every request has a full one, so its count is the number of
// requests.
const (
	full = iota
	integration
)

func (c *stageShard) observe(kind int, nanos int64) {
	nanos = max(nanos, 0)
	c.buckets[bucketOf(nanos)][kind].Add(1)
	c.sums[kind].Add(nanos)
}

// Observe counts a finished request: its status, the nanoseconds it took, and
// those its integration took, negative when there was none. Any goroutine may
// call it.
func (s *Stage) Observe(shard int, status int, latencyNanos, integrationLatencyNanos int64) {
	c := &s.shards[shard]
	c.observe(full, latencyNanos)
	if integrationLatencyNanos >= 0 {
		c.observe(integration, integrationLatencyNanos)
	}
	switch {
	case status >= 500:
		c.serverErrors.Add(1)
	case status >= 400:
		c.clientErrors.Add(1)
	}
}

// ObserveCache counts a request that the stage's cache was asked for: AWS's
// CacheHitCount and CacheMissCount. Any goroutine may call it.
func (s *Stage) ObserveCache(shard int, hit bool) {
	if c := &s.shards[shard]; hit {
		c.cacheHits.Add(1)
	} else {
		c.cacheMisses.Add(1)
	}
}

// Cache returns how many requests were answered from the cache and how many
// were not though it was asked.
func (s *Stage) Cache() (hits, misses uint64) {
	for i := range s.shards {
		hits += s.shards[i].cacheHits.Load()
		misses += s.shards[i].cacheMisses.Load()
	}
	return hits, misses
}

// totals is a Stage summed over its shards.
type totals struct {
	latency, integrationLatency distribution
	clientErrors, serverErrors  uint64
}

type distribution struct {
	count   uint64
	seconds float64
	buckets map[float64]uint64 // cumulative, by upper bound in seconds
}

func (s *Stage) totals() (t totals) {
	t.latency.buckets = map[float64]uint64{}
	t.integrationLatency.buckets = map[float64]uint64{}
	for i := range s.shards {
		c := &s.shards[i]
		t.clientErrors += c.clientErrors.Load()
		t.serverErrors += c.serverErrors.Load()
		t.latency.add(c, full)
		t.integrationLatency.add(c, integration)
	}
	return t
}

func (d *distribution) add(c *stageShard, kind int) {
	d.seconds += float64(c.sums[kind].Load()) / 1e9
	var cumulative uint64
	for i := range c.buckets {
		cumulative += c.buckets[i][kind].Load()
		if i < len(bucketBounds) {
			d.buckets[float64(bucketBounds[i])/1e9] += cumulative
		}
	}
	d.count += cumulative
}
