package overload

import (
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// tree makes files under a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCgroups(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name  string
		files map[string]string
		used  int64
		limit int64 // 0: none
	}{
		{"none", map[string]string{}, 0, 0},
		{"version 2", map[string]string{
			"proc/self/cgroup":                                           "0::/system.slice/tidegate.service\n",
			"sys/fs/cgroup/system.slice/x":                               "",
			"sys/fs/cgroup/system.slice/tidegate.service/memory.max":     "536870912\n",
			"sys/fs/cgroup/system.slice/tidegate.service/memory.current": "400000000\n",
			"sys/fs/cgroup/system.slice/tidegate.service/memory.stat":    "anon 300000000\nfile 100000000\ninactive_file 90000000\nactive_file 10000000\n",
		}, 310000000, 512 << 20},
		{"version 2, the limit is the parent's", map[string]string{
			"proc/self/cgroup":               "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max":     "1073741824\n",
			"sys/fs/cgroup/a/memory.current": "1000\n",
			"sys/fs/cgroup/a/b/memory.max":   "max\n",
		}, 1000, gib},
		{"version 1", map[string]string{
			"proc/self/cgroup": "4:cpu,cpuacct:/x\n3:memory:/x\n0::/\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/x/memory.usage_in_bytes": "5000\n",
			"sys/fs/cgroup/memory/x/memory.stat":           "inactive_file 7\ntotal_inactive_file 1000\n",
		}, 4000, gib},
		{"version 1 without a limit", map[string]string{
			"proc/self/cgroup":                           "3:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0, 0},
		{"garbage", map[string]string{"proc/self/cgroup": "::\n:::\nx"}, 0, 0},
	} {
		g := findCgroup(tree(t, c.files))
		if (g == nil) != (c.limit == 0) {
			t.Errorf("%s: %+v", c.name, g)
			continue
		}
		if g == nil {
			continue
		}
		if used := g.used(make([]byte, 4096)); used != c.used || g.limit != c.limit {
			t.Errorf("%s: %d of %d, want %d of %d", c.name, used, g.limit, c.used, c.limit)
		}
	}
}

func TestMemoryOfThisProcess(t *testing.T) {
	empty := t.TempDir()
	use := newMemory(64<<30, math.MaxInt64, empty).read()
	if use.Limit != 64<<30 || use.Used < 1<<20 || use.Used > 32<<30 {
		t.Errorf("%+v", use)
	}
	if use := newMemory(0, math.MaxInt64, empty).read(); use.Limit < 64<<20 || use.Of != "the host" {
		t.Errorf("%+v", use)
	}
	if use := newMemory(0, 1<<40, empty).read(); use.Limit != 1<<40 || use.Of != "GOMEMLIMIT" {
		t.Errorf("%+v", use)
	}
	if use := newMemory(1<<20, 1<<40, empty).read(); use.Limit != 1<<20 || use.share() < 1 {
		t.Errorf("%+v: the tightest limit counts", use)
	}
}

func TestDescriptorsOfThisProcess(t *testing.T) {
	d := newDescriptors()
	before := d.open()
	for range 20 {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := d.open(); before < 3 || after < before+15 || after > DescriptorLimit() {
		t.Errorf("%d, and %d with 20 more", before, after)
	}
}

// queue is an event loop that runs what is posted when it is told to.
type queue struct {
	mu     sync.Mutex
	posted []func()
}

func (q *queue) Post(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.posted = append(q.posted, f)
	return true
}

func (q *queue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, f := range q.posted {
		f()
	}
	q.posted = nil
}

func TestDelayIsTheLeastOfLate(t *testing.T) {
	clock := int64(1)
	now := func() int64 { return clock }
	q := &queue{}
	p := newProbe(q, now)
	turn := func(wait time.Duration) time.Duration {
		d := p.sample(now)
		clock += int64(wait)
		q.run()
		clock += int64(Period - wait)
		return d
	}
	waits := []time.Duration{90, 80, 70, 60, 50, 40, 1, 90, 90, 90, 90, 90, 90}
	wants := []time.Duration{0, 0, 0, 0, 0, 50, 40, 1, 1, 1, 1, 1, 90}
	for i, wait := range waits {
		if got := turn(wait * time.Millisecond); got != wants[i]*time.Millisecond {
			t.Errorf("sample %d: %s, want %d ms", i, got, wants[i])
		}
	}
	// A loop that hangs has no end of its delay, and no pile of events either.
	var got time.Duration
	for range 20 {
		got = p.sample(now)
		clock += int64(Period)
	}
	if got < time.Second || len(q.posted) != 1 {
		t.Errorf("%s, %d events wait", got, len(q.posted))
	}
}

func TestMonitorRuns(t *testing.T) {
	q := &queue{}
	start := time.Now()
	m := NewMonitor(Config{MemoryBytes: 1 << 20, Descriptors: 1 << 20, InFlight: 100, Thresholds: thresholds}, Source{
		Loops: []Loop{q}, InFlight: func() int64 { return 90 }, Now: func() int64 { return int64(time.Since(start)) + 1 },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	m.Start()
	for end := time.Now().Add(5 * time.Second); !m.State.Load().Refuses(); { // there is more than a MiB in use
		if time.Now().After(end) {
			t.Fatal("no sample was judged")
		}
		q.run()
		time.Sleep(Period / 10)
	}
	m.Stop()
	r := m.Readings()
	if r[Memory].Level != 1 || math.Abs(r[InFlight].Level-0.5) > 0.01 || r[Descriptors].Level != 0 || m.MemoryUse().Limit != 1<<20 {
		t.Errorf("%+v, %+v", r, m.MemoryUse())
	}
}
