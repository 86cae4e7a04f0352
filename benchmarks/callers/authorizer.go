package callers

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
)

// head is a request as an authorizer reads it.
type head struct{ http1.Request }

// IdentityHeader implements authorizer.Request.
func (h *head) IdentityHeader(name string, from int) ([]byte, int) {
	for i := from; i < h.Len(); i++ {
		if http1.EqualFold(h.Name(i), name) {
			return h.Value(i), i + 1
		}
	}
	return nil, -1
}

// IdentityQuery implements authorizer.Request.
func (h *head) IdentityQuery(name string, from int) ([]byte, int) {
	for q := (http1.Query{Rest: h.Query[from:]}); q.Next(); {
		if q.Is(name) {
			return q.Value, len(h.Query) - len(q.Rest)
		}
	}
	return nil, -1
}

// AppendIdentityContext implements authorizer.Request.
func (h *head) AppendIdentityContext(dst []byte, _ authorizer.ContextVar) []byte { return dst }

// functions is a host's only function: it allows everything.
type functions struct{}

func (functions) Invoke(context.Context, string, []byte) ([]byte, bool, error) {
	return []byte(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke",` +
		`"Resource":["arn:aws:execute-api:us-east-1:000000000000:abcdefghij/*/GET/pets/*"]}]},"context":{"tenant":"blue"}}`), false, nil
}

// verdictWaiter waits for an authorizer.
type verdictWaiter chan *authorizer.Verdict

func (w verdictWaiter) Decided(v *authorizer.Verdict) { w <- v }

// remembered is all that a request costs whose caller an authorizer has said
// something of before: the key of the caller, the verdict, and its policy.
func remembered() (c Contestant, shut func(), err error) {
	const arn = "arn:aws:execute-api:us-east-1:000000000000:abcdefghij/prod/GET/pets/6"
	store := authorizer.NewStore(authorizer.Options{Lambda: functions{}, Now: func() int64 { return time.Now().UnixNano() }})
	a, err := authorizer.Compile(&definition.Authorizer{ID: "a1b2c3", Name: "guard", Type: definition.AuthorizerToken, URI: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:guard/invocations"},
		&authorizer.Scope{APIID: "abcdefghij", Stage: "prod", Function: lambda.ParseURI}, store)
	if err != nil {
		store.Close()
		return c, nil, err
	}
	request := &head{}
	text := "GET /prod/pets/6?limit=10 HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: curl/8\r\nAccept: */*\r\nAuthorization: Bearer " +
		strings.Repeat("eyJhbGciOiJFUzI1NiJ9", 45) + "\r\n\r\n"
	if fault := request.Parse([]byte(text), headLimits); fault != 0 {
		store.Close()
		return c, nil, fmt.Errorf("the request is malformed: %v", fault)
	}
	key, _ := a.AppendKey(make([]byte, 0, 4096), request)
	w := make(verdictWaiter, 1)
	if a.Ask(key, func() (string, authorizer.Event) { return arn, nil }, w) != authorizer.Waiting || (<-w).Outcome != authorizer.Decided {
		store.Close()
		return c, nil, errors.New("no verdict")
	}
	now, about := time.Now().UnixNano(), &policy.Context{SourceIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "curl/8"}
	return Contestant{Authorizer, func() error {
		key, ok := a.AppendKey(key[:0], request)
		if !ok {
			return errors.New("no identity")
		}
		if v := a.Lookup(key, now, 0); v == nil || v.Evaluate(arn, about) != policy.Allow {
			return errors.New("not allowed")
		}
		return nil
	}, many}, store.Close, nil
}
