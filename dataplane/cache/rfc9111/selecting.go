package rfc9111

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// How the value of a selecting header field stands in a key. A field that is
// absent matches only where it is absent too (RFC 9111 section 4.1).
const (
	selectingAbsent byte = iota
	selectingAsIs
	selectingNormal
)

// appendSelecting appends the value of the field, its length before it. Lines are
// combined; the fields of proactive negotiation are normalised.
func appendSelecting(dst []byte, r *http1.Request, name []byte) []byte {
	at := len(dst)
	dst = append(dst, selectingAbsent, 0, 0, 0, 0)
	start := len(dst)
	for i := range r.Len() {
		if !equalFold(r.Name(i), name) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		} else {
			dst[at] = selectingAsIs
		}
		dst = append(dst, r.Value(i)...)
	}
	if n := negotiationOf(name); n != nil && dst[at] == selectingAsIs {
		end := len(dst)
		if out, ok := n.appendNormal(dst, start, end); ok {
			dst = out[:start+copy(out[start:], out[end:])]
			dst[at] = selectingNormal
		}
	}
	binary.LittleEndian.PutUint32(dst[at+1:], uint32(len(dst)-start))
	return dst
}

// negotiation is how the list of a request field may be written anew without a
// change of meaning (RFC 9110 section 12.5).
type negotiation struct {
	name      string
	anyCase   bool // all of it, not only what is before the parameters
	unordered bool // among elements of the same weight
}

// The order of languages and media types of the same weight has no meaning by the
// standard, but servers go by it.
var negotiations = []negotiation{
	{name: "accept"},
	{name: "accept-charset", anyCase: true, unordered: true},
	{name: "accept-encoding", anyCase: true, unordered: true},
	{name: "accept-language", anyCase: true},
}

func negotiationOf(name []byte) *negotiation {
	for i := range negotiations {
		if string(name) == negotiations[i].name {
			return &negotiations[i]
		}
	}
	return nil
}

const maxElements = 32

// element is one of a weighted list.
type element struct {
	text   []byte // with its parameters, the weight among them
	weight int    // in thousandths
}

// appendNormal appends the list dst[start:end] in normal form: heaviest first,
// without white space and with short weights.
func (n *negotiation) appendNormal(dst []byte, start, end int) (out []byte, ok bool) {
	var elements [maxElements]element
	count := 0
	for list := dst[start:end]; len(list) > 0; {
		cut := indexUnquoted(list, ',')
		if cut < 0 {
			return nil, false
		}
		text := trim(list[:cut])
		list = list[min(cut+1, len(list)):]
		if len(text) == 0 {
			continue
		}
		weight, ok := weightOf(text)
		if !ok || count == maxElements {
			return nil, false
		}
		at := count
		for at > 0 && n.before(text, weight, &elements[at-1]) {
			elements[at] = elements[at-1]
			at--
		}
		elements[at] = element{text, weight}
		count++
	}
	for i := range count {
		dst = n.appendElement(dst, &elements[i])
	}
	return dst, true
}

func (n *negotiation) before(text []byte, weight int, e *element) bool {
	if weight != e.weight {
		return weight > e.weight
	}
	name, _ := nextParameter(text)
	other, _ := nextParameter(e.text)
	return n.unordered && lessFold(name, other)
}

func (n *negotiation) appendElement(dst []byte, e *element) []byte {
	for part, rest := []byte(nil), e.text; len(rest) > 0; {
		first := part == nil
		part, rest = nextParameter(rest)
		if _, is := weightParameter(part); !first && (is || len(part) == 0) {
			continue
		}
		if !first {
			dst = append(dst, ';')
		}
		for _, c := range part {
			if first || n.anyCase {
				c = lower(c)
			}
			dst = append(dst, c)
		}
	}
	if e.weight != 1000 {
		dst = append(dst, ";q="...)
		dst = append(dst, byte('0'+e.weight/1000), '.', byte('0'+e.weight/100%10), byte('0'+e.weight/10%10), byte('0'+e.weight%10))
	}
	return append(dst, ',')
}

// weightOf returns the weight of an element (RFC 9110 section 12.4.2), which is
// not ok when it is given wrongly or twice, or to nothing.
func weightOf(text []byte) (weight int, ok bool) {
	weight = 1000
	found := false
	what, rest := nextParameter(text)
	if len(what) == 0 {
		return 0, false
	}
	for len(rest) > 0 {
		var part []byte
		part, rest = nextParameter(rest)
		v, is := weightParameter(part)
		if !is {
			continue
		}
		if weight = parseWeight(v); weight < 0 || found {
			return 0, false
		}
		found = true
	}
	return weight, true
}

// nextParameter cuts off what is before a semicolon, and trims it.
func nextParameter(b []byte) (part, rest []byte) {
	cut := indexUnquoted(b, ';')
	if cut < 0 {
		return trim(b), nil
	}
	return trim(b[:cut]), b[min(cut+1, len(b)):]
}

func weightParameter(part []byte) (value []byte, is bool) {
	if len(part) < 2 || lower(part[0]) != 'q' || part[1] != '=' {
		return nil, false
	}
	return part[2:], true
}

// parseWeight reads a qvalue in thousandths, or returns -1.
func parseWeight(b []byte) int {
	if len(b) == 0 || len(b) > 5 || b[0] != '0' && b[0] != '1' || len(b) > 1 && b[1] != '.' {
		return -1
	}
	weight, unit := int(b[0]-'0')*1000, 100
	for _, c := range b[min(2, len(b)):] {
		if !isDigit(c) {
			return -1
		}
		weight += int(c-'0') * unit
		unit /= 10
	}
	if weight > 1000 {
		return -1
	}
	return weight
}

// indexUnquoted returns where c first stands outside of quoted strings, the
// length of b if nowhere, and -1 if a quoted string has no end.
func indexUnquoted(b []byte, c byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case c:
			return i
		case '"':
			n := quotedLen(b[i:])
			if n == 0 {
				return -1
			}
			i += n - 1
		}
	}
	return len(b)
}

func lessFold(a, b []byte) bool {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return x < y
		}
	}
	return len(a) < len(b)
}
