package main

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

func TestStatusOfCallers(t *testing.T) {
	f := newFixture(t)
	before, later := noon, noon.Add(time.Minute)
	f.issuers = []control.IssuerStatus{
		{Issuer: "https://id.example.com", Keys: []control.IssuerKey{{ID: "1", Type: "P-256"}, {ID: "2", Type: "RSA 2048"}}, FetchedAt: &before, Unfit: []string{"key 2: it is not for signatures (use)"}},
		{Issuer: "https://dead.example.com", Failures: 3, LastError: "no answer\nwithin 1.5s", FailedAt: &later},
		{Issuer: "https://well.example.com", FetchedAt: &later, LastError: "it was ill", FailedAt: &before},
	}
	f.authorizers = []control.AuthorizerStatus{
		{APIName: "petstore", Stage: "prod", Name: "guard", Hits: 900, Calls: 10, MeanLatencyMillis: 12, Failed: 1, Busy: 2, Waiting: 3, LastError: "refused", FailedAt: &later},
		{APIName: "petstore", Stage: "test", Name: "guard"},
	}
	out := squeeze(f.must(t, "status"))
	printed(t, out,
		"\n\nISSUER KEYS FETCHED FAILURES SINCE\nhttps://id.example.com 2 2026-03-04 12:00:00Z 0\nhttps://dead.example.com 0 never 3\nhttps://well.example.com 0 2026-03-04 12:01:00Z 0\n",
		"\n\nAUTHORIZER HITS CALLS FAILED MEAN BUSY WAITING\npetstore:prod guard 900 10 1 12 ms 2 3\npetstore:test guard 0 0 0 0 ms 0 0\n",
		"note: of https://id.example.com: key 2: it is not for signatures (use)\nnote: no keys of https://dead.example.com at 2026-03-04 12:01:00Z: no answer?within 1.5s\n"+
			"note: authorizer petstore:prod guard failed last at 2026-03-04 12:01:00Z: refused\nnote: the kernel gate")
	if s := decoded[control.Status](t, f.must(t, "status", "--json")); len(s.Issuers) != 3 || len(s.Authorizers) != 2 || s.Issuers[0].Keys[1].Type != "RSA 2048" {
		t.Errorf("%+v", s)
	}
}
