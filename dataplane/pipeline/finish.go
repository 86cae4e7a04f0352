package pipeline

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// protocol is AWS's for every request.
const protocol = "HTTP/1.1"

// finish accounts for a request, once, when its answer has been written or
// cannot be.
func (t *transaction) finish() {
	w := t.worker
	t.active = false
	w.serving--
	w.done++
	t.body = shrink(t.body)
	t.request = shrink(t.request)
	t.held.reset()
	t.abortFill()
	t.fill.reset()
	if t.std.active {
		t.std.reset()
	}
	took := w.loop.Now() - t.x.Started
	if t.stage != nil && t.stage.Metrics != nil {
		t.stage.Metrics.Observe(w.loop.ID, t.status, took, t.latency)
	}
	if w.pipeline.log != nil {
		t.log(took)
	}
}

// keptBuffer is the largest buffer a transaction keeps, in bytes.
const keptBuffer = 32 << 10

func shrink(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b
}

func (t *transaction) log(took int64) {
	w, r := t.worker, &t.x.Request
	rec := &w.record
	*rec = telemetry.Record{}
	if t.replacedID {
		t.requestID = append(t.requestID, replacedMarker...)
	}
	rec.RequestID, rec.ExtendedRequestID, rec.SourceIP = t.requestID, t.extendedID, t.sourceIP
	rec.RequestTime = w.loop.Wall(t.x.Started) / int64(time.Millisecond)
	rec.Protocol = protocol
	rec.Status = t.status
	rec.ResponseLength = t.bodyBytes
	rec.ResponseLatency = took / int64(time.Millisecond)
	rec.IntegrationLatency = -1
	if t.latency >= 0 {
		rec.IntegrationLatency = t.latency / int64(time.Millisecond)
		rec.IntegrationStatus = t.backend
	}
	rec.HTTPMethod, rec.Path, rec.DomainName = r.Method, r.Path, r.Host
	if t.client.known {
		w.keyID = t.client.AppendKeyID(w.keyID[:0])
		rec.APIKeyID = w.keyID
	}
	rec.UserAgent = r.Get(http1.UserAgent)
	if s := t.stage; s != nil {
		rec.APIID, rec.Stage, rec.DeploymentID = s.APIID, s.Name, s.DeploymentID
		if s.WAF != nil {
			t.logInspection(rec)
		}
	}
	if t.method != nil {
		rec.ResourcePath = t.method.ResourcePath
	}
	if tls := t.x.Stream().TLSVersion(); tls != "" {
		rec.TLSVersion = tls
	}
	if t.rejected {
		rec.ErrorMessage = append(w.message[:0], t.message...)
		w.message = rec.ErrorMessage
		rec.ErrorResponseType = responses[t.reason].responseType
	}
	w.pipeline.log.Append(w.loop.ID, rec)
}
