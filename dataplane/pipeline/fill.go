package pipeline

import (
	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/cache/rfc9111"
)

// fill collects the answer that goes to the client for the cache.
type fill struct {
	key     cachestore.Key
	ticket  cachestore.Ticket
	refresh bool // the entry is replaced, whoever else is at it
	active  bool
	ignored bool // the client asked to invalidate and must not
	meta    []byte
	body    []byte

	// Of mode standard.
	admission rfc9111.Admission
	received  int64 // when the head was there
}

func (f *fill) begin(ticket cachestore.Ticket, refresh bool) {
	f.ticket, f.refresh, f.active = ticket, refresh, true
	f.body = f.body[:0]
}

// reset forgets the request.
func (f *fill) reset() {
	f.active, f.ignored = false, false
	f.body = shrink(f.body)
}

// fillHead takes the head of the answer: the field lines that are the same for
// every request. An answer that is not to be kept ends the fill.
func (t *transaction) fillHead(fields []byte) {
	f, resp := &t.fill, &t.call.Response
	if !t.method.Cache.Storable(t.status, resp) || resp.ContentLength > cache.MaxEntry {
		f.drop()
		return
	}
	f.meta = cache.AppendMeta(f.meta[:0], t.status, fields)
}

// fillBody takes more of the body, and stores the entry at its end.
func (t *transaction) fillBody(body []byte, last bool) {
	f := &t.fill
	if len(f.body)+len(body) > cache.MaxEntry || !t.x.Hold(len(body)) {
		f.drop()
		return
	}
	f.body = append(f.body, body...)
	if !last {
		return
	}
	m := t.method.Cache
	if m.Standard {
		f.storeStandard(m, t.std.primary, &t.x.Request, t.worker.loop.Now())
		return
	}
	f.active = false
	until := t.worker.loop.Now() + m.TTL
	e := cachestore.Entry{FreshUntil: until, KeepUntil: until, Meta: f.meta, Value: f.body}
	// An entry that is refused is counted by the store.
	if f.refresh {
		_ = m.Stage.Store.Set(f.key, e)
	} else {
		_ = f.ticket.Commit(e)
	}
}

// drop ends the fill: the answer is not one to share.
func (f *fill) drop() {
	if f.active {
		f.active = false
		f.ticket.Pass()
	}
}

// abortFill ends the fill when there is no answer, or no whole one.
func (t *transaction) abortFill() {
	if t.fill.active {
		t.fill.active = false
		t.fill.ticket.Abort(t.worker.loop.Now())
	}
}
