package pipeline

import (
	crand "crypto/rand"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/overload"
	"github.com/tidegate/tidegate/dataplane/session"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/waf"
	"github.com/tidegate/tidegate/limiter"
)

// Settings bound requests and answers.
type Settings struct {
	MaxBody     int64 // bytes of requests, for the message of a 413
	MaxResponse int64 // bytes of answers

	// Allowed is how many requests may be in flight on one event loop when another
	// of a priority comes; 0 is any number.
	Allowed Allowances
}

// Pipeline is what the event loops share: one pointer to all live stages, and
// what counts.
type Pipeline struct {
	snapshot  atomic.Pointer[deploy.Snapshot]
	settings  atomic.Pointer[Settings]
	admission Admission
	log       *telemetry.AccessLog // nil for none
	variables []variable           // of log
	rejected  *telemetry.Counters  // by Reason
	sockets   *session.Sessions
	workers   []*Worker
}

// New returns a pipeline that serves nothing yet. log and rejected may be nil.
// sockets serves from what the pipeline does.
func New(settings Settings, a Admission, sockets *session.Sessions, log *telemetry.AccessLog, rejected *telemetry.Counters) *Pipeline {
	p := &Pipeline{admission: a, sockets: sockets, log: log, variables: variablesOf(log.Context()), rejected: rejected}
	sockets.Serve(p.Snapshot)
	p.settings.Store(&settings)
	return p
}

// Swap makes s what new requests are served from.
func (p *Pipeline) Swap(s *deploy.Snapshot) { p.snapshot.Store(s) }

// Snapshot returns what requests are served from, or nil.
func (p *Pipeline) Snapshot() *deploy.Snapshot { return p.snapshot.Load() }

// SetSettings changes the bounds for what comes next.
func (p *Pipeline) SetSettings(s Settings) { p.settings.Store(&s) }

// InFlight returns the requests being served, as of lately.
func (p *Pipeline) InFlight() (n int64) {
	for _, w := range p.workers {
		n += w.inFlight.Load()
	}
	return n
}

// Requests returns the requests that were answered, as of lately.
func (p *Pipeline) Requests() (n uint64) {
	for _, w := range p.workers {
		n += w.finished.Load()
	}
	return n
}

// Worker is one event loop's part of the pipeline.
type Worker struct {
	pipeline *Pipeline
	loop     *loop.Loop
	sessions *session.Worker
	random   *rand.ChaCha8
	scratch  []byte // for the head being written
	charges  []limiter.Charge
	entry    []byte         // read from a cache
	waiting  []*transaction // for another request that fills a cache

	revalidations int    // in the background, under way
	date          []byte // the Date field of the second
	dateOf        int64
	record        telemetry.Record
	message       []byte // of record, or of a refusal
	policy        policy.Context
	scratchARN    auth.Scratch
	inspected     waf.Input
	method        []byte // of inspected
	keyID         []byte // of record
	contextText   []byte // likewise
	contextValues [][]byte

	serving  int64
	allowed  Allowances // as of the last tick
	shedder  overload.Shedder
	done     uint64
	inFlight atomic.Int64
	finished atomic.Uint64
}

// maxCharges is how many limits a request can be under: account, stage, method,
// plan and quota.
const maxCharges = 5

// scratchSize fits a head and a small body, in bytes.
const scratchSize = 32 << 10

// Worker adds an event loop, before it has sockets.
func (p *Pipeline) Worker(l *loop.Loop) *Worker {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	w := &Worker{pipeline: p, loop: l, sessions: session.NewWorker(p.sockets, l), random: rand.NewChaCha8(seed), scratch: make([]byte, 0, scratchSize), charges: make([]limiter.Charge, 0, maxCharges)}
	w.allowed = p.settings.Load().Allowed
	p.workers = append(p.workers, w)
	l.OnTick(func(now int64) {
		w.expireWaits(now)
		w.allowed = p.settings.Load().Allowed
		w.inFlight.Store(w.serving)
		w.finished.Store(w.done)
	})
	return w
}

// Handler makes the handler of an exchange; it is for front.New.
func (w *Worker) Handler(x *front.Exchange) front.Handler {
	t := &transaction{x: x, worker: w}
	t.call.Receiver = t
	return t
}

// appendDate appends the Date field (RFC 9110 section 6.6.1).
func (w *Worker) appendDate(dst []byte, now int64) []byte {
	if second := w.loop.Wall(now) / int64(time.Second); second != w.dateOf || w.date == nil {
		w.dateOf = second
		w.date = append(w.date[:0], "Date: "...)
		w.date = time.Unix(second, 0).UTC().AppendFormat(w.date, "Mon, 02 Jan 2006 15:04:05 GMT")
		w.date = append(w.date, "\r\n"...)
	}
	return append(dst, w.date...)
}
