package state

import (
	"fmt"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// largeBody has 10,000 methods, about as much JSON as an import may have.
func largeBody(apiID string) *definition.Body {
	resources := make([]*definition.Resource, 2000)
	for i := range resources {
		path := fmt.Sprintf("/resource-%05d", i)
		methods := map[string]*definition.Method{}
		for _, verb := range []string{"GET", "PUT", "POST", "PATCH", "DELETE"} {
			methods[verb] = &definition.Method{HTTPMethod: verb, Integration: &definition.Integration{
				Type: definition.IntegrationHTTPProxy, HTTPMethod: verb, URI: "http://backend.internal:8080" + path, TimeoutMillis: 29000,
			}}
		}
		resources[i] = &definition.Resource{ID: definition.ResourceID(apiID, path), ParentID: definition.ResourceID(apiID, "/"), PathPart: path[1:], Path: path, Methods: methods}
	}
	return definition.NewBody(apiID, resources, definition.Settings{EndpointType: definition.EndpointRegional})
}

// deploy writes what one CreateDeployment writes: the counter, the deployment
// and the stage that points at it.
func deploy(a *definition.API, n int) definition.Change {
	next := *a
	next.DeploymentCount = n
	id := fmt.Sprintf("d%05d", n)
	return definition.Change{
		PutAPIs:        []*definition.API{&next},
		PutDeployments: []*definition.Deployment{deployment(a.ID, id, n, a.Body)},
		PutStages:      []*definition.Stage{stage(a.ID, "prod", id)},
	}
}

// pageBytes is what was written to the file since the given statistics.
func pageBytes(s *Store, before bolt.Stats) int64 {
	after := s.db.Stats()
	return after.TxStats.GetPageAlloc() - before.TxStats.GetPageAlloc()
}

func TestDeploymentOfALargeAPIWritesLittle(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	a := api("aaaaaaaaaa", largeBody("aaaaaaaaaa"))
	mustWrite(t, s, definition.Change{PutAPIs: []*definition.API{a}})
	before := s.db.Stats()
	const deployments = 20
	for n := range deployments {
		mustWrite(t, s, deploy(a, n+1))
	}
	each := pageBytes(s, before) / deployments
	if each > 128<<10 {
		t.Errorf("a deployment wrote %d bytes of pages", each)
	}
	t.Logf("%d bytes of pages per deployment", each)
}

func BenchmarkCreateDeployment10000Methods(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	a := api("aaaaaaaaaa", largeBody("aaaaaaaaaa"))
	mustWrite(b, s, definition.Change{PutAPIs: []*definition.API{a}})
	before := s.db.Stats()
	n := 0
	for b.Loop() {
		n++
		mustWrite(b, s, deploy(a, n))
	}
	b.ReportMetric(float64(pageBytes(s, before))/float64(n), "page-B/op")
}

// manyKeys has n keys under one plan.
func manyKeys(b *testing.B, n int) *Store {
	s := mustOpen(b, b.TempDir())
	mustWrite(b, s, definition.Change{PutPlans: []*definition.UsagePlan{plan("p")}})
	for at := 0; at < n; {
		var ch definition.Change
		for ; at < n && len(ch.PutKeys) < 10_000; at++ {
			k := key(fmt.Sprintf("k%09d", at))
			ch.PutKeys = append(ch.PutKeys, k)
			ch.PutPlanKeys = append(ch.PutPlanKeys, definition.PlanKey{PlanID: "p", KeyID: k.ID})
		}
		mustWrite(b, s, ch)
	}
	return s
}

func BenchmarkEachOf100000Keys(b *testing.B) {
	const keys = 100_000
	s := manyKeys(b, keys)
	b.ReportAllocs()
	for b.Loop() {
		values, pairs := 0, 0
		if err := s.EachKey(func(string, [16]byte, bool) error { values++; return nil }); err != nil {
			b.Fatal(err)
		}
		if err := s.EachPlanKey(func(string, string) error { pairs++; return nil }); err != nil {
			b.Fatal(err)
		}
		if values != keys || pairs != keys {
			b.Fatalf("%d values, %d pairs", values, pairs)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}

func BenchmarkWriteUsageOf10000Keys(b *testing.B) {
	const keys = 10_000
	s := manyKeys(b, keys)
	us := make([]definition.Usage, keys)
	n := int64(0)
	for b.Loop() {
		n++
		for i := range us {
			us[i] = usage(40, n, n)
			us[i].KeyID = fmt.Sprintf("k%09d", i)
		}
		writeUsage(b, s, us...)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}
