package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines returns the requestId of every line of a log; each must be whole.
func lines(t *testing.T, log []byte) (ids []string) {
	t.Helper()
	for line := range bytes.Lines(log) {
		var fields map[string]string
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		ids = append(ids, fields["requestId"])
	}
	return ids
}

func logFile(t *testing.T, path string) []string {
	t.Helper()
	log, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return lines(t, log)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not happen in 5 s", what)
		}
	}
}

func TestAccessLogKeepsEveryLineOfEveryShard(t *testing.T) {
	const shards, each = 4, 3000
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := OpenAccessLog(path, shards)
	if err != nil {
		t.Fatal(err)
	}
	var producers sync.WaitGroup
	for shard := range shards {
		producers.Go(func() {
			for i := range each {
				r := fullRecord()
				r.RequestID = fmt.Appendf(nil, "%d-%d", shard, i)
				l.Append(shard, r)
				if i%500 == 499 { // a pace that the writer can keep up with
					eventually(t, "drain", func() bool {
						first, _ := l.shards[shard].ring.pending()
						return len(first) == 0
					})
				}
			}
		})
	}
	producers.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := l.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
	next := [shards]int{}
	for _, id := range logFile(t, path) {
		var shard, i int
		fmt.Sscanf(id, "%d-%d", &shard, &i)
		if i != next[shard] {
			t.Fatalf("shard %d: line %d after %d", shard, i, next[shard]-1)
		}
		next[shard]++
	}
	if next != [shards]int{each, each, each, each} {
		t.Errorf("lines per shard: %v", next)
	}
}

func TestAccessLogFlushesInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	l, err := OpenAccessLog(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Append(0, fullRecord())
	start := time.Now()
	eventually(t, "flush", func() bool { return len(logFile(t, path)) == 1 })
	if took := time.Since(start); took > 5*flushEvery {
		t.Errorf("flushed after %v", took)
	}
}

func TestAccessLogReopen(t *testing.T) {
	dir := t.TempDir()
	path, rotated := filepath.Join(dir, "access.log"), filepath.Join(dir, "access.log.1")
	l, err := OpenAccessLog(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	l.Append(0, &Record{RequestID: []byte("old")})
	eventually(t, "flush", func() bool { return len(logFile(t, path)) == 1 })
	if err := os.Rename(path, rotated); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Reopen(), l.Reopen()); err != nil {
		t.Fatal(err)
	}
	l.Append(0, &Record{RequestID: []byte("new")})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(logFile(t, rotated), logFile(t, path)); got != "[old] [new]" {
		t.Errorf("got %s", got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil || !strings.Contains(err.Error(), "access_log.path") {
		t.Errorf("reopen in a folder that is gone: %v", err)
	}
	if _, err := OpenAccessLog(path, 1); err == nil {
		t.Error("open in a folder that is gone: no error")
	}
}

// stuckWriter blocks in Write until it is freed.
type stuckWriter struct {
	free chan struct{}
	mu   sync.Mutex
	log  bytes.Buffer
}

func (w *stuckWriter) Write(b []byte) (int, error) {
	<-w.free
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func TestAccessLogDropsWhenTheDiskIsStuck(t *testing.T) {
	w := &stuckWriter{free: make(chan struct{})}
	l := newAccessLog("test", 1, 8192)
	go l.run(w, nil)
	const appended = 1000
	start := time.Now()
	for i := range appended {
		l.Append(0, &Record{RequestID: fmt.Append(nil, i)})
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("appending took %v", took)
	}
	dropped := l.Dropped()
	if dropped == 0 || dropped >= appended {
		t.Fatalf("%d of %d lines dropped", dropped, appended)
	}
	close(w.free)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(lines(t, w.log.Bytes())); got != appended-int(dropped) {
		t.Errorf("%d lines written and %d dropped of %d", got, dropped, appended)
	}
}

// fullWriter takes so many bytes, then fails until it has room again.
type fullWriter struct {
	room int
	log  bytes.Buffer
}

var errFull = errors.New("no space left")

func (w *fullWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	w.log.Write(b[:n])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func TestAccessLogCountsWhatAFullDiskLoses(t *testing.T) {
	w := &fullWriter{room: 700}
	lw := &logWriter{out: w}
	l := newAccessLog("test", 1, 4096)
	for range 3 { // so that the ring wraps around
		for range 5 {
			l.Append(0, &Record{RequestID: []byte("lost")})
		}
		l.drain(&l.shards[0], lw)
	}
	if !errors.Is(l.Err(), errFull) {
		t.Errorf("got %v, want %v", l.Err(), errFull)
	}
	whole := uint64(bytes.Count(w.log.Bytes(), newline))
	if got := l.Dropped() + whole; got != 15 {
		t.Errorf("%d lines written and %d dropped of 15", whole, l.Dropped())
	}
	w.room = 1 << 20
	l.Append(0, &Record{RequestID: []byte("after")})
	l.drain(&l.shards[0], lw)
	if l.Err() != nil {
		t.Errorf("after it has room again: %v", l.Err())
	}
	_, last, _ := strings.Cut(w.log.String(), "\n{\"requestId\":\"after\"")
	if !strings.HasSuffix(last, "}\n") {
		t.Errorf("the line after a torn one is not on a line of its own: %s", w.log.String())
	}
}

func TestAccessLogThatIsOff(t *testing.T) {
	var l *AccessLog
	l.Append(0, fullRecord())
	if err := errors.Join(l.Reopen(), l.Close(), l.Err()); err != nil || l.Dropped() != 0 {
		t.Errorf("got %v, %d", err, l.Dropped())
	}
}

func TestAccessLogOnStandardOutput(t *testing.T) {
	l, err := OpenAccessLog("-", 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Reopen(), l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stdout.Stat(); err != nil {
		t.Errorf("standard output was closed: %v", err)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	l := newAccessLog("test", 1, 1<<20) // no writer: it fills up and drops
	r := fullRecord()
	r.UserAgent = []byte("bad \xff, good €, \"quoted\"")
	if n := testing.AllocsPerRun(5000, func() {
		r.RequestTime += 100
		l.Append(0, r)
	}); n != 0 {
		t.Errorf("%v allocations per run", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	l, err := OpenAccessLog(filepath.Join(b.TempDir(), "access.log"), 1)
	if err != nil {
		b.Fatal(err)
	}
	r := fullRecord()
	b.ReportAllocs()
	for b.Loop() {
		r.RequestTime++
		l.Append(0, r)
	}
	b.ReportMetric(float64(l.Dropped())/float64(b.N), "dropped/op")
	l.Close()
}
