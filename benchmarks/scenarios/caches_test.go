package scenarios

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/internal/need"
)

// Every rival that is compared says which module it is of, and has its samples.
func TestCacheStores(t *testing.T) {
	for _, selfCheck := range []bool{false, true} {
		b := &bench{rounds: 2, window: 2 * time.Millisecond, log: io.Discard, selfCheck: selfCheck}
		figures, err := b.compareStores(context.Background(), caches.Contents{Entries: 5_000, ValueBytes: 256})
		if err != nil {
			t.Fatal(err)
		}
		allTaken(t, "cachestore", figures)
		for _, s := range b.samples {
			if caches.Modules[s.Rival] == "" && s.Rival != caches.Tidegate {
				t.Errorf("the module of %s is not known", s.Rival)
			}
		}
		if want := 6*2 + 6; len(b.samples) != want {
			t.Errorf("%d samples, want %d", len(b.samples), want)
		}
	}
}

func TestCacheHeaps(t *testing.T) {
	b := &bench{rounds: 2, log: io.Discard}
	figures, err := b.compareHeaps(context.Background(), caches.Contents{Entries: 10_000, ValueBytes: 1024})
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "cache-gc", figures)
	stored, mapped := report.Values(b.samples, caches.Tidegate, heapMeasure), report.Values(b.samples, caches.GoMap, heapMeasure)
	if stored[0] > mapped[0]/2 {
		t.Errorf("a heap of %v MiB, and of %v MiB with a map", stored[0], mapped[0])
	}
}

// A turn in which a request reaches the backend does not count.
func TestHitsAreHits(t *testing.T) {
	need.Tool(t, "nginx")
	need.Tool(t, "wrk")
	b := &bench{dir: t.TempDir(), rounds: 1, window: time.Second, log: io.Discard, tidegate: rivals.Nginx.As(rivals.TidegateName)}
	defer b.stopAll()
	ctx := context.Background()
	var err error
	if b.backend, err = b.start(ctx, rivals.Backend, rivals.Site{}, "/"); err != nil {
		t.Fatal(err)
	}
	servers, err := b.startCaches(ctx, b.tidegate)
	if err != nil {
		t.Fatal(err)
	}
	hits := func(name, path, lua string) error {
		return b.compareHits(ctx, []turn{{name, servers[0], load.Wrk{URL: servers[0].URL + path, Lua: lua}}})
	}
	if err := hits("hits", "/prod/10k", ""); err != nil {
		t.Error(err)
	}
	if err := hits("keys", "", everyKey()); err != nil {
		t.Error(err)
	}
	if v := b.samples[0].Values; v["hits_per_second"] <= 0 || v["bytes_per_answer"] < 10<<10 {
		t.Errorf("hits: %v", v)
	}
	// Unless it is seeded, every run of wrk makes the same numbers, and a slow one
	// only such as the warm-up had asked for.
	different := "math.randomseed(os.time())\nrequest = function() return wrk.format('GET', '/prod/512/' .. math.random(1000000000)) end\n"
	if err := hits("misses", "", different); err == nil || !strings.Contains(err.Error(), "reached the backend") {
		t.Errorf("misses: %v", err)
	}
}
