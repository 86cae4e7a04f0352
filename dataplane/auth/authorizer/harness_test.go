package authorizer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
)

const (
	arn    = "arn:aws:execute-api:us-east-1:123456789012:abcdefghij"
	petARN = arn + "/prod/GET/pets/6"

	functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:guard/invocations"

	allowed = `{"principalId":"user|a1","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["` + arn + `/*/GET/pets/*"]}]}}`
)

// pair is a header field or a query parameter.
type pair struct{ name, value string }

// request is a Request of pairs.
type request struct {
	headers, query []pair
	context        map[ContextVar]string
}

// told makes a request with an Authorization field.
func told(token string) *request { return &request{headers: []pair{{"authorization", token}}} }

func (r *request) IdentityHeader(name string, from int) ([]byte, int) {
	return next(r.headers, from, func(p *pair) bool { return strings.EqualFold(p.name, name) })
}

func (r *request) IdentityQuery(name string, from int) ([]byte, int) {
	return next(r.query, from, func(p *pair) bool { return p.name == name })
}

func (r *request) AppendIdentityContext(dst []byte, v ContextVar) []byte {
	return append(dst, r.context[v]...)
}

func next(pairs []pair, from int, is func(*pair) bool) ([]byte, int) {
	for i := from; i < len(pairs); i++ {
		if is(&pairs[i]) {
			return []byte(pairs[i].value), i + 1
		}
	}
	return nil, -1
}

var scope = &Scope{
	APIID: "abcdefghij", Stage: "prod",
	Variables: map[string]string{"tenant": "blue", "function": "guard"},
	Context:   map[string]string{"apiId": "abcdefghij", "stage": "prod"},
	Function:  lambda.ParseURI,
}

func seconds(n int) *int { return &n }

// definitionOf makes an authorizer of type TOKEN.
func definitionOf(uri string, change ...func(*definition.Authorizer)) *definition.Authorizer {
	d := &definition.Authorizer{ID: "a1b2c3", Name: "guard", Type: definition.AuthorizerToken, URI: uri}
	for _, f := range change {
		f(d)
	}
	return d
}

// byRequest makes it one of type REQUEST.
func byRequest(sources string) func(*definition.Authorizer) {
	return func(d *definition.Authorizer) { d.Type, d.IdentitySource = definition.AuthorizerRequest, sources }
}

var started = time.Now()

func now() int64 { return int64(time.Since(started)) + 1 }

func newStore(t testing.TB, o Options) *Store {
	t.Helper()
	if o.Now == nil {
		o.Now = now
	}
	s := NewStore(o)
	t.Cleanup(s.Close)
	return s
}

func compiled(t testing.TB, d *definition.Authorizer, s *Store) *Authorizer {
	t.Helper()
	a, err := Compile(d, scope, s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// functions is how a host calls functions: this is all that joins the packages.
type functions struct{ client *lambda.Client }

func (f functions) Invoke(ctx context.Context, function string, event []byte) ([]byte, bool, error) {
	answer, err := f.client.Invoke(ctx, function, event)
	return answer.Payload, answer.FunctionError != "", err
}

func newFunctions(t testing.TB, endpoint string) functions {
	t.Helper()
	client, err := lambda.New(lambda.Config{Endpoint: endpoint, MaxAnswer: MaxResult + 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return functions{client}
}

// serve starts an endpoint that answers with a status, fields and a body.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func answer(status int, fields, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for line := range strings.SplitSeq(fields, "|") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

// waiter is a Waiter that can be waited for.
type waiter chan *Verdict

func newWaiter() waiter             { return make(waiter, 2) }
func (w waiter) Decided(v *Verdict) { w <- v }

func (w waiter) wait(t testing.TB) *Verdict {
	t.Helper()
	select {
	case v := <-w:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("no verdict")
		return nil
	}
}

// event is an Event of type REQUEST.
func event() Event {
	r := &lambda.Request{Resource: "/pets/{id}", Path: "/pets/6", HTTPMethod: "GET"}
	r.AddHeader("Authorization", "secret")
	return r
}

// about is a Question of an event.
func about(methodARN string) Question {
	return func() (string, Event) { return methodARN, event() }
}

// authorize takes a request all the way, as a pipeline does, to what a client
// sees of it: a status and a body.
func authorize(t testing.TB, a *Authorizer, r Request, methodARN string) string {
	t.Helper()
	key, ok := a.AppendKey(nil, r)
	if !ok {
		return `401 {"message":"Unauthorized"}`
	}
	v := a.Lookup(key, a.state.now(), 0)
	if v == nil {
		w := newWaiter()
		switch a.Ask(key, about(methodARN), w) {
		case Invalid:
			return `401 {"message":"Unauthorized"}`
		case Busy:
			return `503`
		}
		v = w.wait(t)
	}
	return seen(v, methodARN)
}

func seen(v *Verdict, methodARN string) string {
	d := v.Evaluate(methodARN, &policy.Context{SourceIP: netip.MustParseAddr("203.0.113.7")})
	if (v.Outcome == Failed || v.Outcome == Misconfigured) != (v.Err != nil) || v.Outcome != Decided && d.String() == "allow" {
		return "inconsistent: " + v.Outcome.String()
	}
	switch v.Outcome {
	case Unauthorized:
		return `401 {"message":"Unauthorized"}`
	case Failed:
		return `500 {"message":"Internal server error"}`
	case Misconfigured:
		return `500 {"message":null}`
	}
	if d.String() == "allow" {
		return "200 " + v.PrincipalID
	}
	return `403 {"Message":` + strconv.Quote(Denial(d)) + `}`
}
