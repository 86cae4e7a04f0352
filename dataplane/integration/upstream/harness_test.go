package upstream_test

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// rig is one event loop with a group of targets.
type rig struct {
	t     *testing.T
	loop  *loop.Loop
	store *upstream.Store
}

func newRig(t *testing.T, edit ...func(*upstream.Config)) *rig {
	t.Helper()
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	c := upstream.Config{ConnectTimeout: time.Second, IdleTimeout: 10 * time.Second, MaxConnections: 8, MaxInFlight: 1000, MaxWaiting: 8, MaxBuffered: 1 << 26, RetryBudget: 0.2, DNSRefresh: time.Minute}
	for _, e := range edit {
		e(&c)
	}
	s := upstream.NewStore([]*loop.Loop{l}, c)
	t.Cleanup(func() {
		s.Close()
		l.Do(func() {})
		l.Close()
	})
	return &rig{t, l, s}
}

// target is the target at an address, for one API.
func (r *rig) target(addr string) *upstream.Group {
	r.t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		r.t.Fatal(err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.store.Group(upstream.Key{APIID: "api", Host: host, Port: uint16(n)})
}

// exchange is a call and what came of it. Its fields are set on the loop; read
// them when over is closed, or through rig.loop.Do.
type exchange struct {
	rig     *rig
	call    upstream.Call
	status  int
	header  string // the backend's X-Id
	body    strings.Builder
	pieces  int
	failure upstream.Failure
	drained int
	hold    bool // pause after each piece
	over    chan struct{}
}

// Receive implements upstream.Receiver.
func (x *exchange) Receive(first bool, body []byte, last bool) {
	if first {
		r := &x.call.Response
		x.status = r.Status
		for i := range r.Len() {
			if string(r.Name(i)) == "X-Id" {
				x.header = string(r.Value(i))
			}
		}
	}
	x.body.Write(body)
	x.pieces++
	if last {
		close(x.over)
	} else if x.hold {
		x.call.Pause()
	}
}

// Failed implements upstream.Receiver.
func (x *exchange) Failed(f upstream.Failure) {
	x.failure = f
	close(x.over)
}

// Drained implements upstream.Receiver.
func (x *exchange) Drained() { x.drained++ }

// start begins a call. edit may be nil.
func (r *rig) start(target *upstream.Group, verb http1.Verb, request string, complete bool, edit func(*exchange)) *exchange {
	r.t.Helper()
	x := &exchange{rig: r, over: make(chan struct{})}
	x.call.Receiver, x.call.Verb, x.call.MaxBody = x, verb, 1<<20
	r.loop.Do(func() {
		x.call.Deadline = r.loop.Now() + int64(5*time.Second)
		if edit != nil {
			edit(x)
		}
		x.call.Start(r.loop, target, []byte(request), complete)
	})
	return x
}

// wait waits for the end of the call.
func (x *exchange) wait() *exchange {
	x.rig.t.Helper()
	select {
	case <-x.over:
	case <-time.After(10 * time.Second):
		x.rig.t.Fatal("the call does not end")
	}
	return x
}

// do makes a whole call without a body.
func (r *rig) do(target *upstream.Group, verb http1.Verb) *exchange {
	r.t.Helper()
	return r.start(target, verb, verb.String()+" / HTTP/1.1\r\nHost: x\r\n\r\n", true, nil).wait()
}

// expect checks an answer.
func (x *exchange) expect(status int, body string) {
	x.rig.t.Helper()
	if x.failure != 0 || x.status != status || x.body.String() != body {
		failure := "none"
		if x.failure != 0 {
			failure = x.failure.String()
		}
		x.rig.t.Errorf("%d %q, failure %s; want %d %q", x.status, x.body.String(), failure, status, body)
	}
}

// expectFailure checks a failure.
func (x *exchange) expectFailure(f upstream.Failure) {
	x.rig.t.Helper()
	if x.failure != f {
		x.rig.t.Errorf("failure %d, answer %d %q; want failure %q", x.failure, x.status, x.body.String(), f)
	}
}

// opened returns the connections opened so far, and the calls on used ones.
func (r *rig) opened() (fresh, reused, retried int64) {
	return r.store.Opened[0].Load(), r.store.Reused[0].Load(), r.store.Retried[0].Load()
}

func (r *rig) expectOpened(fresh, reused, retried int64) {
	r.t.Helper()
	if f, u, n := r.opened(); f != fresh || u != reused || n != retried {
		r.t.Errorf("%d connections, %d reuses, %d retries; want %d, %d, %d", f, u, n, fresh, reused, retried)
	}
}

// eventuallyOpen waits until so many connections are open.
func (r *rig) eventuallyOpen(n int64) {
	r.t.Helper()
	eventually(r.t, func() error {
		if open := r.store.Open(); open != n {
			return errors.New(strconv.FormatInt(open, 10) + " connections are open")
		}
		return nil
	})
}

func eventually(t *testing.T, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
