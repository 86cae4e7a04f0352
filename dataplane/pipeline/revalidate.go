package pipeline

import (
	"bytes"

	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/cache/rfc9111"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
)

// maxRevalidations bounds how many validations in the background an event loop
// has under way.
const maxRevalidations = 256

// revalidation validates a stored response whose client has been answered (RFC
// 5861 section 3). It has copies of all it needs of the request.
type revalidation struct {
	worker  *Worker
	method  *cache.Method
	call    upstream.Call
	head    http1.Request
	request rfc9111.Request
	primary cachestore.Key
	stored  rfc9111.Stored
	value   []byte
	bytes   []byte // for the backend
	sent    int64  // Unix nanoseconds
	fill    fill
}

// revalidate starts a validation in the background, unless one is under way.
func (t *transaction) revalidate(e cachestore.Entry) {
	w, m := t.worker, t.method.Cache
	if w.revalidations >= maxRevalidations || t.method.Targets == nil {
		return
	}
	ticket, turn := m.Stage.Store.Begin(t.fill.key, w.loop.Coarse(), t.timeout(), nil)
	if turn != cachestore.Lead {
		return
	}
	v := &revalidation{worker: w, method: m, primary: bytes.Clone(t.std.primary), value: bytes.Clone(e.Value)}
	v.fill.key = bytes.Clone(t.fill.key)
	v.fill.begin(ticket, false)
	var decoded bool
	v.stored, decoded = rfc9111.Decode(bytes.Clone(e.Meta))
	if !decoded || v.head.Parse(bytes.Clone(t.x.Request.Head()), anySize) != 0 {
		ticket.Pass()
		return
	}
	v.request = rfc9111.ReadRequest(&v.head)
	edge := t.edge()
	edge.Without, edge.Fields = rfc9111.Conditionals, v.stored.AppendConditionals(nil)
	v.call.Receiver, v.call.Verb = v, t.method.Proxy.Verb(http1.GET)
	v.bytes = t.method.Proxy.AppendRequest(nil, &t.x.Request, v.call.Verb, t, &edge, proxy.Body{})
	now := w.loop.Now()
	v.sent = w.loop.Wall(now)
	v.call.Deadline, v.call.MaxBody = now+t.timeout(), w.pipeline.settings.Load().MaxResponse
	w.revalidations++
	v.call.Cap = t.stage.Cap
	v.call.Start(w.loop, t.method.Targets, v.bytes, true)
}

// anySize are limits for a head that was parsed before.
var anySize = http1.Limits{Target: 1 << 20, Header: 1 << 20, Count: 1 << 16}

// Receive implements upstream.Receiver.
func (v *revalidation) Receive(first bool, body []byte, last bool) {
	if first && !v.receiveHead(last) {
		return
	}
	if len(v.fill.body)+len(body) > maxEntry {
		v.fill.drop()
		if !last {
			v.call.Cancel()
		}
		v.worker.revalidations--
		return
	}
	v.fill.body = append(v.fill.body, body...)
	if last {
		v.fill.storeStandard(v.method, v.primary, &v.head, v.worker.loop.Now())
		v.worker.revalidations--
	}
}

// receiveHead is true when the body is to be stored.
func (v *revalidation) receiveHead(last bool) bool {
	loop, store, resp := v.worker.loop, v.method.Stage.Store, &v.call.Response
	now := loop.Now()
	times := rfc9111.Times{Request: v.sent, Response: loop.Wall(now)}
	var admission rfc9111.Admission
	switch v.stored.OnResponse(&v.request, resp, int64(len(v.value)), times.Response) {
	case rfc9111.Freshen:
		v.fill.meta, admission = v.stored.Update(nil, &v.request, resp, times, &leeway)
		if admission.Refused == rfc9111.Admitted {
			_ = v.fill.ticket.Commit(entryOf(admission, now, v.fill.meta, v.value))
		} else {
			store.Delete(v.fill.key, now)
			v.fill.ticket.Pass()
		}
	case rfc9111.Replace, rfc9111.Pass:
		v.fill.meta, admission = rfc9111.Admit(nil, &v.request, resp, times, &leeway)
		if v.fill.admitted(admission, now); admission.Refused == rfc9111.Admitted && resp.ContentLength <= int64(maxEntry) {
			return true
		}
		store.Delete(v.fill.key, now)
		v.fill.ticket.Pass()
	default:
		v.fill.ticket.Pass() // what is stored stays as it is
	}
	v.fill.active = false
	if !last {
		v.call.Cancel()
	}
	v.worker.revalidations--
	return false
}

// Failed implements upstream.Receiver.
func (v *revalidation) Failed(upstream.Failure) {
	v.fill.drop()
	v.worker.revalidations--
}

// Drained implements upstream.Receiver.
func (v *revalidation) Drained() {}
