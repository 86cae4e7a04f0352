package telemetry

import (
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// scrape returns the lines of the exposition that begin with prefix.
func scrape(t *testing.T, r *Registry, prefix string) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(w.Body)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, body)
	}
	var out strings.Builder
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, prefix) {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestStageMetrics(t *testing.T) {
	r := NewRegistry(2, "1.2.3")
	s := r.Stage("a1b2c3d4e5", "petstore", "prod")
	s.Observe(0, 200, 100_000, 99_000)
	s.Observe(1, 404, 100_001, -1)
	s.Observe(1, 504, 29_000_000_000, 29_000_000_000)
	s.Observe(0, 302, 40_000_000_000, -1)
	s.Observe(0, 499, -5, -1)
	labels := `{api="a1b2c3d4e5",api_name="petstore",stage="prod"`
	for _, want := range []string{
		"tidegate_count_total" + labels + "} 5\n",
		"tidegate_4xx_error_total" + labels + "} 2\n",
		"tidegate_5xx_error_total" + labels + "} 1\n",
		"tidegate_latency_seconds_bucket" + labels + `,le="0.0001"} 2` + "\n",
		"tidegate_latency_seconds_bucket" + labels + `,le="0.00025"} 3` + "\n",
		"tidegate_latency_seconds_bucket" + labels + `,le="10"} 3` + "\n",
		"tidegate_latency_seconds_bucket" + labels + `,le="30"} 4` + "\n",
		"tidegate_latency_seconds_bucket" + labels + `,le="+Inf"} 5` + "\n",
		"tidegate_latency_seconds_count" + labels + "} 5\n",
		"tidegate_latency_seconds_sum" + labels + "} 69.000200001\n",
		"tidegate_integration_latency_seconds_count" + labels + "} 2\n",
	} {
		name, _, _ := strings.Cut(want, "{")
		if got := scrape(t, r, name); !strings.Contains(got, want) {
			t.Errorf("want %sin %s", want, got)
		}
	}
	if got := scrape(t, r, "tidegate_build_info"); !strings.Contains(got, `version="1.2.3"`) {
		t.Errorf("build info: %s", got)
	}
	if scrape(t, r, "go_goroutines") == "" || scrape(t, r, "process_open_fds") == "" {
		t.Error("the metrics of the Go runtime or of the process are missing")
	}
}

func TestStageOutlivesDeploymentsUntilForgotten(t *testing.T) {
	r := NewRegistry(1, "")
	s := r.Stage("id", "old name", "prod")
	s.Observe(0, 200, 1, -1)
	if again := r.Stage("id", "new\xff name", "prod"); again != s {
		t.Error("a second deployment got other metrics")
	}
	if got, want := scrape(t, r, "tidegate_count_total"), `tidegate_count_total{api="id",api_name="new`+"\ufffd"+` name",stage="prod"} 1`+"\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
	r.Stage("id", "new name", "dev").Observe(0, 200, 1, -1)
	r.Forget("id", "prod")
	r.Forget("id", "none")
	s.Observe(0, 200, 1, -1)
	if got, want := scrape(t, r, "tidegate_count_total"), `tidegate_count_total{api="id",api_name="new name",stage="dev"} 1`+"\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestHostMetrics(t *testing.T) {
	r := NewRegistry(2, "")
	accepted := r.Counter(ConnectionsAccepted)
	open := r.Gauge(ConnectionsOpen)
	rejected := r.Counters(RequestsRejected, []string{"bad_request", "too_large"})
	r.CounterFunc(AccessLogLinesDropped, func() uint64 { return 9 })
	r.GaugeFunc(SnapshotGeneration, func() int64 { return 4 })
	accepted.Add(0, 1)
	accepted.Add(1, 2)
	open.Add(0, 2)
	open.Add(1, -3)
	rejected.Add(1, 1, 5)
	for _, row := range []struct{ prefix, want string }{
		{"tidegate_connections_accepted", "tidegate_connections_accepted_total 3\n"},
		{"tidegate_connections_open", "tidegate_connections_open -1\n"},
		{"tidegate_requests_rejected", "tidegate_requests_rejected_total{reason=\"bad_request\"} 0\ntidegate_requests_rejected_total{reason=\"too_large\"} 5\n"},
		{"tidegate_access_log", "tidegate_access_log_lines_dropped_total 9\n"},
		{"tidegate_snapshot", "tidegate_snapshot_generation 4\n"},
		{"tidegate_deploys", ""},
	} {
		if got := scrape(t, r, row.prefix); got != row.want {
			t.Errorf("got %swant %s", got, row.want)
		}
	}
	if accepted.Value() != 3 || open.Value() != -1 || rejected.Value(1) != 5 {
		t.Error("Value differs from the exposition")
	}
}

func TestBucketOf(t *testing.T) {
	naive := func(nanos int64) int {
		for i, bound := range bucketBounds {
			if nanos <= bound {
				return i
			}
		}
		return len(bucketBounds)
	}
	check := func(nanos int64) {
		if got, want := bucketOf(nanos), naive(nanos); got != want {
			t.Errorf("%d ns: got bucket %d, want %d", nanos, got, want)
		}
	}
	for bit := range 63 {
		for d := int64(-1); d <= 1; d++ {
			check(max(1<<bit+d, 0))
		}
	}
	for _, bound := range bucketBounds {
		check(bound - 1)
		check(bound)
		check(bound + 1)
	}
}

func TestShardsShareNoCacheLine(t *testing.T) {
	if n := unsafe.Sizeof(cell{}); n%cacheLine != 0 {
		t.Errorf("a cell has %d bytes", n)
	}
	if n := unsafe.Sizeof(planShard{}); n%cacheLine != 0 {
		t.Errorf("a plan's shard has %d bytes", n)
	}
	if n := unsafe.Sizeof(stageShard{}); n%cacheLine != 0 {
		t.Errorf("a stage's shard has %d bytes", n)
	}
}

func TestObserveCountsEverythingConcurrently(t *testing.T) {
	r := NewRegistry(2, "")
	s := r.Stage("id", "name", "prod")
	c := r.Counter(Deploys)
	var workers sync.WaitGroup
	for shard := range 4 {
		workers.Go(func() {
			for range 1000 {
				s.Observe(shard%2, 500, 1, 1)
				c.Add(shard%2, 1)
			}
		})
	}
	scrape(t, r, "")
	workers.Wait()
	if total := s.totals(); total.latency.count != 4000 || total.serverErrors != 4000 || c.Value() != 4000 {
		t.Errorf("got %+v, %d", total, c.Value())
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	r := NewRegistry(1, "")
	s, c, g := r.Stage("id", "name", "prod"), r.Counter(Deploys), r.Gauge(BufferedBytes)
	if n := testing.AllocsPerRun(1000, func() {
		s.Observe(0, 200, 1_000_000, 900_000)
		c.Add(0, 1)
		g.Add(0, -1)
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	s := NewRegistry(1, "").Stage("id", "name", "prod")
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		s.Observe(0, 200, i&0xffffff, i&0xfffff)
	}
}
