package authorizer

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// gate is an endpoint that answers when it is opened.
type gate struct {
	url     string
	calls   atomic.Int64
	arrived chan struct{}
	open    chan struct{}
}

func newGate(t testing.TB) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 10_000), open: make(chan struct{})}
	g.url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		g.calls.Add(1)
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		io.WriteString(w, allowed)
	})
	return g
}

func ask(t testing.TB, a *Authorizer, r Request) (key []byte, w waiter, s State) {
	t.Helper()
	key, ok := a.AppendKey(nil, r)
	if !ok {
		t.Fatal("no key")
	}
	if a.Lookup(key, a.state.now(), 0) != nil {
		t.Fatal("remembered")
	}
	w = newWaiter()
	return key, w, a.Ask(key, about(petARN), w)
}

func TestOneCallForAThousand(t *testing.T) {
	g := newGate(t)
	a := compiled(t, definitionOf(g.url), newStore(t, Options{}))
	var all sync.WaitGroup
	waiters := make([]waiter, 1000)
	for i := range waiters {
		all.Go(func() {
			var s State
			if _, waiters[i], s = ask(t, a, told("x")); s != Waiting {
				t.Errorf("%d: state %d", i, s)
			}
		})
	}
	all.Wait()
	close(g.open)
	first := waiters[0].wait(t)
	for i, w := range waiters[1:] {
		if v := w.wait(t); v != first || seen(v, petARN) != "200 user|a1" {
			t.Fatalf("%d: %+v", i, v)
		}
	}
	if n := g.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
	key, _ := a.AppendKey(nil, told("x"))
	if v := a.Lookup(key, a.state.now(), 0); v == nil || v.Latency != 0 || first.Latency <= 0 {
		t.Errorf("%+v, %+v", v, first)
	}
}

// A verdict that came after a request had looked is used, and nobody asks again.
func TestAskLooksAgain(t *testing.T) {
	g := newGate(t)
	close(g.open)
	a := compiled(t, definitionOf(g.url), newStore(t, Options{}))
	key, w, _ := ask(t, a, told("x"))
	w.wait(t)
	for range 10 {
		late := newWaiter()
		if s := a.Ask(key, about(petARN), late); s != Waiting || seen(late.wait(t), petARN) != "200 user|a1" {
			t.Errorf("state %d", s)
		}
	}
	if n := g.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestCallsAndWaitersAreBounded(t *testing.T) {
	g := newGate(t)
	s := newStore(t, Options{MaxCalls: 2, MaxWaiters: 3})
	a := compiled(t, definitionOf(g.url), s)
	other := compiled(t, definitionOf(g.url, func(d *definition.Authorizer) { d.ID = "other" }), s)
	var waiters []waiter
	for _, c := range []struct {
		token string
		want  State
	}{{"a", Waiting}, {"b", Waiting}, {"c", Busy}, {"a", Waiting}, {"a", Busy}, {"d", Busy}} {
		_, w, state := ask(t, a, told(c.token))
		if state != c.want {
			t.Errorf("%s: state %d, want %d", c.token, state, c.want)
		}
		if state == Waiting {
			waiters = append(waiters, w)
		}
	}
	_, w, state := ask(t, other, told("a"))
	if state != Waiting {
		t.Errorf("another authorizer: state %d", state)
	}
	close(g.open)
	for _, w := range append(waiters, w) {
		w.wait(t)
	}
	if n := a.state.stats.Busy.Load(); n != 3 || other.state.stats.Busy.Load() != 0 {
		t.Errorf("%d busy", n)
	}
	if _, w, state := ask(t, a, told("c")); state != Waiting || w.wait(t).Outcome != Decided {
		t.Errorf("afterwards: state %d", state)
	}
}

// Requests that come at once ask for themselves when nothing is remembered.
func TestWithoutTTLEachAsks(t *testing.T) {
	g := newGate(t)
	a := compiled(t, definitionOf(g.url, func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(0) }), newStore(t, Options{}))
	var waiters []waiter
	for range 20 {
		_, w, _ := ask(t, a, told("x"))
		waiters = append(waiters, w)
	}
	close(g.open)
	for _, w := range waiters {
		w.wait(t)
	}
	if n := g.calls.Load(); n != 20 || a.state.allowing.verdicts.Load() != nil {
		t.Errorf("%d calls", n)
	}
}

func TestLeave(t *testing.T) {
	g := newGate(t)
	a := compiled(t, definitionOf(g.url), newStore(t, Options{}))
	key, stays, _ := ask(t, a, told("x"))
	_, leaves, _ := ask(t, a, told("x"))
	if !a.Leave(key, leaves) || a.Leave(key, leaves) {
		t.Error("leaving")
	}
	close(g.open)
	stays.wait(t)
	if len(leaves) != 0 || a.Leave(key, stays) {
		t.Error("told after leaving")
	}
}

// Leave and Decided race; exactly one of them wins.
func TestLeaveOrDecided(t *testing.T) {
	g := newGate(t)
	close(g.open)
	a := compiled(t, definitionOf(g.url, func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(1) }), newStore(t, Options{}))
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			key, _ := a.AppendKey(nil, told(fmt.Sprint(i%40)))
			w := newWaiter()
			if s := a.Ask(key, about(petARN), w); s != Waiting {
				t.Errorf("state %d", s)
				return
			}
			time.Sleep(time.Duration(r.IntN(2_000_000)))
			if a.Leave(key, w) {
				if len(w) != 0 {
					t.Error("left and told")
				}
				return
			}
			if w.wait(t); len(w) != 0 {
				t.Error("told twice")
			}
		})
	}
	all.Wait()
	if n := a.state.calls.Waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// A flush forgets also what is being asked for.
func TestFlushDuringACall(t *testing.T) {
	g := newGate(t)
	s := newStore(t, Options{})
	a := compiled(t, definitionOf(g.url), s)
	_, before, _ := ask(t, a, told("x"))
	<-g.arrived
	if !s.Flush(definition.StageKey{APIID: scope.APIID, Stage: scope.Stage}) || s.Flush(definition.StageKey{APIID: scope.APIID, Stage: "other"}) {
		t.Error("flush")
	}
	close(g.open)
	before.wait(t)
	_, after, _ := ask(t, a, told("x")) // fails if it is remembered
	after.wait(t)
	if n := g.calls.Load(); n != 2 {
		t.Errorf("%d calls", n)
	}
	key, _ := a.AppendKey(nil, told("x"))
	if a.Lookup(key, a.state.now(), 0) == nil {
		t.Error("not remembered")
	}
	s.Flush(definition.StageKey{APIID: scope.APIID, Stage: scope.Stage})
	if key, _ = a.AppendKey(nil, told("x")); a.Lookup(key, a.state.now(), 0) != nil {
		t.Error("remembered after a flush")
	}
}

func TestExpiry(t *testing.T) {
	var now atomic.Int64
	now.Store(1000)
	g := newGate(t)
	close(g.open)
	s := newStore(t, Options{Now: now.Load})
	a := compiled(t, definitionOf(g.url, func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(60) }), s)
	key, w, _ := ask(t, a, told("x"))
	w.wait(t)
	end := 1000 + 60*int64(time.Second)
	if a.Lookup(key, end-1, 0) == nil || a.Lookup(key, end, 0) != nil {
		t.Error("expiry")
	}
	cache := &a.state.allowing
	if s.sweep(end - 1); cache.len() != 1 {
		t.Error("swept too early")
	}
	if s.sweep(end); cache.len() != 0 {
		t.Error("not swept")
	}
}

func TestStore(t *testing.T) {
	s := newStore(t, Options{})
	a := compiled(t, definitionOf("http://h"), s)
	b := compiled(t, definitionOf("http://h", func(d *definition.Authorizer) { d.ID = "b" }), s)
	if again := compiled(t, definitionOf("http://other"), s); again.state != a.state || b.state == a.state {
		t.Error("a definition's state")
	}
	for range 5 {
		a.state.stats.Hits.add(0)
	}
	places := map[string]int64{}
	for _, st := range s.Status() {
		places[st.APIID+st.Stage+st.ID+st.Name] = st.Stats.Hits.Load()
	}
	if len(places) != 2 || places["abcdefghijproda1b2c3guard"] != 5 {
		t.Errorf("%v", places)
	}
	s.Retain(map[*Authorizer]bool{b: true})
	if len(s.all) != 1 || compiled(t, definitionOf("http://h"), s).state == a.state {
		t.Error("retain")
	}
	if n := s.Total().Hits.Load(); n != 5 {
		t.Errorf("%d hits in all once one is gone", n)
	}
}

// Close ends what is under way, as failures.
func TestClose(t *testing.T) {
	g := newGate(t)
	s := NewStore(Options{Now: now})
	a := compiled(t, definitionOf(g.url), s)
	_, w, _ := ask(t, a, told("x"))
	<-g.arrived
	s.Close()
	if v := w.wait(t); v.Outcome != Failed || v.Err == nil {
		t.Errorf("%+v", v)
	}
}

// Endpoints that are slow, dead, huge or not what they say take all they can get,
// while another authorizer, of the same store and for functions of the same
// service, answers every request at once.
func TestOneCannotHoldUpAnother(t *testing.T) {
	good := serve(t, answer(200, "", allowed))
	huge := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	lying, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lying.Close() })
	go func() {
		for i := 0; ; i++ {
			conn, err := lying.Accept()
			if err != nil {
				return
			}
			go func() {
				conn.Read(make([]byte, 4096))
				io.WriteString(conn, []string{
					"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
					"SSH-2.0-x\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "",
				}[i%5])
				io.Copy(io.Discard, conn)
				conn.Close()
			}()
		}
	}()
	service := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "slow") {
			hang(w, r)
			return
		}
		io.WriteString(w, allowed)
	})
	slow := serve(t, hang)
	s := newStore(t, Options{MaxCalls: 50, MaxWaiters: 100, Timeout: time.Minute, Lambda: newFunctions(t, service)})
	bad := map[string]string{
		"slow": slow, "huge": huge, "lying": "http://" + lying.Addr().String(), "dead": "http://127.0.0.1:1/",
		"function": strings.Replace(functionURI, "function:guard", "function:slow", 1),
	}
	busy := map[string]int{}
	for id, uri := range bad {
		a := compiled(t, definitionOf(uri, func(d *definition.Authorizer) { d.ID = id }), s)
		for i := range 200 {
			if _, _, state := ask(t, a, told(fmt.Sprint(i))); state == Busy {
				busy[id]++
			}
		}
	}
	if busy["slow"] != 150 || busy["function"] != 150 {
		t.Errorf("busy: %v", busy)
	}
	for id, uri := range map[string]string{"good": good, "good function": functionURI} {
		a := compiled(t, definitionOf(uri, func(d *definition.Authorizer) { d.ID, d.ResultTTLSeconds = id, seconds(0) }), s)
		for i := range 100 {
			if got := authorize(t, a, told(fmt.Sprint(i)), petARN); got != "200 user|a1" {
				t.Fatalf("%s: %s", id, got)
			}
		}
	}
}
