package telemetry

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

var stageLabels = []string{"api", "api_name", "stage"}

// The metrics of a stage, under AWS's names.
var (
	descCount              = prometheus.NewDesc("tidegate_count_total", "Requests (AWS: Count).", stageLabels, nil)
	descClientErrors       = prometheus.NewDesc("tidegate_4xx_error_total", "Requests answered with a 4xx status (AWS: 4XXError).", stageLabels, nil)
	descServerErrors       = prometheus.NewDesc("tidegate_5xx_error_total", "Requests answered with a 5xx status (AWS: 5XXError).", stageLabels, nil)
	descCacheHits          = prometheus.NewDesc("tidegate_cache_hit_count_total", "Requests answered from the stage's cache (AWS: CacheHitCount).", stageLabels, nil)
	descCacheMisses        = prometheus.NewDesc("tidegate_cache_miss_count_total", "Requests that the stage's cache had no answer to (AWS: CacheMissCount).", stageLabels, nil)
	descLatency            = prometheus.NewDesc("tidegate_latency_seconds", "From the request's first byte to the end of its answer (AWS: Latency).", stageLabels, nil)
	descIntegrationLatency = prometheus.NewDesc("tidegate_integration_latency_seconds", "From sending the request to the integration to its whole answer (AWS: IntegrationLatency).", stageLabels, nil)
)

// stageCollector shows all stages of a Registry.
type stageCollector struct{ r *Registry }

// Describe implements prometheus.Collector.
func (c stageCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descCount, descClientErrors, descServerErrors, descCacheHits, descCacheMisses, descLatency, descIntegrationLatency} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c stageCollector) Collect(out chan<- prometheus.Metric) {
	type named struct {
		labels []string
		stage  *Stage
	}
	c.r.mu.Lock()
	stages := make([]named, 0, len(c.r.stages))
	for _, s := range c.r.stages {
		labels := []string{s.apiID, s.apiName, s.stage}
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
		}
		stages = append(stages, named{labels, s})
	}
	c.r.mu.Unlock()
	slices.SortFunc(stages, func(a, b named) int { return slices.Compare(a.labels, b.labels) })

	for _, s := range stages {
		t := s.stage.totals()
		counter := func(desc *prometheus.Desc, n uint64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), s.labels...)
		}
		histogram := func(desc *prometheus.Desc, d distribution) {
			out <- prometheus.MustNewConstHistogram(desc, d.count, d.seconds, d.buckets, s.labels...)
		}
		counter(descCount, t.latency.count)
		counter(descClientErrors, t.clientErrors)
		counter(descServerErrors, t.serverErrors)
		hits, misses := s.stage.Cache()
		counter(descCacheHits, hits)
		counter(descCacheMisses, misses)
		histogram(descLatency, t.latency)
		histogram(descIntegrationLatency, t.integrationLatency)
	}
}
