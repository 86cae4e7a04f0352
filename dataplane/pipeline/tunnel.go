package pipeline

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// dial asks a backend for the WebSocket that the client's is passed on to.
func (t *transaction) dial() {
	c := t.connecting
	if t.method.Targets == nil {
		c.refuse(Misconfigured)
		return
	}
	t.calledAt = t.worker.loop.Now()
	t.method.Targets.Lookup(t.worker.loop, func(to *upstream.Address) {
		switch {
		case c.t == nil: // the client has gone meanwhile
		case to == nil:
			c.refuse(IntegrationFailure)
		default:
			c.dial(to)
		}
	})
}

func (c *connecting) dial(to *upstream.Address) {
	t := c.t
	t.call.Verb = http1.GET // whatever the definition says
	t.appendRequest(proxy.Body{})
	var protocols []byte
	for name := range c.upgrade.Protocols {
		if protocols = append(protocols, name...); true {
			protocols = append(protocols, ", "...)
		}
	}
	c.backend = t.worker.pipeline.sockets.Hub.Dial(t.worker.loop, websocket.Dial{
		Addrs: to.Addrs, TLS: to.TLS, Head: withoutHandshake(t.request), Protocols: bytes.TrimSuffix(protocols, []byte(", ")),
		Connect: to.Timeout, Deadline: t.calledAt + t.timeout(), Caller: c,
	})
}

// withoutHandshake takes the fields of the handshake, which is made anew with the
// backend, and the empty line out of a request.
func withoutHandshake(request []byte) []byte {
	out := request[:0]
	for line := range bytes.Lines(request) {
		const name = "sec-websocket-"
		if len(line) == len("\r\n") || len(line) > len(name) && http1.EqualFold(line[:len(name)], name) {
			continue
		}
		out = append(out, line...)
	}
	return bytes.Clone(out) // the transaction's buffer serves others soon
}

// Upgraded implements websocket.Caller.
func (c *connecting) Upgraded(b *websocket.Backend) {
	t := c.t
	if t == nil {
		b.Cancel()
		return
	}
	t.latency, t.backend = t.worker.loop.Now()-t.calledAt, 101
	answer := b.Answer()
	c.fields = answer.AppendLines(nil, func(i int) bool {
		const name = "sec-websocket-"
		n := answer.Name(i)
		return !hopFields.Has(answer.ID(i)) && !(len(n) > len(name) && http1.EqualFold(n[:len(name)], name))
	})
	c.protocol = string(b.Protocol())
	c.open()
}

// hopFields of a backend's answer are between it and the gateway alone.
var hopFields = http1.NewSet(http1.Connection, http1.Upgrade, http1.KeepAlive, http1.TransferEncoding, http1.ContentLength,
	http1.Date, http1.Server, http1.XAmznRequestID, http1.TE, http1.Trailer, http1.Via, http1.ProxyConnection)

// Answered implements websocket.Caller: the backend does not agree, and its answer
// is the client's.
func (c *connecting) Answered(answer *http1.Response, body []byte, whole bool) {
	t := c.t
	if t == nil {
		return
	}
	t.latency, t.backend = t.worker.loop.Now()-t.calledAt, answer.Status
	c.backend = nil // it has closed
	if !whole {
		c.refuse(IntegrationTooLarge)
		return
	}
	if answer.Status < 200 {
		c.refuse(IntegrationInvalid)
		return
	}
	b := t.startHead(answer.Status)
	b, hasType := t.method.Proxy.AppendResponse(b, -1, answer, &t.x.Request, t)
	if !hasType && len(body) > 0 {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	t.answerWhole(b, body)
}

// Failed implements websocket.Caller.
func (c *connecting) Failed(f websocket.Failure) {
	t := c.t
	if t == nil {
		return
	}
	t.latency = t.worker.loop.Now() - t.calledAt
	c.backend = nil
	switch f {
	case websocket.TimedOut:
		c.refuse(IntegrationTimeout)
	case websocket.NoAnswer, websocket.BadAnswer:
		c.refuse(IntegrationInvalid)
	default:
		c.refuse(IntegrationFailure)
	}
}
