package pipeline

import (
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
	"github.com/tidegate/tidegate/dataplane/session"
)

// Sizes in bytes.
const (
	collectLimit = 64 << 10 // of a body before it is streamed
	pauseAt      = 4 << 10  // unsent, when the other side is made to wait; the kernel has more
)

// proxy calls the backend, once the body is there or too large to wait for.
func (t *transaction) proxy() {
	if t.method.Targets == nil { // the stage's variables make no endpoint
		t.reject(Misconfigured)
		return
	}
	r := &t.x.Request
	t.call.Verb = t.method.Proxy.Verb(t.verb)
	if !r.HasBody() || !proxy.SendsBody(t.call.Verb) {
		t.appendRequest(proxy.Body{})
		t.start(true)
		return
	}
	if t.held.any {
		t.forwardHeld()
		return
	}
	if !r.Chunked {
		t.appendRequest(proxy.Body{Length: r.ContentLength})
	}
	t.x.WantBody()
}

// edge is what the gateway tells the backend.
func (t *transaction) edge() proxy.Edge {
	edge := proxy.Edge{
		SourceIP: t.sourceIP, Port: t.x.Port(), Proto: "http", TraceID: t.trace(t.x.Started),
		Without: t.std.without, Fields: t.std.fields,
	}
	if t.x.IsTLS() {
		edge.Proto = "https"
	}
	return edge
}

func (t *transaction) appendRequest(body proxy.Body) {
	edge := t.edge()
	t.request = t.method.Proxy.AppendRequest(t.request[:0], &t.x.Request, t.call.Verb, t, &edge, body)
}

func (t *transaction) start(complete bool) {
	t.calledAt = t.worker.loop.Now()
	t.std.sent = t.worker.loop.Wall(t.calledAt)
	t.call.Deadline = t.calledAt + t.timeout()
	t.call.MaxBody = t.worker.pipeline.settings.Load().MaxResponse
	t.call.Cap = t.stage.Cap
	t.call.Start(t.worker.loop, t.method.Targets, t.request, complete)
}

func (t *transaction) timeout() int64 {
	return int64(t.method.TimeoutMillis) * int64(time.Millisecond)
}

// Body implements front.Handler: body bytes for the backend.
func (t *transaction) Body(data []byte, last bool) {
	switch {
	case t.streaming:
		t.stream(data, last)
	case t.rejected:
	case !t.x.Hold(len(data)):
		t.x.Close()
		t.reject(NotReady)
	case t.held.waiting:
		t.keep(data, last)
	case t.x.Request.Chunked:
		t.collect(data, last)
	default:
		t.request = append(t.request, data...)
		if last {
			t.start(true)
		} else if len(t.request) > collectLimit {
			t.streaming = true
			t.start(false)
			t.slowDown()
		}
	}
}

// collect gathers a body of unknown length. One that ends soon is sent with its
// length; another goes on in chunks.
func (t *transaction) collect(data []byte, last bool) {
	t.body = append(t.body, data...)
	switch {
	case last:
		t.appendRequest(proxy.Body{Length: int64(len(t.body))})
		t.request = append(t.request, t.body...)
		t.start(true)
	case len(t.body) > collectLimit:
		t.appendRequest(proxy.Body{Chunked: true})
		t.request = appendChunk(t.request, t.body)
		t.streaming, t.rechunk = true, true
		t.start(false)
		t.slowDown()
	}
}

// stream sends body bytes on.
func (t *transaction) stream(data []byte, last bool) {
	if !t.call.Active() { // answered already
		return
	}
	if t.rechunk {
		b := t.worker.scratch[:0]
		if len(data) > 0 {
			b = appendChunk(b, data)
		}
		if last {
			b = append(b, http1.LastChunk...)
		}
		t.worker.scratch = b[:0]
		data = b
	}
	t.call.Send(data, last)
	// The backend's time begins when it has everything.
	t.call.Extend(t.worker.loop.Now() + t.timeout())
	if !last {
		t.slowDown()
	}
}

func (t *transaction) slowDown() {
	if t.call.Active() && t.call.Unsent() >= pauseAt {
		t.x.PauseBody()
	}
}

func appendChunk(dst, data []byte) []byte {
	dst = http1.AppendChunkSize(dst, len(data))
	dst = append(dst, data...)
	return append(dst, "\r\n"...)
}

// Receive implements upstream.Receiver: the backend's answer.
func (t *transaction) Receive(first bool, body []byte, last bool) {
	if first {
		t.latency = t.worker.loop.Now() - t.calledAt
		t.backend = t.call.Response.Status
		if !t.answerHead(body, last) {
			return
		}
	} else {
		t.answerMore(body, last)
	}
	if last {
		t.end()
	} else if t.x.Unsent() >= pauseAt {
		t.call.Pause()
	}
}

// Failed implements upstream.Receiver: there is no answer, or no whole one.
func (t *transaction) Failed(f upstream.Failure) {
	if t.calledAt != 0 && t.latency < 0 {
		t.latency = t.worker.loop.Now() - t.calledAt
	}
	t.abortFill()
	if t.answering == answerNone {
		if !t.unreachable() {
			t.reject(ofFailure(f))
		}
		return
	}
	t.message = f.String()
	t.finish()
	t.x.Abort()
}

// answerHead writes the head of the client's answer with the first of the body.
// It is false when the backend's answer cannot be used.
func (t *transaction) answerHead(body []byte, last bool) bool {
	resp, req := &t.call.Response, &t.x.Request
	if t.std.active {
		if !t.receiveStandard(last) {
			return false
		}
		return t.forwardHead(body, last)
	}
	program := &t.method.Proxy
	status, choice, ok := program.Choose(resp.Status)
	if !ok {
		t.call.Cancel()
		t.reject(Misconfigured)
		return false
	}
	t.status = status
	b := t.worker.scratch[:0]
	if status == resp.Status {
		b = appendStatusLine(b, resp)
	} else {
		b = http1.AppendStatus(b, status)
	}
	b = t.appendIDs(b)
	if !program.PassThrough() { // as AWS: with HTTP, not with HTTP_PROXY
		b = http1.AppendField(b, "X-Amzn-Trace-Id", t.traceID)
	}
	fields := len(b)
	b, hasType := program.AppendResponse(b, choice, resp, req, t)
	if !hasType && status != 204 && status != 304 {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	if t.fill.active {
		t.fillHead(b[fields:])
		if b = append(b, fieldMiss...); t.fill.ignored {
			b = append(b, fieldDenied...)
		}
	}
	if t.fill.active { // still
		t.fillBody(body, last)
	}
	return t.sendHead(b, body, last)
}

// appendStatusLine writes the backend's status as it is.
func appendStatusLine(b []byte, resp *http1.Response) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = append(b, resp.Line...)
	if len(resp.Line) == len("200") { // the space stands even before no reason (RFC 9112 section 4)
		b = append(b, ' ')
	}
	return append(b, "\r\n"...)
}

// sendHead ends the head with the framing of the body, and sends it with the
// first of the body.
func (t *transaction) sendHead(b, body []byte, last bool) bool {
	b, body = t.frame(b, body, last)
	t.bodyBytes = int64(len(body))
	switch {
	case t.answering == answerChunked && len(body) > 0:
		b = http1.AppendChunkSize(b, len(body))
		if len(body) > joinLimit {
			t.write(b, body)
			t.x.Write([]byte("\r\n"), nil)
			return true
		}
		b = append(b, body...)
		t.write(append(b, "\r\n"...), nil)
	default:
		t.write(b, body)
	}
	return true
}

// frame ends the head with the framing of the body, and returns what is to be
// sent of it now.
func (t *transaction) frame(b, body []byte, last bool) (head, send []byte) {
	resp, req := &t.call.Response, &t.x.Request
	none := http1.NoBody(t.status, req.Verb)
	length := resp.ContentLength
	if http1.NoBody(resp.Status, t.call.Verb) && !none {
		length = 0 // the backend announced what it does not send
	} else if last && (length < 0 || !none) {
		length = int64(len(body))
	}
	t.answering = answerPlain
	switch {
	case none:
		t.answering, body = answerEmpty, nil
	case length < 0 && req.Minor == 1:
		t.answering = answerChunked
	case length < 0:
		t.x.Close() // HTTP/1.0 knows an end of the body by the end of the connection
	}
	b = t.appendConnection(b)
	switch {
	case t.answering == answerChunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case none && (req.Verb != http1.HEAD || t.status == 204 || t.status == 304):
	case length >= 0:
		b = http1.AppendContentLength(b, length)
	}
	return append(b, "\r\n"...), body
}

// answerMore writes more of the body.
func (t *transaction) answerMore(body []byte, last bool) {
	t.bodyBytes += int64(len(body))
	if t.fill.active {
		t.fillBody(body, last)
	}
	switch t.answering {
	case answerPlain:
		if len(body) > 0 {
			t.x.Write(body, nil)
		}
	case answerChunked:
		b := t.worker.scratch[:0]
		if len(body) > 0 {
			b = appendChunk(b, body)
		}
		if last {
			b = append(b, http1.LastChunk...)
		}
		t.write(b, nil)
	case answerEmpty:
		t.bodyBytes = 0
	}
}

// Param implements proxy.Input.
func (t *transaction) Param(i int) []byte { return t.match.Value(t.path, i) }

// AppendContext implements proxy.Input.
func (t *transaction) AppendContext(dst []byte, v proxy.ContextVar, name string) []byte {
	r := &t.x.Request
	switch v {
	case proxy.ContextRequestID:
		return append(dst, t.requestID...)
	case proxy.ContextExtendedRequestID:
		return append(dst, t.extendedID...)
	case proxy.ContextHTTPMethod:
		return append(dst, verbText(r, t.verb)...)
	case proxy.ContextPath:
		return append(dst, r.Path...)
	case proxy.ContextProtocol:
		return append(dst, protocol...)
	case proxy.ContextDomainName:
		return append(dst, r.Host...)
	case proxy.ContextDomainPrefix:
		for i, c := range r.Host {
			if c == '.' {
				return append(dst, r.Host[:i]...)
			}
		}
		return append(dst, r.Host...)
	case proxy.ContextSourceIP:
		return append(dst, t.sourceIP...)
	case proxy.ContextUserAgent:
		return append(dst, r.Get(http1.UserAgent)...)
	case proxy.ContextRequestTime:
		return time.Unix(0, t.worker.loop.Wall(t.x.Started)).UTC().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700")
	case proxy.ContextRequestTimeEpoch:
		return strconv.AppendInt(dst, t.worker.loop.Wall(t.x.Started)/int64(time.Millisecond), 10)
	}
	return t.appendCaller(dst, v, name)
}

// appendCaller appends what is known of who calls.
func (t *transaction) appendCaller(dst []byte, v proxy.ContextVar, name string) []byte {
	switch v {
	case proxy.ContextEndpointID:
		return append(dst, t.x.Endpoint()...)
	case proxy.ContextAPIKeyID:
		if t.client.known {
			return t.client.AppendKeyID(dst)
		}
		return dst
	case proxy.ContextConnectionID, proxy.ContextConnectedAt, proxy.ContextEventType, proxy.ContextRouteKey, proxy.ContextMessageDirection:
		return t.appendConnecting(dst, v)
	case proxy.ContextClientCert:
		return t.appendCertificate(dst, name)
	case proxy.ContextAuthorizer:
		start := len(dst)
		if dst = t.identity.AppendContext(dst, name); len(dst) == start {
			dst = t.appendAuthorizer(dst, name)
		}
		return dst
	}
	return session.AppendIdentity(dst, &t.identity, v, name)
}

// AppendBody implements proxy.Input: methods map nothing of the body.
func (t *transaction) AppendBody(dst []byte, _ *jsonpath.Path) ([]byte, bool) { return dst, false }
