// Package load makes requests, always from a process of its own so that what
// a generator costs is never charged to the gateway: wrk for as much as a
// number of connections can carry (closed loop), and this module's own
// generators for a constant rate (open loop), for idle connections and for fresh
// ones.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/benchmarks/network"
)

// Wrk is one run of wrk with a single thread.
type Wrk struct {
	URL         string
	Connections int
	Duration    time.Duration // wrk counts whole seconds; it is rounded up
	Lua         string        // what the requests are; empty for plain GETs of URL
	From        *network.Host // where it runs; nil for the host of this process
}

// Summary is what a run of wrk has counted.
type Summary struct {
	Requests int64   `json:"requests"`
	Micros   float64 `json:"micros"` // how long it ran
	Bytes    int64   `json:"bytes"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Connect  int64   `json:"connect"` // failed connects, reads and writes
	Read     int64   `json:"read"`
	Write    int64   `json:"write"`
	Timeout  int64   `json:"timeout"`
	Status   int64   `json:"status"` // answers with a status of 400 or more
}

// RequestsPerSecond is the throughput.
func (s Summary) RequestsPerSecond() float64 { return float64(s.Requests) / s.Micros * 1e6 }

// report makes wrk print its counters as one line of JSON. It defines no
// response function, which would make wrk call Lua for every answer.
const report = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\n{"requests":%d,"micros":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,' ..
    '"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
`

// Run runs wrk and returns its counters. A request that failed, or was not
// answered with success, is an error.
func (w Wrk) Run(ctx context.Context) (Summary, error) {
	dir, err := os.MkdirTemp("", "wrk-")
	if err != nil {
		return Summary{}, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "script.lua")
	if err := os.WriteFile(script, []byte(w.Lua+report), 0o600); err != nil {
		return Summary{}, err
	}
	seconds := max(1, int((w.Duration+time.Second-1)/time.Second))
	argv := []string{"wrk", "-t1", "-c" + strconv.Itoa(w.Connections), "-d" + strconv.Itoa(seconds) + "s", "-s", script, w.URL}
	if w.From != nil {
		argv = w.From.Command(argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Summary{}, fmt.Errorf("wrk: %w: %s", err, bytes.TrimSpace(out))
	}
	return parseSummary(out)
}

func parseSummary(out []byte) (Summary, error) {
	out = bytes.TrimSpace(out)
	line := out[bytes.LastIndexByte(out, '\n')+1:]
	var s Summary
	if err := json.Unmarshal(line, &s); err != nil {
		return s, fmt.Errorf("wrk: its last line is not the counters: %w: %s", err, out)
	}
	if s.Connect+s.Read+s.Write+s.Timeout+s.Status > 0 {
		return s, fmt.Errorf("wrk: requests failed: %s", line)
	}
	if s.Requests == 0 {
		return s, errors.New("wrk: no request was answered")
	}
	return s, nil
}
