package telemetry

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Upstream is what there is to tell of the integrations of an API.
type Upstream struct {
	APIID, APIName    string
	InFlight, Waiting int64 // requests
	Targets           []UpstreamTarget
}

// UpstreamTarget is what there is to tell of a target.
type UpstreamTarget struct {
	Endpoint string // of the integration
	Address  string
	Up       bool
	Open     bool // the circuit breaker of the integration is not closed

	Requests, Failures, Retries int64
}

var (
	apiLabels    = []string{"api", "api_name"}
	targetLabels = []string{"api", "api_name", "endpoint", "target"}

	descInFlight       = prometheus.NewDesc("tidegate_upstream_requests_in_flight", "Requests of an API that are under way to its integrations, those that wait among them.", apiLabels, nil)
	descWaiting        = prometheus.NewDesc("tidegate_upstream_requests_waiting", "Requests of an API that wait for a connection to an integration.", apiLabels, nil)
	descBreaker        = prometheus.NewDesc("tidegate_upstream_breaker_open", "1 while the circuit breaker of an integration is not closed.", targetLabels[:3], nil)
	descTargetUp       = prometheus.NewDesc("tidegate_upstream_target_up", "1 while a target of an integration is asked as usual.", targetLabels, nil)
	descTargetRequests = prometheus.NewDesc("tidegate_upstream_target_requests_total", "Requests to a target that have ended.", targetLabels, nil)
	descTargetFailures = prometheus.NewDesc("tidegate_upstream_target_failures_total", "Requests that failed at a target.", targetLabels, nil)
	descTargetRetries  = prometheus.NewDesc("tidegate_upstream_target_retries_total", "Requests that failed at a target and were sent to another one.", targetLabels, nil)
)

// UpstreamFunc shows the integrations of all APIs, which are asked for at every
// scrape. It may be called from any goroutine.
func (r *Registry) UpstreamFunc(all func() []Upstream) {
	r.prometheus.MustRegister(upstreamCollector{all})
}

type upstreamCollector struct{ all func() []Upstream }

// Describe implements prometheus.Collector.
func (c upstreamCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descInFlight, descWaiting, descBreaker, descTargetUp, descTargetRequests, descTargetFailures, descTargetRetries} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c upstreamCollector) Collect(out chan<- prometheus.Metric) {
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, float64(n), labels...)
	}
	for _, api := range c.all() {
		name := strings.ToValidUTF8(api.APIName, "\ufffd")
		send(descInFlight, prometheus.GaugeValue, api.InFlight, api.APIID, name)
		send(descWaiting, prometheus.GaugeValue, api.Waiting, api.APIID, name)
		open := map[string]bool{}
		for _, t := range joined(api.Targets) {
			open[t.Endpoint] = open[t.Endpoint] || t.Open
			labels := []string{api.APIID, name, t.Endpoint, t.Address}
			send(descTargetUp, prometheus.GaugeValue, flag(t.Up), labels...)
			send(descTargetRequests, prometheus.CounterValue, t.Requests, labels...)
			send(descTargetFailures, prometheus.CounterValue, t.Failures, labels...)
			send(descTargetRetries, prometheus.CounterValue, t.Retries, labels...)
		}
		for endpoint, is := range open {
			send(descBreaker, prometheus.GaugeValue, flag(is), api.APIID, name, endpoint)
		}
	}
}

// joined makes one of targets with the same labels: integrations may differ in
// what is not told here.
func joined(targets []UpstreamTarget) []UpstreamTarget {
	var out []UpstreamTarget
	at := map[[2]string]int{}
	for _, t := range targets {
		key := [2]string{t.Endpoint, t.Address}
		i, seen := at[key]
		if !seen {
			at[key] = len(out)
			out = append(out, t)
			continue
		}
		o := &out[i]
		o.Up, o.Open = o.Up && t.Up, o.Open || t.Open
		o.Requests, o.Failures, o.Retries = o.Requests+t.Requests, o.Failures+t.Failures, o.Retries+t.Retries
	}
	return out
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
