package crs

import (
	"context"
	"testing"

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
		b.Run(r.name+"/inspect", func(b *testing.B) {
			for b.Loop() {
				if got, err := e.Inspect(context.Background(), r.Request); err != nil || got.Blocked {
					b.Fatal(got, err)
				}
			}
		})
		b.Run(r.name+"/bare", func(b *testing.B) {
			for b.Loop() {
				if bare(e, r.Request) != nil {
					b.Fatal("blocked")
				}
			}
		})
		b.Run(r.name+"/bare-without-filter", func(b *testing.B) {
			for b.Loop() {
				if bare(plain, r.Request) != nil {
					b.Fatal("blocked")
				}
			}
		})
	}
}
