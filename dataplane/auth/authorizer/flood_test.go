package authorizer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// judge is a function that allows the tokens that begin with "good", and denies
// all others by a policy.
type judge struct{ calls atomic.Int64 }

func (j *judge) Invoke(_ context.Context, _ string, event []byte) ([]byte, bool, error) {
	j.calls.Add(1)
	var e tokenEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, false, err
	}
	if strings.HasPrefix(e.AuthorizationToken, "good") {
		return []byte(allowed), false, nil
	}
	return []byte(statement(`{'Effect':'Deny','Action':'*','Resource':'*'}`)), false, nil
}

// Whoever sends any number of tokens that are none has nobody else's forgotten,
// and no more than so many of his own remembered.
func TestAFloodForgetsNobody(t *testing.T) {
	j := &judge{}
	s := newStore(t, Options{Lambda: j, MaxVerdicts: 256})
	a := compiled(t, definitionOf(functionURI), s)
	var good []string
	for n := range 16 {
		good = append(good, fmt.Sprint("good", n))
		if got := authorize(t, a, told(good[n]), petARN); got != "200 user|a1" {
			t.Fatal(got)
		}
	}
	const garbage = 5000
	for n := range garbage {
		if got := authorize(t, a, told(fmt.Sprint("garbage", n)), petARN); got != seenDenied {
			t.Fatal(got)
		}
	}
	before := j.calls.Load()
	for _, token := range good {
		if got := authorize(t, a, told(token), petARN); got != "200 user|a1" {
			t.Error(got)
		}
	}
	if n := j.calls.Load() - before; n != 0 || before != garbage+int64(len(good)) {
		t.Errorf("%d of %d tokens were forgotten; %d calls before", n, len(good), before)
	}
	if n := s.Status()[0].Remembered; n > len(good)+256/denials {
		t.Errorf("%d are remembered", n)
	}
	// The last one is.
	if got := authorize(t, a, told(fmt.Sprint("garbage", garbage-1)), petARN); got != seenDenied || j.calls.Load() != before {
		t.Errorf("%s after %d calls", got, j.calls.Load()-before)
	}
}

// A request that is refused because there are too many costs no event.
func TestBusyMakesNoQuestion(t *testing.T) {
	g := newGate(t)
	a := compiled(t, definitionOf(g.url), newStore(t, Options{MaxCalls: 1, MaxWaiters: 2}))
	key, w, _ := ask(t, a, told("x"))
	asked := 0
	count := func() (string, Event) { asked++; return petARN, event() }
	again, other := newWaiter(), newWaiter()
	otherKey, _ := a.AppendKey(nil, told("y"))
	for _, c := range []struct {
		key  []byte
		w    waiter
		want State
	}{{otherKey, other, Busy}, {key, again, Waiting}, {key, newWaiter(), Busy}} {
		if got := a.Ask(c.key, count, c.w); got != c.want {
			t.Errorf("state %d, want %d", got, c.want)
		}
	}
	close(g.open)
	w.wait(t)
	again.wait(t)
	if asked != 0 {
		t.Errorf("%d events", asked)
	}
}
