package session

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// log writes the line of a message, or of the end of a connection.
func (m *message) log() {
	w, s := m.worker, m.session
	rec := &w.record
	now := w.loop.Now()
	w.ids = append(w.ids[:0], s.client.SourceIP...)
	ip := len(w.ids)
	w.ids = append(w.ids, s.client.UserAgent...)
	agent := len(w.ids)
	w.ids = append(w.ids, s.client.Host...)
	host := len(w.ids)
	w.ids = s.ID(w.ids)
	id := len(w.ids)
	w.ids = append(w.ids, m.fault...)
	*rec = telemetry.Record{
		RequestID: m.id, ExtendedRequestID: m.id, SourceIP: w.ids[:ip], UserAgent: w.ids[ip:agent], DomainName: w.ids[agent:host],
		RequestTime: w.loop.Wall(m.started) / int64(time.Millisecond), Protocol: "WEBSOCKET",
		APIID: m.stage.APIID, Stage: m.stage.Name, DeploymentID: m.stage.DeploymentID,
		ResponseLatency: (now - m.started) / int64(time.Millisecond), IntegrationLatency: -1,
		EventType: eventNames[m.event], ConnectionID: w.ids[host:id], MessageID: m.messageID,
		Status: 200, ErrorMessage: w.ids[id:],
	}
	if m.route != nil {
		rec.RouteKey = m.route.Key
	}
	if m.latency >= 0 {
		rec.IntegrationLatency, rec.IntegrationStatus = m.latency/int64(time.Millisecond), m.status
	}
	rec.Status = statusOf(m.fault)
	w.config.Log.Append(w.loop.ID, rec)
}

// statusOf is the status that a request would have been answered with.
func statusOf(fault string) int {
	switch refusal(fault) {
	case "":
		return 200
	case forbidden:
		return 403
	case tooMany, overQuota:
		return 429
	}
	return 500
}
