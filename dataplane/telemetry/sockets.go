package telemetry

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// SocketEvent is something that is counted of a stage of a WebSocket API.
type SocketEvent uint8

// The events that are counted, under AWS's names.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html
const (
	SocketConnect          SocketEvent = iota // ConnectCount: $connect was asked
	SocketMessageIn                           // MessageCount, from clients
	SocketMessageOut                          // MessageCount, to clients
	SocketClientError                         // ClientError: refused before an integration was called
	SocketExecutionError                      // ExecutionError: an integration could not be called
	SocketIntegrationError                    // IntegrationError: it answered with an error
	numSocketEvents
)

// Sockets counts what happens on one stage of a WebSocket API. It outlives
// deployments.
type Sockets struct {
	apiID, apiName, stage string // guarded by Registry.mu
	shards                []socketShard
}

type socketShard struct {
	events  [numSocketEvents]atomic.Uint64
	latency stageShard // of integrations
}

// Count counts an event. Any goroutine may call it.
func (s *Sockets) Count(shard int, e SocketEvent) { s.shards[shard].events[e].Add(1) }

// ObserveIntegration counts the nanoseconds that an integration took. Any
// goroutine may call it.
func (s *Sockets) ObserveIntegration(shard int, nanos int64) {
	s.shards[shard].latency.observe(integration, nanos)
}

// Total returns how often an event happened.
func (s *Sockets) Total(e SocketEvent) (n uint64) {
	for i := range s.shards {
		n += s.shards[i].events[e].Load()
	}
	return n
}

func (s *Sockets) latency() distribution {
	d := distribution{buckets: map[float64]uint64{}}
	for i := range s.shards {
		d.add(&s.shards[i].latency, integration)
	}
	return d
}

// Sockets returns the metrics of a stage of a WebSocket API, as Stage does those
// of others.
func (r *Registry) Sockets(apiID, apiName, stage string) *Sockets {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := stageKey{apiID, stage}
	s := r.sockets[key]
	if s == nil {
		s = &Sockets{apiID: apiID, stage: stage, shards: make([]socketShard, r.shards)}
		r.sockets[key] = s
	}
	s.apiName = apiName
	return s
}

var (
	descSocketEvents = [numSocketEvents]*prometheus.Desc{
		SocketConnect:          prometheus.NewDesc("tidegate_websocket_connect_count_total", "Requests to connect that the route $connect was asked about (AWS: ConnectCount).", stageLabels, nil),
		SocketMessageIn:        prometheus.NewDesc("tidegate_websocket_messages_in_total", "Messages from clients (AWS: MessageCount, with those to clients).", stageLabels, nil),
		SocketMessageOut:       prometheus.NewDesc("tidegate_websocket_messages_out_total", "Messages to clients (AWS: MessageCount, with those from clients).", stageLabels, nil),
		SocketClientError:      prometheus.NewDesc("tidegate_websocket_client_error_total", "Messages and requests to connect that were refused before an integration was called (AWS: ClientError).", stageLabels, nil),
		SocketExecutionError:   prometheus.NewDesc("tidegate_websocket_execution_error_total", "Integrations that could not be called (AWS: ExecutionError).", stageLabels, nil),
		SocketIntegrationError: prometheus.NewDesc("tidegate_websocket_integration_error_total", "Integrations that answered with an error (AWS: IntegrationError).", stageLabels, nil),
	}
	descSocketLatency = prometheus.NewDesc("tidegate_websocket_integration_latency_seconds", "From a message to the integration's whole answer (AWS: IntegrationLatency).", stageLabels, nil)
)

// socketCollector shows all stages of WebSocket APIs of a Registry.
type socketCollector struct{ r *Registry }

// Describe implements prometheus.Collector.
func (c socketCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range descSocketEvents {
		out <- desc
	}
	out <- descSocketLatency
}

// Collect implements prometheus.Collector.
func (c socketCollector) Collect(out chan<- prometheus.Metric) {
	type named struct {
		labels []string
		of     *Sockets
	}
	c.r.mu.Lock()
	stages := make([]named, 0, len(c.r.sockets))
	for _, s := range c.r.sockets {
		labels := []string{s.apiID, s.apiName, s.stage}
		for i := range labels {
			labels[i] = strings.ToValidUTF8(labels[i], "\ufffd")
		}
		stages = append(stages, named{labels, s})
	}
	c.r.mu.Unlock()
	slices.SortFunc(stages, func(a, b named) int { return slices.Compare(a.labels, b.labels) })
	for _, s := range stages {
		for e, desc := range descSocketEvents {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(s.of.Total(SocketEvent(e))), s.labels...)
		}
		d := s.of.latency()
		out <- prometheus.MustNewConstHistogram(descSocketLatency, d.count, d.seconds, d.buckets, s.labels...)
	}
}
