package authorizer

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/verdict"
)

// Authorizer is a compiled authorizer of a stage. It is immutable; any number of
// goroutines may use it. What it remembers outlives it: see [Store].
type Authorizer struct {
	// What every request reads comes first.
	prefix  []byte // of keys: where the authorizer belongs, and a hash of what it is
	sources []source
	state   *state
	ttl     int64 // nanoseconds
	missing bool  // a source that is the same for all requests has no value

	Name string
	ID   string

	// Unresolved says why the URI cannot be used, when that depends on the stage's
	// variables. Whoever asks is told Misconfigured.
	Unresolved error

	token      bool     // of type TOKEN
	fixed      []string // values of sources that are the same for all requests
	validation *regexp.Regexp
	endpoint   endpoint
	timeout    time.Duration
}

// Event is a request as an authorizer of type REQUEST is told of it. It is used
// on another goroutine than the request's.
type Event interface {
	// AuthorizerEvent returns the event as JSON.
	AuthorizerEvent(methodARN string) ([]byte, error)
}

// Question is what the owner's code is told of a request. The event is nil for an
// authorizer of type TOKEN. Neither may change any more.
type Question func() (methodARN string, event Event)

// Waiter waits for a verdict. Decided is called once, on another goroutine,
// unless Leave came first; it must not block.
type Waiter = verdict.Waiter[*Verdict]

// NeedsEvent reports whether a Question needs an Event.
func (a *Authorizer) NeedsEvent() bool { return !a.token }

// Lookup returns the verdict that is remembered for a key, or nil. now is in
// nanoseconds, of the clock of [Options]; loop is the number of the event loop
// that asks.
func (a *Authorizer) Lookup(key []byte, now int64, loop int) *Verdict {
	if a.ttl > 0 {
		if v := a.state.lookup(key, now); v != nil {
			a.state.stats.Hits.add(loop)
			return v
		}
	}
	a.state.stats.Misses.add(loop)
	return nil
}

// State is what has become of a question.
type State uint8

// States.
const (
	Waiting State = iota // the Waiter will be told
	Invalid              // the token does not match the validation expression: Unauthorized, and nobody is asked
	Busy                 // too many calls are under way, or too many requests wait for them
)

// Ask has the owner's code asked about a key that Lookup does not know, unless
// that is under way already, and w told. key is copied. about is called, before
// Ask returns, only if there is a call to be made.
//
// It takes a lock for a moment, and never waits.
func (a *Authorizer) Ask(key []byte, about Question, w Waiter) State {
	s := a.state
	if a.validation != nil && !a.validation.Match(a.tokenOf(key)) {
		s.stats.Invalid.Add(1)
		return Invalid
	}
	waits, room := s.calls.Wait(key, w)
	if !waits && room {
		own := bytes.Clone(key)
		methodARN, event := about()
		waits = s.calls.Join(own, w, func() *Verdict { return a.ask(own, methodARN, event) })
	}
	if !waits {
		s.stats.Busy.Add(1)
		return Busy
	}
	return Waiting
}

// Leave ends a wait. It is false when Decided has been called, or is about to be.
// The call goes on.
func (a *Authorizer) Leave(key []byte, w Waiter) bool { return a.state.calls.Leave(key, w) }

// ask makes the call and remembers its verdict.
func (a *Authorizer) ask(key []byte, methodARN string, event Event) *Verdict {
	s := a.state
	start := s.now()
	if v := s.lookup(key, start); v != nil { // a call ended after this request had looked
		return v
	}
	ctx, cancel := context.WithTimeout(s.ctx, a.timeout)
	defer cancel()
	v := a.call(ctx, key, methodARN, event)
	end := s.now()
	v.Latency = end - start
	s.stats.count(&v)
	if v.Err != nil {
		s.failure.Store(&failure{v.Err.Error(), time.Now()})
	}
	if v.lasting && a.ttl > 0 {
		remembered := v
		remembered.Latency = 0 // as AWS says of an answer from its cache
		s.remember(key, remembered, end, end+a.ttl)
	}
	return &v
}

func (a *Authorizer) call(ctx context.Context, key []byte, methodARN string, event Event) Verdict {
	var text []byte
	var err error
	if a.token {
		text, err = json.Marshal(tokenEvent{"TOKEN", string(a.tokenOf(key)), methodARN})
	} else {
		text, err = event.AuthorizerEvent(methodARN)
	}
	if err != nil {
		return failed(err)
	}
	return a.endpoint.ask(ctx, text)
}

// tokenEvent is what an authorizer of type TOKEN is told.
type tokenEvent struct {
	Type               string `json:"type"`
	AuthorizationToken string `json:"authorizationToken"`
	MethodARN          string `json:"methodArn"`
}
