// Package telemetry counts and logs what the data plane does: the access log,
// the metrics, and the admin listener that shows them.
//
// What is called per request (AccessLog.Append, Stage.Observe, Plan.Observe,
// Counter.Add, Gauge.Add, Offenders.Report) neither blocks nor allocates. A
// shard is the index of an event loop; each loop uses its own shard, so that
// loops do not share cache lines.
package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// ringBytes is what a shard can hold while the disk is slow.
	ringBytes = 1 << 20
	// flushEvery bounds how long a line waits to be written.
	flushEvery = 200 * time.Millisecond
	// closeTimeout bounds how long Close waits for a disk or pipe that is stuck.
	closeTimeout = 5 * time.Second
)

// AccessLog writes one line of JSON per request to a file. Lines of one shard
// are in order; lines of several shards are interleaved in blocks.
//
// When the file cannot keep up or cannot be written, lines are dropped and
// counted. A nil *AccessLog is a log that is off.
type AccessLog struct {
	path   string // "-" is standard output
	shards []logShard
	wake   chan struct{}
	next   atomic.Pointer[os.File] // to be written to from now on
	failed atomic.Pointer[error]

	names []string // of the variables in Record.Context
	keys  []string

	closing   chan struct{}
	closeOnce sync.Once
	done      chan struct{}
}

type logShard struct {
	ring    ring
	dropped atomic.Uint64
	line    []byte // the producer's
	clock   clock
	_       [cacheLine]byte
}

// OpenAccessLog opens or creates the file at path for appending, "-" being
// standard output, and starts its writer. shards is the number of producers,
// context the names of further $context variables, whose values are in
// Record.Context. Close it when the last of the producers has stopped.
func OpenAccessLog(path string, shards int, context ...string) (*AccessLog, error) {
	file, err := openLogFile(path)
	if err != nil {
		return nil, err
	}
	l := newAccessLog(path, shards, ringBytes)
	l.names, l.keys = context, keysOf(context)
	go l.run(file, file)
	return l, nil
}

func newAccessLog(path string, shards, ringBytes int) *AccessLog {
	l := &AccessLog{
		path:    path,
		shards:  make([]logShard, shards),
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	for i := range l.shards {
		l.shards[i].ring.buf = make([]byte, ringBytes)
		l.shards[i].line = make([]byte, 0, 4096)
	}
	return l
}

func openLogFile(path string) (*os.File, error) {
	if path == "-" {
		return os.Stdout, nil
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("access log: %w; check access_log.path and that its folder exists and is writable", err)
	}
	return file, nil
}

// Context returns the names of the variables whose values are in Record.Context.
func (l *AccessLog) Context() []string {
	if l == nil {
		return nil
	}
	return l.names
}

// Append logs a request. Only one goroutine at a time may use a shard.
func (l *AccessLog) Append(shard int, r *Record) {
	if l == nil {
		return
	}
	s := &l.shards[shard]
	s.line = r.appendLine(s.line[:0], &s.clock, l.keys...)
	ok, half := s.ring.push(s.line)
	if !ok {
		s.dropped.Add(1)
	}
	if half {
		l.hurry()
	}
}

// Dropped returns how many lines were lost since the log was opened.
func (l *AccessLog) Dropped() uint64 {
	if l == nil {
		return 0
	}
	var n uint64
	for i := range l.shards {
		n += l.shards[i].dropped.Load()
	}
	return n
}

// Err returns why the last write failed, or nil if it did not.
func (l *AccessLog) Err() error {
	if l == nil {
		return nil
	}
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Reopen opens the path anew, after the file was renamed by log rotation. On an
// error the log goes on with the old file. It does not wait for the writer,
// which changes files within flushEvery (200 ms).
func (l *AccessLog) Reopen() error {
	if l == nil || l.path == "-" {
		return nil
	}
	file, err := openLogFile(l.path)
	if err != nil {
		return err
	}
	if unused := l.next.Swap(file); unused != nil {
		unused.Close()
	}
	l.hurry()
	return nil
}

// Close writes what was appended and closes the file. It gives up after five
// seconds when the file accepts nothing. What is appended later is lost.
func (l *AccessLog) Close() error {
	if l == nil {
		return nil
	}
	l.closeOnce.Do(func() { close(l.closing) })
	select {
	case <-l.done:
		return l.Err()
	case <-time.After(closeTimeout):
		return errors.New("access log: the file accepts no data; its last lines are lost")
	}
}

func (l *AccessLog) hurry() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run is the writer: the only goroutine that touches the file. file is nil in
// tests that write elsewhere.
func (l *AccessLog) run(out io.Writer, file *os.File) {
	defer close(l.done)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	w := &logWriter{out: out}
	for open := true; open; {
		select {
		case <-l.wake:
		case <-ticker.C:
		case <-l.closing:
			open = false
		}
		if next := l.next.Swap(nil); next != nil {
			if file != nil {
				file.Close()
			}
			file = next
			w = &logWriter{out: file}
		}
		for i := range l.shards {
			l.drain(&l.shards[i], w)
		}
	}
	if file != nil && file != os.Stdout {
		if err := file.Close(); err != nil {
			l.failed.Store(&err)
		}
	}
}

// drain writes what a shard holds. What cannot be written is dropped: keeping
// it would only drop newer lines instead.
func (l *AccessLog) drain(s *logShard, w *logWriter) {
	first, second := s.ring.pending()
	n := len(first) + len(second)
	if n == 0 {
		return
	}
	lost, err := w.write(first)
	if err == nil {
		lost, err = w.write(second)
	} else {
		lost += bytes.Count(second, newline)
	}
	if err != nil {
		err = fmt.Errorf("access log: %w", err)
		l.failed.Store(&err)
		s.dropped.Add(uint64(lost))
	} else {
		l.failed.Store(nil)
	}
	s.ring.release(n)
}

var newline = []byte{'\n'}

// logWriter remembers whether the last write ended inside a line.
type logWriter struct {
	out  io.Writer
	torn bool // by a failed write
	mid  bool // the last byte written was not a newline
}

// write writes b and returns how many lines of it did not get through.
func (w *logWriter) write(b []byte) (lost int, err error) {
	if w.torn {
		if _, err := w.out.Write(newline); err != nil {
			return bytes.Count(b, newline), err
		}
		w.torn, w.mid = false, false
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, err := w.out.Write(b)
	if n > 0 {
		w.mid = b[n-1] != '\n'
	}
	if err != nil {
		w.torn = w.mid
		return bytes.Count(b[n:], newline), err
	}
	return 0, nil
}
