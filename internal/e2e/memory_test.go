package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/need"
)

// memoryGroup makes a control group that may use so many bytes, and returns the file
// that takes its processes.
func memoryGroup(t *testing.T, limit int) (procs string) {
	t.Helper()
	need.Root(t)
	name := fmt.Sprintf("tidegate-%d", os.Getpid())
	dir, file := filepath.Join("/sys/fs/cgroup", name), "memory.max"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil { // version 1
		dir, file = filepath.Join("/sys/fs/cgroup/memory", name), "memory.limit_in_bytes"
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("no control groups here: %v", err)
	}
	t.Cleanup(func() {
		for range 50 { // until its process is gone
			if os.Remove(dir) == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(limit)), 0o644); err != nil {
		t.Skipf("no memory control group here: %v", err)
	}
	return filepath.Join(dir, "cgroup.procs")
}

// TestR3LittleMemory: 200 uploads of 10 MB at once to a backend that reads slowly,
// through a daemon that may use half a gigabyte: none is killed for it, and
// operators are answered (R3). A long form alone.
func TestR3LittleMemory(t *testing.T) {
	if !soaking() {
		t.Skip("a long form alone; TestMemory and TestR5SlowBodies are the short ones")
	}
	const uploads, size, limit, most = 200, 10_000_000, 512 << 20, 480 << 10
	procs := memoryGroup(t, limit)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for buf := make([]byte, 64<<10); ; time.Sleep(50 * time.Millisecond) {
			if _, err := io.ReadFull(r.Body, buf); err != nil {
				break
			}
		}
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(s.Close)
	d := prepare(t, host{more: "upstream: {max_connections: 1024}"})
	d.run("sh", "-c", `echo $$ > `+procs+` && exec "$@"`, "sh")
	d.waitReady()
	d.deploy("prod", gatetest.ProxyAll(strings.TrimPrefix(s.URL, "http://"), 29000), nil)

	var mu sync.Mutex
	answers := map[int]int{} // 0: the connection ended without one
	body := make([]byte, size)
	var all sync.WaitGroup
	for range uploads {
		all.Go(func() {
			status := 0
			if c, err := dial(d.addr); err == nil {
				_ = c.conn.SetDeadline(time.Now().Add(time.Minute))
				go func() {
					_ = c.send(fmt.Sprintf("POST /prod/up HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size))
					_, _ = c.conn.Write(body)
				}()
				if a, err := c.receive("POST"); err == nil {
					status = a.status
				}
				_ = c.conn.Close()
			}
			mu.Lock()
			answers[status]++
			mu.Unlock()
		})
	}
	done, stop := make(chan struct{}), make(chan struct{})
	go func() { all.Wait(); close(done) }()
	admin := make(chan time.Duration)
	go func() { admin <- slowestAdmin(t, d, stop) }()
	resident, low := 0, 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-d.exited:
			t.Fatalf("the daemon ended: %v\n%s", d.err, d.stderr)
		case <-time.After(50 * time.Millisecond):
			if resident = max(resident, d.resident()); resident > most {
				low++
			}
		}
	}
	close(stop)
	slowest := <-admin
	found(t, "R3", "%d uploads: answers by status %v, %d MiB resident at most, operators answered within %s", uploads, answers, resident>>10, tenths(slowest))
	if low > 0 {
		t.Errorf("%d KiB resident", resident)
	}
	for status := range answers {
		if status != 200 && status != 503 && status != 413 && status != 504 {
			t.Errorf("status %d", status)
		}
	}
	if slowest > time.Second {
		t.Errorf("operators wait %s", slowest)
	}
}
