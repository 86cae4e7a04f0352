package authorizer

import "encoding/binary"

// Request is what an authorizer reads of a request to find out who calls. The
// values are those of the request's buffers; they are not kept.
type Request interface {
	// IdentityHeader returns the value of a header field line with a name, which
	// is in lower case and stands for any case, and where to look for the next
	// one. from is 0 at first. next is negative when there is none.
	IdentityHeader(name string, from int) (value []byte, next int)

	// IdentityQuery is IdentityHeader for query parameters: the value as it came of
	// one with a decoded name.
	IdentityQuery(name string, from int) (value []byte, next int)

	// AppendIdentityContext appends a $context variable; nothing if it has no value.
	AppendIdentityContext(dst []byte, v ContextVar) []byte
}

// HeaderFields returns the header fields, in lower case, that callers are known
// by.
func (a *Authorizer) HeaderFields() (names []string) {
	for i := range a.sources {
		if a.sources[i].kind == fromHeader {
			names = append(names, a.sources[i].name)
		}
	}
	return names
}

// generationSize is that of the part of a key that changes with a flush.
const generationSize = 8

// AppendKey appends the key of a request: all that its verdict depends on. It is
// false for a request that lacks an identity source, or has an empty one; then
// the answer is 401, and nobody is asked. The key returned is then of no use but
// for its room.
//
// Parts have their lengths, so that no other identity gives the same bytes. What
// of the authorizer is not a request's, its whole definition included, is in a
// hash.
func (a *Authorizer) AppendKey(dst []byte, r Request) (key []byte, ok bool) {
	if a.missing {
		return dst, false
	}
	key = append(dst, a.prefix...)
	key = binary.BigEndian.AppendUint64(key, a.state.generation.Load())
	for i := range a.sources {
		if key, ok = a.sources[i].appendTo(key, r); !ok {
			return key, false
		}
	}
	if a.ttl == 0 { // each request asks for itself
		key = binary.BigEndian.AppendUint64(key, a.state.sequence.Add(1))
	}
	return key, true
}

// sequenceSize is that of the part of a key that no other has.
const sequenceSize = 8

// Caller returns the part of a key that is the same for all requests of a caller.
// It is false when no source of the request's tells callers apart.
func (a *Authorizer) Caller(key []byte) ([]byte, bool) {
	if a.ttl == 0 {
		key = key[:len(key)-sequenceSize]
	}
	return key, len(a.sources) > 0
}

// appendTo appends all values that the source has. It is false when there is
// none, or the last one, which counts where only one can, is empty.
func (s *source) appendTo(key []byte, r Request) (_ []byte, present bool) {
	if s.kind == fromContext {
		start := len(key)
		key = append(key, 0, 0, 0, 0)
		key = r.AppendIdentityContext(key, s.ctx)
		n := len(key) - start - 4
		binary.BigEndian.PutUint32(key[start:], uint32(n))
		return key, n > 0
	}
	for at := 0; ; {
		var value []byte
		if s.kind == fromHeader {
			value, at = r.IdentityHeader(s.name, at)
		} else {
			value, at = r.IdentityQuery(s.name, at)
		}
		if at < 0 {
			return append(key, 0), present // no value begins with a 0
		}
		present = len(value) > 0
		key = binary.AppendUvarint(key, uint64(len(value))+1)
		key = append(key, value...)
	}
}

// tokenOf returns the token of a TOKEN authorizer's key: its last value.
func (a *Authorizer) tokenOf(key []byte) (token []byte) {
	for rest := key[len(a.prefix)+generationSize:]; ; {
		n, size := binary.Uvarint(rest)
		if n == 0 {
			return token
		}
		token, rest = rest[size:size+int(n)-1], rest[size+int(n)-1:]
	}
}
