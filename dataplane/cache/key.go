package cache

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// Method is how the answers of one method are cached. It is immutable; any
// number of goroutines may use it.
type Method struct {
	Stage    *Stage
	Standard bool  // else as AWS
	TTL      int64 // nanoseconds, in mode aws

	OpenInvalidation bool
	Strategy         string // when it is not open: definition.CacheFailWith403, …

	verb       http1.Verb // VerbOther is any
	prefix     []byte     // of keys: deployment and namespace
	params     []parameter
	declared   http1.Set // special header fields among params
	distrusted http1.Set

	allCallers   bool     // entries are for all callers
	perCaller    bool     // else they are of one each, and of none that nobody knows
	callerFields []string // of requests, lower case: what the gateway knows callers by
}

type source uint8

const (
	fromPath source = iota
	fromQuery
	fromHeader
)

// parameter is a part of a request that entries are told apart by.
type parameter struct {
	source source
	id     http1.ID // of a header field
	index  int      // of a path parameter
	name   string   // of the others
}

// Input is what a key needs of a request besides its head.
type Input interface {
	// Param returns path parameter i of the resource, in the order of its path.
	Param(i int) []byte
	// AppendCaller appends what tells callers apart, or is false when nothing does.
	AppendCaller(dst []byte) ([]byte, bool)
}

// AppendKey makes the key of a request, in buf. path is the target's behind the
// stage, as it came and was routed by. It is false when the key would be too
// long.
func (m *Method) AppendKey(buf []byte, r *http1.Request, verb http1.Verb, path []byte, in Input) (cachestore.Key, bool) {
	key := m.Stage.group.Key(buf)
	key = append(key, m.prefix...)
	key = append(key, byte(verb))
	key = appendPart(key, path)
	for i := range m.params {
		key = m.params[i].appendTo(key, r, in)
	}
	key, ok := m.appendCaller(key, in)
	return key, ok && len(key) <= cachestore.MaxKey
}

func (m *Method) appendCaller(key []byte, in Input) ([]byte, bool) {
	if m.allCallers {
		return key, true
	}
	const lengthBytes = 4
	start := len(key)
	key, ok := in.AppendCaller(append(key, make([]byte, lengthBytes)...))
	binary.BigEndian.PutUint32(key[start:], uint32(len(key)-start-lengthBytes))
	return key, ok || !m.perCaller
}

// AppendTarget makes, in mode standard, the primary key of a request, in buf: of
// the method GET and the target URI (RFC 9111 section 2). The target is given by
// its host, path and query, for those that a response invalidates are others
// than the request's. Callers that the gateway tells apart have a cache each.
func (m *Method) AppendTarget(buf []byte, host, path, query []byte, in Input) (cachestore.Key, bool) {
	key := m.Stage.group.Key(buf)
	key = append(key, m.prefix...)
	key = appendPart(key, host)
	key = appendPart(key, path)
	key = appendPart(key, query)
	key, ok := m.appendCaller(key, in)
	return key, ok && len(key) <= maxPrimary
}

// maxPrimary leaves room for what tells variants apart.
const maxPrimary = cachestore.MaxKey / 2

// appendTo appends all values that the parameter has: which of several a backend
// heeds is not known here.
func (p *parameter) appendTo(key []byte, r *http1.Request, in Input) []byte {
	if p.source == fromPath {
		return appendPart(key, in.Param(p.index))
	}
	count := len(key)
	key = append(key, 0, 0)
	n := uint16(0)
	if p.source == fromQuery {
		for q := (http1.Query{Rest: r.Query}); q.Next(); {
			if q.Is(p.name) {
				key = appendPart(key, q.Value)
				n++
			}
		}
	} else {
		for i := range r.Len() {
			if id := r.ID(i); id == p.id && (id != http1.Other || http1.EqualFold(r.Name(i), p.name)) {
				key = appendPart(key, r.Value(i))
				n++
			}
		}
	}
	binary.BigEndian.PutUint16(key[count:], n)
	return key
}
