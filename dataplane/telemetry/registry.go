package telemetry

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds all metrics of the process. Its methods are for the control
// path: they lock and allocate. Any goroutine may call them.
type Registry struct {
	shards     int
	prometheus *prometheus.Registry

	mu      sync.Mutex
	stages  map[stageKey]*Stage
	sockets map[stageKey]*Sockets
	plans   map[string]*Plan // by id
}

type stageKey struct{ apiID, stage string }

// NewRegistry makes a Registry for so many event loops, with the metrics of the
// Go runtime and of the process in it. version is that of the program.
func NewRegistry(shards int, version string) *Registry {
	r := &Registry{
		shards:     shards,
		prometheus: prometheus.NewRegistry(),
		stages:     map[stageKey]*Stage{},
		sockets:    map[stageKey]*Sockets{},
		plans:      map[string]*Plan{},
	}
	r.prometheus.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		stageCollector{r},
		socketCollector{r},
		planCollector{r},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "tidegate_build_info",
			Help:        "Always 1; the labels tell the version.",
			ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
		}, func() float64 { return 1 }),
	)
	return r
}

// Stage returns the metrics of a stage, making them at the first call. They
// live until Forget, whatever is deployed meanwhile. apiName is the API's
// present name.
func (r *Registry) Stage(apiID, apiName, stage string) *Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := stageKey{apiID, stage}
	s := r.stages[key]
	if s == nil {
		s = &Stage{apiID: apiID, stage: stage, shards: make([]stageShard, r.shards)}
		r.stages[key] = s
	}
	s.apiName = apiName
	return s
}

// Forget drops the metrics of a stage that was deleted. Requests that are still
// running may go on to use them.
func (r *Registry) Forget(apiID, stage string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.stages, stageKey{apiID, stage})
	delete(r.sockets, stageKey{apiID, stage})
}

// Counter registers a metric and returns its Counter. A metric can be
// registered once; the second time panics, here and in the methods below.
func (r *Registry) Counter(m Metric) *Counter {
	c := &Counter{make(sharded, r.shards)}
	r.CounterFunc(m, c.Value)
	return c
}

// Counters registers a metric with a label and returns a Counter for each of
// the label's values, of which there are no others.
func (r *Registry) Counters(m Metric, values []string) *Counters {
	c := &Counters{make([]Counter, len(values))}
	for i := range c.byValue {
		c.byValue[i].cells = make(sharded, r.shards)
	}
	r.CountersFunc(m, values, c.Value)
	return c
}

// Gauge registers a metric and returns its Gauge.
func (r *Registry) Gauge(m Metric) *Gauge {
	g := &Gauge{make(sharded, r.shards)}
	r.GaugeFunc(m, g.Value)
	return g
}

// CounterFunc registers a metric whose value is asked for at every scrape. It
// may be called from any goroutine.
func (r *Registry) CounterFunc(m Metric, value func() uint64) {
	r.prometheus.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: m.Name, Help: m.Help},
		func() float64 { return float64(value()) }))
}

// CountersFunc is CounterFunc for a metric with a label; value gets the index
// of the label's value.
func (r *Registry) CountersFunc(m Metric, values []string, value func(i int) uint64) {
	for i, name := range values {
		r.prometheus.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: m.Name, Help: m.Help, ConstLabels: prometheus.Labels{m.Label: name}},
			func() float64 { return float64(value(i)) }))
	}
}

// GaugeFunc registers a metric whose value is asked for at every scrape. It may
// be called from any goroutine.
func (r *Registry) GaugeFunc(m Metric, value func() int64) {
	r.prometheus.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{Name: m.Name, Help: m.Help},
		func() float64 { return float64(value()) }))
}

// GaugesFunc is GaugeFunc for a metric with a label; value gets the index of the
// label's value.
func (r *Registry) GaugesFunc(m Metric, values []string, value func(i int) float64) {
	for i, name := range values {
		r.prometheus.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: m.Name, Help: m.Help, ConstLabels: prometheus.Labels{m.Label: name}},
			func() float64 { return value(i) }))
	}
}

// Handler serves the metrics in the Prometheus and OpenMetrics text formats.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.prometheus, promhttp.HandlerOpts{
		Registry:            r.prometheus,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
		EnableOpenMetrics:   true,
	})
}
