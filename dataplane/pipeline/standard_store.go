package pipeline

import (
	"bytes"
	"math"

	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/cache"
	"github.com/tidegate/tidegate/dataplane/cache/rfc9111"
	"github.com/tidegate/tidegate/dataplane/http1"
)

const maxEntry = cache.MaxEntry

func entryOf(a rfc9111.Admission, received int64, meta, value []byte) cachestore.Entry {
	return cachestore.Entry{FreshUntil: received + a.FreshFor, KeepUntil: received + a.KeepFor, Meta: meta, Value: value}
}

// admitted keeps what Admit said for the end of the body.
func (f *fill) admitted(a rfc9111.Admission, received int64) {
	f.admission, f.received = a, received
}

// storeStandard stores a response that has arrived whole, under the key that its
// Vary makes of the request, and ends the fill.
func (f *fill) storeStandard(m *cache.Method, primary cachestore.Key, r *http1.Request, now int64) {
	store := m.Stage.Store
	f.active = false
	stored, ok := rfc9111.Decode(f.meta)
	if !ok {
		f.ticket.Pass()
		return
	}
	var old rfc9111.Index
	if _, e, state := store.Get(nil, primary, now); state != cachestore.Miss {
		old, _ = rfc9111.DecodeIndex(e.Meta)
	}
	encoded, index, changed := rfc9111.MergeIndex(nil, old, &stored)
	final := primary
	if !index.Empty() {
		final = index.AppendKey(bytes.Clone(primary), r)
	}
	e := entryOf(f.admission, f.received, f.meta, f.body)
	leads := !f.refresh
	if leads && bytes.Equal(final, f.key) {
		_ = f.ticket.Commit(e)
		return
	}
	_ = store.Set(final, e)
	lead := cachestore.Entry{FreshUntil: math.MaxInt64, KeepUntil: math.MaxInt64, Meta: encoded}
	switch {
	case changed && leads && bytes.Equal(primary, f.key):
		_ = f.ticket.Commit(lead) // those that wait find their variant by it
	case changed:
		_ = store.Set(primary, lead)
		fallthrough
	default:
		f.ticket.Pass()
	}
}

// cutQuery splits a target into path and query.
func cutQuery(target []byte) (path, query []byte) {
	path, query, _ = bytes.Cut(target, []byte{'?'})
	return path, query
}
