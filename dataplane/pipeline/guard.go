package pipeline

import (
	"crypto/sha256"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/limiter"
)

// step is how far a request has got with what stands before its method.
type step uint8

const (
	stepInspect      step = iota // what does the web ACL say?
	stepAuthenticate             // who calls?
	stepAuthorize                // may it?
	stepManage                   // behind the guard: a call of @connections goes on
)

// proceed takes a request to its method and past the guard of that, from a step on. A step
// that is false has answered, or waits for something and proceeds from itself
// when that is there.
func (t *transaction) proceed(from step) {
	switch from {
	case stepInspect:
		if t.inspect() {
			t.route()
		}
		return
	case stepAuthenticate:
		if !t.authenticate() {
			return
		}
		fallthrough
	case stepAuthorize:
		if !t.authorize() {
			return
		}
	case stepManage:
		t.manage()
		return
	}
	t.pass()
}

// enter begins with the guard. While the account has no token left, nobody is
// asked who they are.
func (t *transaction) enter() {
	w := t.worker
	wait := w.pipeline.admission.Throttle.Account().Wait(max(t.x.Started, w.loop.Coarse()), w.loop.ID)
	if wait > 0 && !t.method.Throttle.Reserved() {
		t.deny(&limiter.Decision{RetryAfter: wait}, 1, 1)
		return
	}
	t.proceed(stepAuthenticate)
}

// authenticate finds who calls.
func (t *transaction) authenticate() bool {
	switch t.method.Guard.Kind {
	case auth.IAM:
		return t.authenticateSigned()
	case auth.Tokens:
		return t.authenticateToken()
	case auth.Custom:
		return t.authenticateCustom()
	}
	return true
}

// authenticateSigned is for requests signed with an access key. A body whose hash
// is not among what was signed has to be there before the signature can be
// checked; that of another is not waited for before its sender is known.
func (t *transaction) authenticateSigned() bool {
	r := &t.x.Request
	var hash *[sha256.Size]byte
	if t.held.whole {
		sum := sha256.Sum256(t.held.bytes)
		hash = &sum
	} else if sigv4.NeedsBody(r) {
		t.hold(wholeBody, stepAuthenticate)
		return false
	}
	id, failure := t.worker.pipeline.admission.IAM.Verify(r, unsafeString(r.Host), hash, t.worker.loop.Wall(t.x.Started))
	if failure != nil {
		t.rejectWith(ofSignature(failure.Kind), failure.Message)
		return false
	}
	if id.Payload == sigv4.PayloadDeclared && hash == nil {
		t.hold(wholeBody, stepAuthenticate)
		return false
	}
	t.identity.User, t.identity.AccessKey = id.Principal.(*iam.Principal), id.AccessKeyID
	return true
}

// authorize asks the policies.
func (t *transaction) authorize() bool {
	w, g := t.worker, t.method.Guard
	request := t.policyRequest()
	d := g.Authorize(&w.scratchARN, &request, &t.identity, g.Action)
	if d.Decision == policy.Allow {
		return true
	}
	switch {
	case t.identity.Verdict != nil:
		t.denyCustom(d.Decision)
	case t.identity.User != nil:
		t.denyAccess(t.identity.User.ARN, d)
	default:
		t.denyAccess("", d)
	}
	return false
}

// appendAuthorizer appends what is known of how the caller was found: the members of
// $context.authorizer that no authorizer gives. The status is 200 if it is known who
// calls, 401 if it is not, and 500 if that could not be found out; the latency, in
// milliseconds, is that of the call, 0 for a verdict that was remembered.
func (t *transaction) appendAuthorizer(dst []byte, name string) []byte {
	v := t.verdict
	switch {
	case v == nil && t.token == 0:
	case name == "status":
		dst = strconv.AppendInt(dst, int64(t.authorizerStatus()), 10)
	case name == "error" && v == nil && t.token != jwt.Valid:
		dst = append(dst, t.token.String()...)
	case name == "error" && v != nil && v.Err != nil:
		dst = append(dst, v.Err.Error()...)
	case v != nil && (name == "latency" || name == "integrationLatency"):
		dst = strconv.AppendInt(dst, v.Latency/int64(time.Millisecond), 10)
	}
	return dst
}

func (t *transaction) authorizerStatus() int {
	if v := t.verdict; v != nil {
		return [...]int{authorizer.Failed: 500, authorizer.Misconfigured: 500, authorizer.Unauthorized: 401, authorizer.Decided: 200}[v.Outcome]
	}
	switch t.token {
	case jwt.Valid, jwt.WrongScope:
		return 200
	case jwt.NeedKeys, jwt.DiscoveryFailed, jwt.KeysFailed:
		return 500
	}
	return 401
}

// denyAccess answers a request that policies do not allow; no principal is
// anybody.
func (t *transaction) denyAccess(principal string, d auth.Decision) {
	w := t.worker
	w.message = policy.AppendDenial(w.message[:0], principal, t.method.Guard.Action, d.ARN, d.Decision)
	t.rejectWith(AccessDenied, string(w.message))
}

// mayInvalidate reports whether the caller may replace entries of the cache.
func (t *transaction) mayInvalidate() bool {
	g := t.method.Guard
	if g == nil {
		return false
	}
	request := t.policyRequest()
	return g.MayInvalidate(&t.worker.scratchARN, &request, &t.identity)
}

// AppendCaller implements cache.Input.
func (t *transaction) AppendCaller(dst []byte) ([]byte, bool) {
	if t.certificate == nil {
		return t.identity.AppendKey(dst)
	}
	dst = append(append(dst, "certificate "...), t.certificate.Fingerprint()...)
	dst, _ = t.identity.AppendKey(dst)
	return dst, true
}

// policyRequest describes the request to policies. What it points at is valid as
// long as the request's bytes are, and until the worker's next one.
func (t *transaction) policyRequest() auth.Request {
	w, r := t.worker, &t.x.Request
	w.policy = policy.Context{
		UserAgent: unsafeString(r.Get(http1.UserAgent)), Referer: unsafeString(r.Find("referer")),
		SecureTransport: t.x.IsTLS(), Now: w.loop.Wall(t.x.Started),
	}
	if endpoint := t.x.Endpoint(); endpoint != "" {
		w.policy.SourceVPCE, w.policy.VPCSourceIP = endpoint, t.remote()
	} else {
		w.policy.SourceIP = t.remote()
	}
	request := auth.Request{Verb: verbText(r, t.verb), Path: t.path, Context: &w.policy}
	if t.stage.Sockets != nil && t.method.Role == deploy.Connects {
		request.Route = definition.RouteConnect
	}
	return request
}

func (t *transaction) remote() netip.Addr { return t.x.Remote().Addr().WithZone("") }

// verbText is the verb as the method was chosen by it.
func verbText(r *http1.Request, v http1.Verb) string {
	if v == http1.VerbOther {
		return unsafeString(r.Method)
	}
	return v.String()
}

// unsafeString is b as a string, for as long as b stays as it is.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// ofSignature maps what is wrong with a signature to a Reason.
func ofSignature(k sigv4.Kind) Reason {
	switch k {
	case sigv4.MissingToken:
		return NoMethod // AWS's MISSING_AUTHENTICATION_TOKEN, as for an unknown path
	case sigv4.Incomplete:
		return NotSigned
	case sigv4.InvalidToken:
		return UnknownAccessKey
	case sigv4.ExpiredToken:
		return ExpiredToken
	}
	return InvalidSignature
}
