package waf

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Waiter waits for a verdict. Inspected is called once, from another goroutine; it
// must not block.
type Waiter interface{ Inspected(Verdict) }

// Go finishes on a goroutine what Inspect left unfinished, and tells w. HaveBody
// has to be set for a request with a body. It copies what it needs of the request,
// so that in may be used again at once, and w may be told of a request that is
// gone.
//
// It is false, and w is told nothing, when too many wait: answer as for
// [Unavailable]. That is also the verdict when an inspection takes too long or the
// engine fails: what was not inspected does not pass. Behind an AWS load balancer
// it is so too; for API Gateway AWS does not say.
func (a *ACL) Go(in *Input, v Verdict, w Waiter) bool {
	j := jobs.Get().(*job)
	if !j.take(a, in, v) {
		return false
	}
	j.begin(w)
	return a.store.pool.submit(j)
}

// Finish is Go for a goroutine that waits for the verdict itself. It knows no
// queue and no time limit. in is as Inspect left it, with a body where there is
// one.
func (a *ACL) Finish(in *Input, v Verdict) Verdict {
	in.MayBlock = true
	in.begin(a, in.now)
	in.verdict = v
	if a.run(in); in.verdict.Outcome == Unfinished { // the body that it takes is not there
		in.verdict.Outcome = Unavailable
	}
	return in.verdict
}

// job is an inspection on a goroutine, with what it needs of the request.
type job struct {
	acl     *ACL
	in      Input
	request http1.Request
	head    []byte
	method  []byte
	body    []byte
	*ticket
}

var jobs = sync.Pool{New: func() any { return new(job) }}

// ticket is for one verdict. Whoever tells first ends it.
type ticket struct {
	waiter  Waiter
	told    atomic.Bool
	context context.Context
	cancel  context.CancelFunc
}

// claim says whether the caller is the one to tell.
func (t *ticket) claim() bool { return t.told.CompareAndSwap(false, true) }

func (t *ticket) tell(v Verdict) {
	if t.claim() {
		t.waiter.Inspected(v)
	}
}

// take copies the request, whose head is read again as it was.
func (j *job) take(a *ACL, in *Input, v Verdict) bool {
	j.acl = a
	j.head = append(j.head[:0], in.Request.Head()...)
	if fault := j.request.Parse(j.head, http1.Limits{Target: len(j.head), Header: len(j.head), Count: len(j.head)}); fault != 0 {
		return false
	}
	j.method = append(j.method[:0], in.method()...)
	j.body = append(j.body[:0], in.Body...)
	j.in.Request, j.in.Method, j.in.Source = &j.request, j.method, in.Source
	j.in.HaveBody, j.in.Body, j.in.BodyCut = in.HaveBody, j.body, in.BodyCut
	j.in.now, j.in.verdict = in.now, v
	return true
}

// begin lets the time run.
func (j *job) begin(w Waiter) {
	t := &ticket{waiter: w}
	t.context, t.cancel = context.WithTimeout(context.Background(), j.acl.store.settings.Timeout)
	j.ticket, j.in.context = t, t.context
	pool := &j.acl.store.pool
	context.AfterFunc(t.context, func() { // also when the job is done, which has told then
		if t.claim() {
			pool.late.Add(1)
			t.waiter.Inspected(Verdict{Outcome: Unavailable, rule: -1})
		}
	})
}

func (j *job) run(p *pool) {
	if j.context.Err() == nil {
		v := j.acl.Finish(&j.in, j.in.verdict)
		if j.context.Err() == nil { // else its end is told, or being told
			if j.in.failed {
				p.failed.Add(1)
			}
			j.tell(v)
		}
	}
	j.free()
}

// free gives the job's memory back.
func (j *job) free() {
	j.cancel()
	j.acl, j.ticket, j.in.context = nil, nil, nil
	jobs.Put(j)
}

// pool bounds how many jobs run at once, and how many wait.
type pool struct {
	most, mostWaiting int

	refused, late, failed atomic.Uint64

	mu      sync.Mutex
	running int
	waiting []*job // from first on
	first   int
}

// submit starts a job or has it wait. It takes a lock for no longer than that.
func (p *pool) submit(j *job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.running < p.most:
		p.running++
		go p.work(j)
	case len(p.waiting)-p.first < p.mostWaiting:
		p.waiting = append(p.waiting, j)
	default:
		p.refused.Add(1)
		j.told.Store(true)
		j.free()
		return false
	}
	return true
}

// work runs one job after the other as long as there are any.
func (p *pool) work(j *job) {
	for j != nil {
		j.run(p)
		j = p.next()
	}
}

func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.first == len(p.waiting) {
		p.waiting, p.first = p.waiting[:0], 0
		p.running--
		return nil
	}
	j := p.waiting[p.first]
	p.waiting[p.first] = nil
	p.first++
	if p.first > p.mostWaiting { // the front is empty
		p.waiting = append(p.waiting[:0], p.waiting[p.first:]...)
		p.first = 0
	}
	return j
}

// PoolStats is how the inspections on goroutines are.
type PoolStats struct {
	Running int
	Waiting int
	Refused uint64 // since the queue was full
	Late    uint64 // that took too long
	Failed  uint64 // in the engine of managed rules
}

// Inspections returns how the inspections on goroutines are. Any goroutine may
// call it.
func (s *Store) Inspections() PoolStats {
	p := &s.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{p.running, len(p.waiting) - p.first, p.refused.Load(), p.late.Load(), p.failed.Load()}
}
