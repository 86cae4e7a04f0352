package crs

import (
	"context"
	"testing"
	"time"

	"github.com/corazawaf/coraza/v3/types"
)

// bare is what whoever uses the engine directly writes.
func bare(e *Engine, r *Request) *types.Interruption {
	tx := e.waf.NewTransaction()
	defer func() { _ = tx.Close() }()
	tx.ProcessConnection(r.Source, r.Port, "", 0)
	tx.ProcessURI(r.Target, r.Method, r.Protocol)
	for _, h := range r.Headers {
		tx.AddRequestHeader(h.Name, h.Value)
	}
	if i := tx.ProcessRequestHeaders(); i != nil {
		return i
	}
	if i, _, err := tx.WriteRequestBody(r.Body); i != nil || err != nil {
		return i
	}
	i, _ := tx.ProcessRequestBody()
	return i
}

// Requests by Inspect and by the bare engine, with the same rules and with the
// engine's defaults: in turns, since a machine is not always as fast.
func BenchmarkInspect(b *testing.B) {
	e := engine(b, nil)
	plain := unfiltered(b, e.config)
	for _, r := range []struct {
		name string
		*Request
	}{
		{"get", request("GET", "/prod/pets?page=2&limit=50", "")},
		{"post-1KB", request("POST", "/prod/orders?dry=false", order, jsonBody)},
	} {
		b.Run(r.name, func(b *testing.B) {
			var inspect, same, defaults time.Duration
			for b.Loop() {
				start := time.Now()
				if got, err := e.Inspect(context.Background(), r.Request); err != nil || got.Blocked {
					b.Fatal(got, err)
				}
				inspected := time.Now()
				if bare(e, r.Request) != nil {
					b.Fatal("blocked")
				}
				done := time.Now()
				if bare(plain, r.Request) != nil {
					b.Fatal("blocked")
				}
				inspect += inspected.Sub(start)
				same += done.Sub(inspected)
				defaults += time.Since(done)
			}
			b.ReportMetric(float64(inspect)/float64(b.N), "ns/inspect")
			b.ReportMetric(float64(inspect)/float64(same), "of-bare")
			b.ReportMetric(float64(inspect)/float64(defaults), "of-bare-unfiltered")
		})
	}
}
