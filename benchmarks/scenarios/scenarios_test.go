package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/callers"
	"github.com/tidegate/tidegate/benchmarks/limits"
	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// The test binary holds caches and generates load, as the bench binary does.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || os.Args[1] != caches.Command && !load.IsCommand(os.Args[1]) {
		os.Exit(m.Run())
	}
	var err error
	if os.Args[1] == caches.Command {
		err = caches.ServeCommand(os.Args[2], os.Stdin, os.Stdout)
	} else {
		err = load.ServeCommand(os.Args[1], os.Args[2], os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The names are those which others rely on.
func TestScenariosAndFigures(t *testing.T) {
	want := map[string]string{
		"proxy": "cpu_vs_nginx cpu_vs_haproxy cpu_vs_caddy", "proxy-10k": "cpu_vs_nginx", "proxy-post": "cpu_vs_nginx",
		"proxy-tls": "cpu_vs_nginx", "mock": "cpu_vs_nginx_return", "latency": "p99_vs_nginx", "routes": "cpu_vs_small",
		"deploy": "swap_vs_nginx_reload failed", "idle": "bytes_per_conn", "plan": "cpu_vs_bare",
		"waf":       "rules_cpu_vs_without crs_vs_coraza",
		"cache-hit": "cpu_vs_nginx cpu_vs_varnish", "cache-hit-10k": "cpu_vs_nginx",
		"auth":      "sigv4_vs_signer sigv4_allocs jwt_cached_vs_verify jwt_cached_allocs jwt_es256_vs_library authorizer_cached_vs_verify authorizer_cached_allocs",
		"gate-cost": "pass_vs_reference drop_vs_reference sentence_us million_prefixes_s", "gate-refuse": "nginx_over_respond nginx_over_drop",
		"gate-attack": "throughput_kept p99_ratio",
		"cachestore":  "vs_fastcache vs_bigcache vs_freecache get_allocs", "cache-gc": "heap_mib max_pause_vs_map",
		"limiter": "vs_xtime scaling_2_cores decision_vs_xtime accuracy_used accuracy_over spend_allocs decision_allocs lookup_vs_map find_allocs keys_bytes keys_scanned_bytes",
	}
	for name, figures := range want {
		found, err := Find(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, f := range strings.Fields(figures) {
			if found[0].reach(f) == nil {
				t.Errorf("%s: no bound for %s", name, f)
			}
		}
	}
	all, err := Find("all")
	if err != nil || len(all) != len(Names()) {
		t.Errorf("all: %d of %d, %v", len(all), len(Names()), err)
	}
	if _, err := Find("nothing"); err == nil || !strings.Contains(err.Error(), "proxy-tls") {
		t.Errorf("an unknown name: %v", err)
	}
}

// A run may take 60 s in all: turns, warm-ups, and some seconds to start.
func TestScenariosAreShort(t *testing.T) {
	for _, s := range all {
		rivals := 2
		switch s.Name {
		case "proxy", "routes":
			rivals = 4
		case "plan", "cache-hit-10k":
			rivals = 3
		case "cache-hit", "cachestore":
			rivals = 6
		case "auth", "gate-refuse", "gate-attack":
			rivals = 8
		}
		turn := s.Window
		switch s.Name {
		case "waf": // and three inspectors, a quarter of a window each
			turn += 3 * s.Window / 8
		case "limiter": // 6 kinds of spends, 6 hot limits that take twice as long, 2 lookups, the accuracy; and to make the keys
			rivals = 4
			turn = (20*s.Window + 400*time.Millisecond) / 4
		case "cachestore": // two kinds of gets
			turn *= 2
		case "cache-gc": // filling takes its time, and so does a collection of the map
			turn = 20 * time.Second
		case "gate-cost": // each round runs 10 kinds of packets, and condemns; and there are the loads
			turn = 300 * time.Millisecond
		case "gate-attack": // the attack begins and ends around it; and it is calibrated
			turn += 200 * time.Millisecond
		case "latency":
			turn += 2 * warmUp / 10
		case "deploy":
			turn += 500 * time.Millisecond
		case "idle":
			turn += 4 * time.Second
		}
		if total := time.Duration(s.Rounds*rivals)*turn + time.Duration(rivals)*warmUp; total > 52*time.Second {
			t.Errorf("%s takes %v", s.Name, total)
		}
	}
}

func TestInterleaveTurnsTheOrderAround(t *testing.T) {
	b := &bench{rounds: 3, log: io.Discard}
	var order []string
	err := interleave(context.Background(), b, []string{"a", "b", "c"}, strings.Clone, func(round int, s string) (map[string]float64, error) {
		order = append(order, s)
		return map[string]float64{"v": float64(round)}, nil
	})
	if got := strings.Join(order, ""); err != nil || got != "abccbaabc" {
		t.Errorf("order %s, %v", got, err)
	}
	if len(b.samples) != 9 || b.samples[3].Rival != "c" || b.samples[3].Round != 1 || b.samples[3].Values["v"] != 1 {
		t.Errorf("samples %+v", b.samples)
	}

	failed := errors.New("a request failed")
	err = interleave(context.Background(), b, []string{"a"}, strings.Clone, func(int, string) (map[string]float64, error) { return nil, failed })
	if !errors.Is(err, failed) {
		t.Errorf("a failed turn: %v", err)
	}
}

func TestPlan(t *testing.T) {
	site := planSite(&rivals.Server{URL: "http://127.0.0.1:1"})
	if len(site.APIs) != 2 || site.APIs[0].Key != "" || site.APIs[1].Key != planKey || site.APIs[0].Name == site.APIs[1].Name {
		t.Errorf("APIs %+v", site.APIs)
	}
	if n := len(planKey); n < 20 || n > 128 {
		t.Errorf("a key of %d characters", n)
	}
	if got := headers("h.test", "k"); got != "wrk.headers['Host'] = 'h.test'\nwrk.headers['X-Api-Key'] = 'k'\n" {
		t.Errorf("headers %q", got)
	}
	if got := headers("h.test", ""); strings.Contains(got, "Key") {
		t.Errorf("headers of the bare API: %q", got)
	}

	for status, in := range map[int]string{http.StatusForbidden: "", http.StatusOK: "not in force"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "h.test" || r.Header.Get("X-Api-Key") != "" {
				t.Errorf("asked %s with %v", r.Host, r.Header)
			}
			w.WriteHeader(status)
		}))
		defer s.Close()
		if err := refuses(context.Background(), s.URL, "h.test"); (err == nil) != (in == "") || err != nil && !strings.Contains(err.Error(), in) {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

// What is compared exists, and every rival says which module it is of.
func TestLimiters(t *testing.T) {
	for _, l := range append(limits.Uncontended(), limits.Hot(hotCores)...) {
		if limits.Modules[l.Name] == "" && !strings.HasPrefix(l.Name, limits.Tidegate) {
			t.Errorf("the module of %s is not known", l.Name)
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(hotCores))
	b := &bench{rounds: 2, window: 4 * time.Millisecond, log: io.Discard, keys: 10_000}
	figures, err := limiter(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "limiter", figures)
}

// allTaken fails unless the scenario's judged figures are among these.
func allTaken(t *testing.T, scenario string, figures []report.Figure) {
	t.Helper()
	s, err := Find(scenario)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for _, f := range figures {
		taken[f.Name] = true
	}
	for _, judged := range []map[string]float64{s[0].AtMost, s[0].AtLeast} {
		for name := range judged {
			if !taken[name] {
				t.Errorf("%s was not taken", name)
			}
		}
	}
}

// A self check compares like with like, under all names.
func TestLimiterSelfCheck(t *testing.T) {
	b := &bench{rounds: 3, window: 4 * time.Millisecond, log: io.Discard, selfCheck: true}
	figures, err := limiter(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures[:3] {
		if f.Value < 0.2 || f.Value > 5 {
			t.Errorf("%s is %v", f.Name, f.Value)
		}
	}
}

// What is compared with is of a module that is known, and all figures are taken; in
// a self check they compare like with like.
func TestAuth(t *testing.T) {
	for _, selfCheck := range []bool{false, true} {
		b := &bench{rounds: 2, window: 4 * time.Millisecond, log: io.Discard, selfCheck: selfCheck}
		figures, err := auth(context.Background(), b)
		if err != nil {
			t.Fatal(err)
		}
		allTaken(t, "auth", figures)
		for _, s := range b.samples {
			if callers.Modules[s.Rival] == "" && !strings.HasPrefix(s.Rival, "tidegate-") {
				t.Errorf("the module of %s is not known", s.Rival)
			}
		}
		for _, f := range figures {
			if selfCheck && strings.Contains(f.Name, "_vs_") && (f.Value < 0.2 || f.Value > 5) {
				t.Errorf("self check: %s is %v", f.Name, f.Value)
			}
		}
	}
}

func TestRouteSet(t *testing.T) {
	site := routeSet("127.0.0.1:1", 100, 100, false)
	if len(site.APIs) != 100 {
		t.Fatalf("%d APIs", len(site.APIs))
	}
	seen := map[string]bool{}
	for _, r := range site.APIs[99].Routes {
		seen[r.Path] = true
	}
	if len(seen) != 100 || !seen["/res00"] || !seen["/res24/{id}/items/{item}"] {
		t.Errorf("%d different routes", len(seen))
	}
}

// Every route is asked for, and the small set gets requests of the same shapes.
func TestRandomRequestsCoverAllRoutes(t *testing.T) {
	for _, c := range []struct{ apis, routes, covered int }{{100, 100, 10_000}, {1, 10, 10}} {
		site := routeSet("127.0.0.1:1", c.apis, c.routes, true)
		hosts := make([]string, c.apis)
		for i := range hosts {
			hosts[i] = "h" + strings.Repeat("x", i)
		}
		_, list, _ := strings.Cut(randomRequests(hosts, site.APIs), "[[\n")
		list, _, _ = strings.Cut(list, "]]")
		covered := map[string]bool{}
		lines := strings.Split(strings.TrimSpace(list), "\n")
		for _, line := range lines {
			host, path, _ := strings.Cut(line, " ")
			segments := strings.Split(path, "/")
			for i, s := range segments {
				if len(s) == 6 && s[0] >= '0' && s[0] <= '9' {
					segments[i] = "*"
				}
			}
			covered[host+strings.Join(segments, "/")] = true
		}
		if len(lines) != spread || len(covered) != c.covered {
			t.Errorf("%d APIs: %d requests cover %d routes, want %d", c.apis, len(lines), len(covered), c.covered)
		}
	}
}

func TestRevision(t *testing.T) {
	api := revision(7)
	last := api.Routes[len(api.Routes)-1]
	if len(api.Routes) != 10_000 || last.Path != "/r/09999" || last.Target != "/revision/7/09999" || routePath(9999) != "/prod/r/09999" {
		t.Errorf("%d routes, the last %+v", len(api.Routes), last)
	}
}

func TestWatch(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case n == 2: // a refused probe is asked again
			w.WriteHeader(http.StatusServiceUnavailable)
		case n < 4:
			_, _ = io.WriteString(w, "revision 1\n")
		default:
			_, _ = io.WriteString(w, "revision 2\n")
		}
	}))
	defer s.Close()
	if _, err := watch(context.Background(), s.URL, "revision 2\n"); err != nil || asked.Load() != 4 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := watch(ctx, s.URL, "revision 3\n"); err == nil || !strings.Contains(err.Error(), "revision 2") {
		t.Errorf("a revision that never comes: %v", err)
	}
}
