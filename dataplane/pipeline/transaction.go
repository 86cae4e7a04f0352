package pipeline

import (
	"bytes"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/mtls"
	"github.com/tidegate/tidegate/dataplane/route"
)

// transaction is one request on its way through. It belongs to an exchange and
// is used for one request after the other.
type transaction struct {
	x      *front.Exchange
	worker *Worker
	call   upstream.Call
	match  route.Match

	certificate     *mtls.Client // nil for domains without mutual TLS
	identity        auth.Identity
	client          client
	usageIdentifier []byte // the API key that an authorizer named
	retryAfter      int64  // nanoseconds until a limit allows again

	active bool // between begin and finish
	stage  *deploy.Stage
	method *deploy.Method
	path   []byte // after the stage
	verb   http1.Verb

	requestID  []byte
	extendedID []byte
	sourceIP   []byte
	traceID    []byte
	replacedID bool

	fill      fill
	std       standard
	waiter    *waiter
	waitUntil int64 // 0 when it does not wait for another request
	waitPlace int   // in Worker.waiting

	inspection inspection

	paused    *pause // nil when it waits for nobody
	askedKeys bool
	token     jwt.Result          // 0 until it is known
	verdict   *authorizer.Verdict // nil until it is known
	callerKey []byte              // of what authorizers are asked
	fields    []byte              // lines for the answer of the gateway's own

	connectionID []byte      // of connecting
	connecting   *connecting // nil for a request that is no wish to speak WebSocket
	managing     *managing   // nil until a connection is being reached

	held      held
	request   []byte // for the backend
	body      []byte // collected, while its length is not known
	streaming bool   // the body goes on as it comes
	rechunk   bool   // and in chunks

	answering answering
	calledAt  int64 // 0 when no backend was called
	latency   int64 // of the backend, nanoseconds
	backend   int   // its status
	status    int
	reason    Reason
	rejected  bool
	message   string
	bodyBytes int64
}

// answering is how the body of the answer is framed.
type answering uint8

const (
	answerNone answering = iota // no head has been written
	answerPlain
	answerChunked
	answerEmpty // whatever the backend sends
)

// Serve implements front.Handler: it starts on a request.
func (t *transaction) Serve() {
	t.begin()
	r := &t.x.Request
	if t.x.Denied() {
		t.x.Close()
		t.reject(Denied)
		return
	}
	snapshot := t.worker.pipeline.Snapshot()
	if snapshot == nil {
		t.reject(NotReady)
		return
	}
	stage, path, mutual, ok := snapshot.Find(r.Host, r.Path)
	if mutual && !t.certified() {
		t.x.Close() // another connection may do better
		t.reject(NotCertified)
		return
	}
	if !ok || stage.Private != (t.x.Endpoint() != "") { // another kind of API is none at this listener
		t.reject(NoStage)
		return
	}
	t.stage, t.path = stage, path
	if len(r.Target) > stage.MaxTarget {
		t.reject(URLTooLong)
		return
	}
	if t.shed() {
		return
	}
	if t.verb = r.Verb; stage.Sockets == nil {
		t.verb = overridden(r)
	}
	if stage.WAF != nil {
		t.proceed(stepInspect)
		return
	}
	t.route()
}

// route finds the method of a request, and serves it from there.
func (t *transaction) route() {
	var found bool
	if t.stage.Sockets != nil {
		found = t.findSocketMethod()
	} else {
		found = t.findMethod()
	}
	if !found || t.method.Role == deploy.Connects && !t.wantsSocket() {
		return
	}
	if t.method.Guard != nil {
		t.enter()
		return
	}
	t.pass()
}

// findMethod chooses the method of a request.
func (t *transaction) findMethod() (ok bool) {
	if t.method, ok = t.stage.Methods.Lookup(t.path, route.Verb(t.verb), &t.match); !ok {
		t.method = nil
		t.rejectUnmatched()
	}
	return ok
}

// pass serves a request that has passed the guard.
func (t *transaction) pass() {
	if !t.admit() {
		return
	}
	switch t.method.Role {
	case deploy.Connects:
		t.connect()
		return
	case deploy.Manages:
		t.manage()
		return
	}
	if t.method.Mock != nil {
		t.mock()
		return
	}
	if t.method.Cache != nil && t.cached() {
		return
	}
	t.proxy()
}

func (t *transaction) begin() {
	t.active = true
	t.worker.serving++
	t.stage, t.method, t.path, t.verb = nil, nil, nil, t.x.Request.Verb
	t.request, t.body = t.request[:0], t.body[:0]
	t.streaming, t.rechunk = false, false
	t.answering, t.calledAt, t.latency, t.backend = answerNone, 0, -1, 0
	t.status, t.rejected, t.message, t.bodyBytes = 0, false, "", 0
	t.client.known, t.usageIdentifier, t.retryAfter = false, t.usageIdentifier[:0], 0
	t.inspection.begun = false
	t.connecting, t.managing, t.connectionID = nil, nil, t.connectionID[:0]
	t.certificate = nil
	t.identity, t.askedKeys, t.token, t.verdict, t.fields = auth.Identity{}, false, 0, nil, t.fields[:0]
	t.identify()
}

// overridden returns the verb that is matched: X-HTTP-Method-Override replaces
// the request's.
func overridden(r *http1.Request) http1.Verb {
	if v := r.Get(http1.XHTTPMethodOverride); v != nil {
		if verb := http1.ParseVerb(v); verb != http1.VerbOther {
			return verb
		}
	}
	return r.Verb
}

// Refuse implements front.Handler.
func (t *transaction) Refuse(f http1.Fault) {
	if !t.active { // the head itself cannot be read
		t.begin()
	}
	t.letGo()
	if t.answering != answerNone {
		t.finish()
		t.x.Abort()
		return
	}
	t.reject(ofFault(f))
}

// Gone implements front.Handler: the client went away.
func (t *transaction) Gone() {
	t.letGo()
	if t.status == 0 {
		t.status = statusClientGone
	}
	t.finish()
}

// letGo ends whatever is under way for the request.
func (t *transaction) letGo() {
	t.call.Cancel()
	t.endPause()
	t.managing = nil
	t.endConnecting()
	if t.waitUntil != 0 {
		t.leaveQueue()
	}
	t.abortFill()
}

// statusClientGone is nginx's for a client that did not wait for its answer.
const statusClientGone = 499

// Drained implements front.Handler and upstream.Receiver: whoever was too slow
// has caught up, so both may go on.
func (t *transaction) Drained() {
	if c := t.connecting; c != nil && c.flushing {
		c.open()
		return
	}
	if t.answering != answerNone && t.x.Unsent() < pauseAt {
		t.call.Resume()
	}
	if t.streaming && t.call.Unsent() < pauseAt {
		t.x.ResumeBody()
	}
}

// reject answers with a gateway response.
func (t *transaction) reject(reason Reason) { t.rejectWith(reason, responses[reason].message) }

func (t *transaction) rejectWith(reason Reason, message string) {
	if reason == BodyTooLarge {
		message = bodyTooLarge(t.worker.pipeline.settings.Load().MaxBody)
	}
	t.rejectedFor(reason, message)
	g := &responses[reason]
	key := `{"message":"`
	if g.errorType == accessDenied {
		key = `{"Message":"`
	}
	body := append(t.body[:0], key...)
	if reason == AuthorizerInvalid { // AWS has nothing to say
		body = append(t.body[:0], `{"message":null}`...)
	} else {
		body = append(appendJSONText(body, message), `"}`...)
	}
	t.body = body
	b := t.startHead(g.status)
	b = append(b, "Content-Type: application/json\r\nx-amzn-ErrorType: "...)
	b = append(b, g.errorType...)
	b = append(b, "\r\n"...)
	b = append(b, t.fields...)
	if g.status == 503 {
		b = append(b, "Retry-After: "...)
		b = strconv.AppendInt(b, t.wait(reason), 10)
		b = append(b, '\r', '\n')
	}
	t.answerWhole(b, body)
}

// wait is the Retry-After of a 503, in seconds.
func (t *transaction) wait(reason Reason) int64 {
	if reason != IntegrationOpen {
		return retryAfterSeconds
	}
	return max((t.call.RetryAfter+int64(time.Second)-1)/int64(time.Second), retryAfterSeconds)
}

// rejectedFor accounts for an answer of the gateway's own.
func (t *transaction) rejectedFor(reason Reason, message string) {
	t.rejected, t.reason, t.message = true, reason, message
	if c := t.worker.pipeline.rejected; c != nil {
		c.Add(t.worker.loop.ID, int(reason), 1)
	}
}

// rejectUnmatched answers a request that no method matches. AWS takes what is
// in an Authorization header for a signature.
func (t *transaction) rejectUnmatched() {
	v := t.x.Request.Get(http1.Authorization)
	if v == nil || bytes.HasPrefix(v, []byte("AWS4-HMAC-SHA256")) {
		t.reject(NoMethod)
		return
	}
	word := v
	if i := bytes.LastIndexByte(v, ' '); i >= 0 {
		word = v[i+1:]
	}
	t.rejectWith(NotSigned, "'"+string(word)+"' not a valid key=value pair (missing equal-sign) in Authorization header: '"+string(v)+"'.")
}

func appendJSONText(dst []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20 || c >= 0x7f:
			dst = append(dst, `\u00`...)
			dst = appendHex(dst, uint64(c), 2)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
