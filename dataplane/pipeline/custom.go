package pipeline

import (
	"strings"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
)

// authenticateCustom is for methods with an authorizer of the owner's. What that
// has said before, it is not asked again; while it is asked, the request waits off
// the event loop. It is never asked about a request that the resource policy
// denies whoever calls.
func (t *transaction) authenticateCustom() bool {
	g, w := t.method.Guard, t.worker
	if t.verdict == nil {
		request := t.policyRequest()
		if d, refused := g.Refuses(&w.scratchARN, &request); refused {
			t.denyAccess("", d)
			return false
		}
		var ok bool
		if t.callerKey, ok = g.Custom.AppendKey(t.callerKey[:0], t); !ok {
			t.reject(Unauthorized)
			return false
		}
		if t.verdict = g.Custom.Lookup(t.callerKey, t.x.Started, w.loop.ID); t.verdict == nil {
			t.askCustom()
			return false
		}
	}
	v := t.verdict
	switch v.Outcome {
	case authorizer.Decided:
		t.identity.Verdict = v
		if caller, ok := g.Custom.Caller(t.callerKey); ok {
			t.identity.Key = caller
		}
		t.usageIdentifier = append(t.usageIdentifier[:0], v.UsageIdentifierKey...)
		return true
	case authorizer.Unauthorized:
		t.reject(Unauthorized)
	case authorizer.Misconfigured:
		t.reject(AuthorizerInvalid)
	default:
		t.reject(AuthorizerFailure)
	}
	return false
}

// askCustom has the authorizer asked, and answers a request that it is not asked
// about.
func (t *transaction) askCustom() {
	a := t.method.Guard.Custom
	wait := &verdictWait{pause: t.newPause(stepAuthenticate)}
	switch a.Ask(t.callerKey, t.question, wait) {
	case authorizer.Waiting:
		wait.begin(func() { a.Leave(t.callerKey, wait) })
	case authorizer.Invalid:
		t.reject(Unauthorized)
	default:
		t.reject(AuthorizerBusy)
	}
}

// question is what the authorizer is told of the request: copies.
func (t *transaction) question() (methodARN string, event authorizer.Event) {
	g, request := t.method.Guard, t.policyRequest()
	switch {
	case !g.Custom.NeedsEvent():
	case t.connecting != nil && t.stage.Sockets != nil:
		event = t.socketEvent()
	default:
		event = t.event()
	}
	return strings.Clone(g.MethodARN(&t.worker.scratchARN, &request)), event
}

// verdictWait is a request that waits for an authorizer.
type verdictWait struct {
	*pause
	verdict *authorizer.Verdict
}

// Decided implements authorizer.Waiter.
func (v *verdictWait) Decided(verdict *authorizer.Verdict) {
	v.verdict = verdict
	v.worker.loop.Post(v.proceed)
}

func (v *verdictWait) proceed() {
	if v.t != nil {
		v.t.verdict = v.verdict
	}
	v.resume()
}

// denyCustom answers a request that its authorizer's policy does not allow.
func (t *transaction) denyCustom(d policy.Decision) {
	t.rejectWith(AccessDenied, authorizer.Denial(d))
}

// IdentityHeader implements authorizer.Request.
func (t *transaction) IdentityHeader(name string, from int) (value []byte, next int) {
	r := &t.x.Request
	for i := from; i < r.Len(); i++ {
		if http1.EqualFold(r.Name(i), name) {
			return r.Value(i), i + 1
		}
	}
	return nil, -1
}

// IdentityQuery implements authorizer.Request.
func (t *transaction) IdentityQuery(name string, from int) (value []byte, next int) {
	r := &t.x.Request
	for q := (http1.Query{Rest: r.Query[from:]}); q.Next(); {
		if q.Is(name) {
			return q.Value, len(r.Query) - len(q.Rest)
		}
	}
	return nil, -1
}

// identityContext are the variables of requests that authorizers may go by.
var identityContext = [...]proxy.ContextVar{
	authorizer.ContextRequestID:         proxy.ContextRequestID,
	authorizer.ContextExtendedRequestID: proxy.ContextExtendedRequestID,
	authorizer.ContextHTTPMethod:        proxy.ContextHTTPMethod,
	authorizer.ContextPath:              proxy.ContextPath,
	authorizer.ContextProtocol:          proxy.ContextProtocol,
	authorizer.ContextDomainName:        proxy.ContextDomainName,
	authorizer.ContextDomainPrefix:      proxy.ContextDomainPrefix,
	authorizer.ContextSourceIP:          proxy.ContextSourceIP,
	authorizer.ContextUserAgent:         proxy.ContextUserAgent,
	authorizer.ContextRequestTime:       proxy.ContextRequestTime,
	authorizer.ContextRequestTimeEpoch:  proxy.ContextRequestTimeEpoch,
}

// AppendIdentityContext implements authorizer.Request.
func (t *transaction) AppendIdentityContext(dst []byte, v authorizer.ContextVar) []byte {
	switch v {
	case authorizer.ContextResourcePath:
		return append(dst, t.method.ResourcePath...)
	case authorizer.ContextResourceID:
		return append(dst, t.method.ResourceID...)
	case authorizer.ContextAPIKey:
		return append(dst, t.x.Request.Get(http1.XAPIKey)...)
	}
	if v >= authorizer.ContextClientCertPEM {
		return t.appendCertificate(dst, certificateContext[v])
	}
	return t.AppendContext(dst, identityContext[v], "")
}

// event is the request as a function is told of it: a copy.
func (t *transaction) event() *lambda.Request {
	r, text := &t.x.Request, func(v proxy.ContextVar) string { return string(t.AppendContext(nil, v, "")) }
	e := &lambda.Request{
		Resource: t.method.ResourcePath, Path: string(t.path), HTTPMethod: text(proxy.ContextHTTPMethod),
		PathParameters: map[string]string{}, StageVariables: t.stage.Variables,
		RequestContext: lambda.RequestContext{
			ResourceID: t.method.ResourceID, ResourcePath: t.method.ResourcePath, HTTPMethod: text(proxy.ContextHTTPMethod),
			ExtendedRequestID: string(t.extendedID), Path: string(r.Path), AccountID: t.stage.AccountID, Protocol: protocol,
			Stage: t.stage.Name, DomainPrefix: text(proxy.ContextDomainPrefix), RequestID: string(t.requestID),
			Identity: lambda.Identity{
				SourceIP: string(t.sourceIP), UserAgent: lambda.Nullable(r.Get(http1.UserAgent)), APIKey: string(r.Get(http1.XAPIKey)),
				ClientCert: t.clientCert(),
			},
			DomainName: string(r.Host), DeploymentID: t.stage.DeploymentID, APIID: t.stage.APIID,
		},
	}
	e.RequestContext.SetTime(t.worker.loop.Wall(t.x.Started))
	for i := range r.Len() {
		e.AddHeader(string(r.Name(i)), string(r.Value(i)))
	}
	for q := (http1.Query{Rest: r.Query}); q.Next(); {
		e.AddQuery(string(http1.AppendUnescaped(nil, q.Name)), string(http1.AppendUnescaped(nil, q.Value)))
	}
	for i, name := range t.method.Params {
		e.PathParameters[name] = string(t.Param(i))
	}
	return e
}
