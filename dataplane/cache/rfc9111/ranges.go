package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// byteRange is what a Range field asks for (RFC 9110 section 14.2).
type byteRange uint8

const (
	// wholeRange: nothing, or something that may be ignored, as more than one range
	// is.
	wholeRange byteRange = iota
	partRange
	noRange // nothing of it is there
)

// parseRange reads ranges-specifier for a representation of length bytes. The
// part is [from, to).
func parseRange(b []byte, length int64) (from, to int64, r byteRange) {
	const unit = "bytes="
	if len(b) < len(unit) || !http1.EqualFold(b[:len(unit)], unit) {
		return 0, 0, wholeRange
	}
	spec, rest := nextElement(b[len(unit):])
	for len(spec) == 0 && len(rest) > 0 { // empty elements of a list mean nothing
		spec, rest = nextElement(rest)
	}
	for len(rest) > 0 {
		var more []byte
		if more, rest = nextElement(rest); len(more) > 0 {
			return 0, 0, wholeRange
		}
	}
	first, spec := cutDigits(spec)
	if len(spec) == 0 || spec[0] != '-' {
		return 0, 0, wholeRange
	}
	last, spec := cutDigits(spec[1:])
	if len(spec) > 0 {
		return 0, 0, wholeRange
	}
	return resolveRange(first, last, length)
}

// resolveRange has int-range and suffix-range (RFC 9110 section 14.1.2). first
// and last are -1 where not given.
func resolveRange(first, last, length int64) (from, to int64, r byteRange) {
	switch {
	case first < 0 && last < 0, first >= 0 && last >= 0 && last < first:
		return 0, 0, wholeRange
	case first < 0 && last == 0:
		return 0, 0, noRange
	case first < 0 && length == 0: // no Content-Range can say so
		return 0, 0, wholeRange
	case first < 0:
		return max(length-last, 0), length, partRange
	case first >= length:
		return 0, 0, noRange
	case last < 0 || last >= length:
		return first, length, partRange
	}
	return first, last + 1, partRange
}

// cutDigits reads a number, -1 if there is none. More digits than a length can
// have stand for a very large one.
func cutDigits(b []byte) (n int64, rest []byte) {
	const largest = 1 << 60
	i := 0
	for i < len(b) && isDigit(b[i]) {
		if n < largest/16 {
			n = n*10 + int64(b[i]-'0')
		} else {
			n = largest
		}
		i++
	}
	if i == 0 {
		return -1, b
	}
	return n, b[i:]
}
