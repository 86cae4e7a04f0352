package control

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// handle answers one call: who, what, may they, then the operation. It reads
// nothing that fasthttp derived from the request target.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	start := s.now()
	r := &request{id: newRequestID(), peer: ctx.Conn().(*conn).peer}
	status, answer, err := s.call(ctx, r)
	if err != nil {
		e := asError(err)
		status = e.Status
		writeError(ctx, r.id, e)
	} else {
		writeAnswer(ctx, r.id, status, answer)
	}
	s.audit(r, status, err, s.now().Sub(start))
}

func (s *Server) call(ctx *fasthttp.RequestCtx, r *request) (status int, answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("control operation failed", "panic", p, "stack", string(debug.Stack()))
			err = &Error{Status: 500, Code: CodeInternalError, Message: "The operation failed: the gateway's log says more"}
		}
	}()
	if !s.access.mayRead(r.peer) {
		return 0, nil, denied("User %d is not authorized to use the control API of this gateway", r.peer.UID)
	}
	r.operation, r.params, r.query, err = match(string(ctx.Method()), string(ctx.Request.Header.RequestURI()))
	if err != nil {
		return 0, nil, err
	}
	if r.operation.writes() && !s.access.mayWrite(r.peer) {
		return 0, nil, denied("User %d is not authorized to perform: apigateway:%s", r.peer.UID, r.operation.name)
	}
	if r.operation.serve == nil {
		return 0, nil, unsupported(r.operation.name)
	}
	release, err := s.readBody(ctx, r)
	if err != nil {
		return 0, nil, err
	}
	defer release()
	return r.operation.serve(s, r)
}

// readBody reads the body within its limit. A large one waits for a slot, so
// that many at once cannot fill the memory; release gives the slot back.
func (s *Server) readBody(ctx *fasthttp.RequestCtx, r *request) (release func(), err error) {
	release = func() {}
	length := ctx.Request.Header.ContentLength() // -1: chunked
	stream := ctx.RequestBodyStream()
	if length == 0 || stream == nil {
		return release, nil
	}
	most := r.operation.maxBody()
	if length > most {
		// A client that writes all before it reads should still see the answer.
		_, _ = io.CopyN(io.Discard, stream, int64(max(4*maxBody, 2*most)))
		ctx.SetConnectionClose()
		return release, tooLarge(most)
	}
	if length < 0 || length > largeBody {
		slots := s.large
		if most > maxBody && (length < 0 || length > maxBody) {
			slots = s.huge
		}
		wait := time.NewTimer(readTimeout)
		defer wait.Stop()
		select {
		case slots <- struct{}{}:
			release = func() { <-slots }
		case <-wait.C:
			ctx.SetConnectionClose()
			return release, &Error{Status: 429, Code: CodeTooManyCalls, Message: "Too many large definitions are being read: try again"}
		}
	}
	r.body, err = io.ReadAll(io.LimitReader(stream, int64(most)+1))
	switch {
	case err != nil:
		release()
		ctx.SetConnectionClose()
		return nil, badRequest("The body ended early")
	case len(r.body) > most:
		release()
		r.body = nil
		ctx.SetConnectionClose()
		return nil, tooLarge(most)
	}
	return release, nil
}

func tooLarge(most int) *Error {
	return &Error{Status: 413, Code: CodeTooLarge, Message: fmt.Sprintf("The body is larger than the limit of %d bytes", most)}
}

// refuse answers a request that could not be read as one.
func (s *Server) refuse(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var timeout net.Error
	e := badRequest("The request is not valid HTTP")
	switch {
	case errors.As(err, &small):
		e = &Error{Status: 431, Code: CodeTooLarge, Message: fmt.Sprintf("The header is larger than the limit of %d bytes", maxHeader)}
	case errors.As(err, &timeout) && timeout.Timeout():
		e = &Error{Status: 408, Code: "RequestTimeoutException", Message: "The request took too long to arrive"}
	}
	ctx.Response.Reset()
	writeError(ctx, newRequestID(), e)
}

func writeError(ctx *fasthttp.RequestCtx, id string, e *Error) {
	ctx.Response.Header.Set("x-amzn-ErrorType", e.Code)
	if e.Code == CodeTooManyCalls || e.Status == 503 {
		ctx.Response.Header.Set("Retry-After", "1")
	}
	writeAnswer(ctx, id, e.Status, struct {
		Message      string `json:"message"`
		ResourceType string `json:"resourceType,omitempty"`
	}{e.Message, e.ResourceType})
}

func writeAnswer(ctx *fasthttp.RequestCtx, id string, status int, answer any) {
	ctx.SetStatusCode(status)
	ctx.Response.Header.Set("x-amzn-RequestId", id)
	if answer == nil {
		return
	}
	if s, ok := answer.(*stream); ok {
		ctx.SetContentType(linesType)
		ctx.SetConnectionClose()
		ctx.SetBodyStreamWriter(s.writer(ctx.Conn()))
		return
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		panic("control: an answer that JSON cannot say: " + err.Error())
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

// audit writes one line for every attempt to change something.
func (s *Server) audit(r *request, status int, err error, took time.Duration) {
	if r.operation == nil || !r.operation.writes() {
		return
	}
	result, level := "ok", slog.LevelInfo
	if err != nil {
		result, level = asError(err).Error(), slog.LevelWarn
	}
	attrs := []any{"uid", r.peer.UID, "gid", r.peer.GID, "operation", r.operation.name, "api", r.apiID(),
		"status", strconv.Itoa(status), "result", result, "request_id", r.id, "took", took}
	if r.made != "" {
		attrs = append(attrs, "made", r.made)
	}
	if r.network != "" {
		attrs = append(attrs, "network", r.network)
	}
	for _, name := range []string{"stage", "deployment", "plan", "key", "route", "integration", "connection", "webacl", "ipset", "patternset"} {
		// Who took a key's value for its id should not find it in the log.
		if v := r.params[name]; v != "" && (name != "key" || len(v) < minKeyValue) {
			attrs = append(attrs, name, v)
		}
	}
	attrs = append(attrs, auditPrincipal(r)...)
	s.log.Log(context.Background(), level, "control", attrs...)
}

// update runs one change of the catalog.
func (s *Server) update(edit func(*definition.Catalog) (definition.Change, error)) error {
	ctx, cancel := context.WithTimeout(s.ctx, updateTimeout)
	defer cancel()
	return s.gateway.Update(ctx, edit)
}

// newRequestID makes a random UUID (RFC 9562, version 4).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
