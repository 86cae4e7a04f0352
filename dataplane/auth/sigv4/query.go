package sigv4

import (
	"bytes"
	"slices"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// scratch is the memory of one verification.
type scratch struct {
	canonical []byte // the canonical request, then the padded string to sign
	encoded   []byte // the query's names and values, encoded
	decoded   []byte // values of the presigned form
	pairs     []pair
}

// pair is a query parameter: encoded[start:nameEnd] is the name and
// encoded[nameEnd:end] the value.
type pair struct {
	start, nameEnd, end int
	role                role
}

// role is what a parameter is in the presigned form.
type role uint8

const (
	isParameter role = iota
	isSignature      // never part of what is signed
	isToken
)

func (s *scratch) name(i int) []byte  { return s.encoded[s.pairs[i].start:s.pairs[i].nameEnd] }
func (s *scratch) value(i int) []byte { return s.encoded[s.pairs[i].nameEnd:s.pairs[i].end] }

// readQuery encodes the parameters of a query as they are signed: whatever is
// not unreserved becomes %XX (RFC 3986 section 2.3). A plus sign is a space. An
// empty pair counts, so that none can be slipped in.
func (s *scratch) readQuery(query []byte) {
	s.encoded, s.decoded, s.pairs = s.encoded[:0], s.decoded[:0], s.pairs[:0]
	for more := len(query) > 0; more; {
		var text []byte
		text, query, more = bytes.Cut(query, []byte{'&'})
		name, value, _ := bytes.Cut(text, []byte{'='})
		p := pair{start: len(s.encoded)}
		s.encoded = appendReencoded(s.encoded, name)
		p.nameEnd = len(s.encoded)
		s.encoded = appendReencoded(s.encoded, value)
		p.end = len(s.encoded)
		s.pairs = append(s.pairs, p)
	}
}

// decode returns what a value means. The result is valid until the next
// request is read.
func (s *scratch) decode(value []byte) []byte {
	start := len(s.decoded)
	s.decoded = http1.AppendUnescaped(s.decoded, value)
	return s.decoded[start:len(s.decoded):len(s.decoded)]
}

// appendQuery appends the canonical query to s.canonical.
func (s *scratch) appendQuery(as reading) {
	compare := bytes.Compare
	if as&asGoSDK != 0 {
		compare = compareDecoded
	}
	slices.SortFunc(s.pairs, func(a, b pair) int {
		if order := compare(s.encoded[a.start:a.nameEnd], s.encoded[b.start:b.nameEnd]); order != 0 {
			return order
		}
		return compare(s.encoded[a.nameEnd:a.end], s.encoded[b.nameEnd:b.end])
	})
	first := true
	for i := range s.pairs {
		if role := s.pairs[i].role; role == isSignature || role == isToken && as&tokenAfterwards != 0 {
			continue
		}
		if !first {
			s.canonical = append(s.canonical, '&')
		}
		first = false
		s.canonical = append(s.canonical, s.name(i)...)
		s.canonical = append(s.canonical, '=')
		s.canonical = append(s.canonical, s.value(i)...)
	}
}

// compareDecoded compares what two encoded texts mean, byte by byte.
func compareDecoded(a, b []byte) int {
	for len(a) > 0 && len(b) > 0 {
		var x, y byte
		x, a = nextDecoded(a)
		y, b = nextDecoded(b)
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func nextDecoded(text []byte) (byte, []byte) {
	if text[0] == '%' {
		return unhex(text[1])<<4 | unhex(text[2]), text[3:]
	}
	return text[0], text[1:]
}
