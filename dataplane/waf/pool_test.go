package waf

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// waiter receives a verdict.
type waiter struct {
	got chan Verdict
}

func newWaiter() *waiter { return &waiter{make(chan Verdict, 2)} }

func (w *waiter) Inspected(v Verdict) { w.got <- v }

// onLoop is a request as an event loop first sees it: without its body.
func onLoop(t testing.TB, text string) (in *Input, body []byte) {
	in = requestOf(t, text)
	body, in.Body = in.Body, nil
	in.HaveBody, in.MayBlock = false, false
	return in, body
}

// Rules before the first that takes a body are evaluated once, on the event loop,
// and what they found is kept.
func TestInspectionGoesOnWhereItStopped(t *testing.T) {
	a := newWorld().compile(t, rules(
		ruleOf(1, byteStatement(path, "STARTS_WITH", "/x"), countAction, "x"),
		ruleOf(2, rateStatement(10, 60, "IP", nil), countAction),
		ruleOf(3, byteStatement(body, "CONTAINS", "evil"), blockAction),
		ruleOf(4, and(obj{"LabelMatchStatement": obj{"Scope": "LABEL", "Key": "x"}}, byteStatement(jsonField("VALUE", nil), "EXACTLY", "bad")), blockAction),
	))
	if !a.NeedsGoroutine() || a.BodyBytes() != DefaultBodyBytes {
		t.Errorf("needs a goroutine: %v, bytes of a body: %d", a.NeedsGoroutine(), a.BodyBytes())
	}
	for i, tc := range []struct{ request, want string }{
		{"POST /x\n\nan evil text", "blocked by rule3 counted rule1 labels " + account + ":webacl:shop:x"},
		{"POST /x\n\n[\"bad\"]", "blocked by rule4 counted rule1 labels " + account + ":webacl:shop:x"},
		{"POST /y\n\n[\"bad\"]", "allowed by "},
	} {
		in, body := onLoop(t, tc.request)
		v := a.Inspect(in, second)
		if v.Outcome != Unfinished {
			t.Fatalf("%d: %s", i, said(a, &v))
		}
		in.HaveBody, in.Body = true, body
		if again := a.Inspect(in, second); again.Outcome != Unfinished {
			t.Errorf("%d: a body is inspected on an event loop", i)
		}
		w := newWaiter()
		if !a.Go(in, v, w) {
			t.Fatal("refused")
		}
		copy(in.Body, strings.Repeat("-", len(body))) // the input is free again
		*in = Input{}
		got := <-w.got
		if said := said(a, &got); said != tc.want {
			t.Errorf("%d: %s, want %s", i, said, tc.want)
		}
	}
	in, _ := onLoop(t, "GET /x")
	if v := a.Inspect(in, second); v.Outcome != Allowed {
		t.Errorf("without a body: %s", said(a, &v))
	}
}

// Regular expressions on much text are left to a goroutine, and nothing is counted
// twice.
func TestMuchTextIsLeftToAGoroutine(t *testing.T) {
	w := newWorld()
	var all []any
	for i := range 20 {
		all = append(all, ruleOf(i, regexStatement(single("X-Long"), fmt.Sprintf(`[0-9]{%d}x`, i+3)), countAction))
	}
	all = append(all, ruleOf(50, rateStatement(10, 60, "IP", obj{"ScopeDownStatement": negate(regexStatement(single("X-Long"), "[0-9]y"))}), blockAction))
	a := w.compile(t, rules(all...))
	if !a.NeedsGoroutine() || a.BodyBytes() != 0 {
		t.Errorf("needs a goroutine: %v", a.NeedsGoroutine())
	}
	short, long := requestOf(t, "GET /\nX-Long: 1234x"), requestOf(t, "GET /\nX-Long: "+strings.Repeat("a", 5000)+"1234x")
	for i := range 12 {
		in := short
		if i%2 == 0 {
			in = long
		}
		in.MayBlock = false
		v := a.Inspect(in, second)
		if (v.Outcome == Unfinished) != (in == long) {
			t.Fatalf("%d: %s", i, said(a, &v))
		}
		if v.Outcome == Unfinished {
			one := newWaiter()
			if !a.Go(in, v, one) {
				t.Fatal("refused")
			}
			v = <-one.got
		}
		want := "allowed by  counted rule0,rule1"
		if i >= 10 {
			want = "blocked by rule50 counted rule0,rule1"
		}
		if got := said(a, &v); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
	if s := a.Stats(); s[0].Counted != 12 {
		t.Errorf("%+v", s[0])
	}
}

// A caller that forgot the body lets nothing pass.
func TestWithoutItsBodyNothingPasses(t *testing.T) {
	a := newWorld().compile(t, rules(ruleOf(1, byteStatement(body, "CONTAINS", "x"), blockAction)))
	in, _ := onLoop(t, "POST /\n\nx")
	w := newWaiter()
	if !a.Go(in, a.Inspect(in, second), w) {
		t.Fatal("refused")
	}
	if v := <-w.got; v.Outcome != Unavailable {
		t.Errorf("outcome %d", v.Outcome)
	}
	if (Verdict{}).Outcome == Allowed {
		t.Error("the zero verdict allows")
	}
}

func TestNoGoroutineIsNeeded(t *testing.T) {
	a := newWorld().compile(t, rules(ruleOf(1, byteStatement(path, "STARTS_WITH", "/x"), blockAction)))
	in, _ := onLoop(t, "POST /x\n\nbody")
	if v := a.Inspect(in, second); v.Outcome != Blocked || a.NeedsGoroutine() || a.BodyBytes() != 0 {
		t.Errorf("%s, needs a goroutine: %v, bytes of a body: %d", said(a, &v), a.NeedsGoroutine(), a.BodyBytes())
	}
}

// slow is a statement that takes as long as it is told.
type slow struct {
	started chan struct{}
	release chan struct{}
}

func (s *slow) match(in *Input, _ *ACL) bool {
	s.started <- struct{}{}
	select {
	case <-s.release:
	case <-in.context.Done():
		in.failed = true
	}
	return true
}

func slowACL(t *testing.T, s Settings) (*ACL, *slow) {
	w := newWorld()
	w.Store = NewStore(s)
	a := w.compile(t, rules(ruleOf(1, byteStatement(body, "CONTAINS", "x"), blockAction)))
	m := &slow{make(chan struct{}, 100), make(chan struct{})}
	a.rules[0].statement = m
	return a, m
}

func TestPoolIsBounded(t *testing.T) {
	a, m := slowACL(t, Settings{Concurrency: 2, Queue: 3, Timeout: time.Minute})
	in := requestOf(t, "POST /\n\nx")
	var waiters []*waiter
	for range 5 {
		w := newWaiter()
		waiters = append(waiters, w)
		if !a.Go(in, Verdict{rule: -1}, w) {
			t.Fatal("refused")
		}
	}
	refused := newWaiter()
	if a.Go(in, Verdict{rule: -1}, refused) {
		t.Error("a sixth was accepted")
	}
	<-m.started
	<-m.started
	if s := a.store.Inspections(); s.Running != 2 || s.Waiting != 3 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	close(m.release)
	for i, w := range waiters {
		if v := <-w.got; v.Outcome != Blocked {
			t.Errorf("%d: outcome %d", i, v.Outcome)
		}
	}
	for range 100 { // the goroutines end
		if a.store.Inspections().Running == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s := a.store.Inspections(); s != (PoolStats{Refused: 1}) {
		t.Errorf("%+v", s)
	}
	if len(refused.got) != 0 {
		t.Error("who was refused was told")
	}
}

// What takes too long does not pass, whether it runs or waits, and each waiter is
// told once.
func TestInspectionsAreTimed(t *testing.T) {
	a, m := slowACL(t, Settings{Concurrency: 1, Queue: 10, Timeout: 50 * time.Millisecond})
	in := requestOf(t, "POST /\n\nx")
	var waiters []*waiter
	for range 4 {
		w := newWaiter()
		waiters = append(waiters, w)
		a.Go(in, Verdict{rule: -1}, w)
	}
	for i, w := range waiters {
		if v := <-w.got; v.Outcome != Unavailable {
			t.Errorf("%d: outcome %d", i, v.Outcome)
		}
	}
	close(m.release)
	w := newWaiter()
	if !a.Go(in, Verdict{rule: -1}, w) {
		t.Fatal("refused")
	}
	if v := <-w.got; v.Outcome != Blocked {
		t.Errorf("afterwards: outcome %d", v.Outcome)
	}
	if s := a.store.Inspections(); s.Late != 4 {
		t.Errorf("%+v", s)
	}
	for i, w := range append(waiters, w) {
		if len(w.got) != 0 {
			t.Errorf("%d was told twice", i)
		}
	}
}

// A queue that is never empty stays in its order, and small.
func TestQueueIsARing(t *testing.T) {
	p := &pool{mostWaiting: 5} // whose jobs all wait
	ticketed := func(n int) *job {
		j := &job{ticket: &ticket{cancel: func() {}}}
		j.in.Shard = n
		return j
	}
	in, out := 0, 0
	for ; in < 3; in++ {
		p.submit(ticketed(in))
	}
	for range 100 {
		if j := p.next(); j.in.Shard != out {
			t.Fatalf("%d came before %d", j.in.Shard, out)
		}
		out++
		if !p.submit(ticketed(in)) {
			t.Fatal("refused")
		}
		in++
		if len(p.waiting) > 2*p.mostWaiting+2 {
			t.Fatalf("%d places for 3 jobs", len(p.waiting))
		}
	}
}

func TestPoolUnderLoad(t *testing.T) {
	w := newWorld()
	w.Store = NewStore(Settings{Concurrency: 3, Queue: 64})
	a := w.compile(t, rules(ruleOf(1, byteStatement(body, "CONTAINS", "evil"), blockAction)))
	var waiters []*waiter
	accepted := 0
	for i := range 2000 {
		text := fmt.Sprintf("POST /%d\n\nbody %d", i, i)
		if i%2 == 0 {
			text += " evil"
		}
		in, body := onLoop(t, text)
		v := a.Inspect(in, second)
		in.HaveBody, in.Body = true, body
		one := newWaiter()
		if !a.Go(in, v, one) {
			one = nil
		} else {
			accepted++
		}
		waiters = append(waiters, one)
	}
	for i, one := range waiters {
		if one == nil {
			continue
		}
		v := <-one.got
		if want := i%2 == 0; (v.Outcome == Blocked) != want {
			t.Fatalf("%d: %s", i, said(a, &v))
		}
	}
	if s := w.Store.Inspections(); accepted+int(s.Refused) != 2000 || accepted == 0 {
		t.Errorf("%d accepted, %+v", accepted, s)
	}
}
