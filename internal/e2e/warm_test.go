package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCacheSurvivesRestart: a clean stop keeps what is cached; kill -9, also in
// the middle of saving, leaves a cold or a warm cache and never a wrong one.
func TestCacheSurvivesRestart(t *testing.T) {
	t.Parallel()
	b := newCounting(t, nil)
	d := start(t, host{more: "cache: {save_dir: caches}"})
	api := d.deploy("prod", caching(b.Addr), nil)
	d.account(t).enableCache(api, "/*/*/caching/ttlInSeconds", "3600")
	const keys = 3000
	want := map[string]string{}
	ask := func(i int) (body string, hit bool) {
		t.Helper()
		kind := fmt.Sprintf("?kind=%d", i)
		got := d.ask("GET", "/prod/pets"+kind, "")
		if got.status != 200 || !strings.HasPrefix(got.body, "/pets"+kind+" #") {
			t.Fatalf("%s: %d %q", kind, got.status, got.body)
		}
		return got.body, got.header.Get("X-Cache") == "Hit from tidegate"
	}
	for i := range keys {
		want[fmt.Sprint(i)], _ = ask(i)
	}
	restart := func() {
		d.client.Close()
		d.run()
		d.waitReady()
	}
	d.terminate(20 * time.Second)
	restart()
	for range 100 {
		i := rand.IntN(keys)
		if body, hit := ask(i); !hit || body != want[fmt.Sprint(i)] {
			t.Fatalf("key %d after a clean stop: %q, hit %v; want %q", i, body, hit, want[fmt.Sprint(i)])
		}
	}
	warm := 0
	for kill := range 5 {
		for i := range keys { // what is cold is filled
			want[fmt.Sprint(i)], _ = ask(i)
		}
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
		d.kill()
		restart()
		for range 100 {
			i := rand.IntN(keys)
			body, hit := ask(i)
			if hit {
				warm++
			}
			if hit && body != want[fmt.Sprint(i)] {
				t.Fatalf("kill %d: key %d: %q, want %q", kill, i, body, want[fmt.Sprint(i)])
			}
			want[fmt.Sprint(i)] = body
		}
	}
	t.Logf("%d of 500 were warm after a kill", warm)
}
