package http1

import (
	"strings"
	"testing"
)

// chunkedBodies are bodies with what follows them, their data, and what is left
// over; data "!" means refused.
var chunkedBodies = []struct{ text, data, rest string }{
	{"0\r\n\r\n", "", ""},
	{"3\r\nabc\r\n0\r\n\r\n", "abc", ""},
	{"3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "abc", "GET / HTTP/1.1\r\n"},
	{"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n\r\n", "abc", "\r\n"},
	{"a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
	{"A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
	{"00003\r\nabc\r\n000\r\n\r\n", "abc", ""},
	{"3\r\n\r\n0\r\n0\r\n\r\n", "\r\n0", ""},
	{"3;a=b\r\nabc\r\n0;c\r\n\r\n", "abc", ""},
	{"3;\r\nabc\r\n0\r\n\r\n", "abc", ""},
	{"3;a=\"b c\"\r\nabc\r\n0\r\n\r\n", "abc", ""},
	{"3;" + strings.Repeat("x", maxChunkExtension) + "\r\nabc\r\n0\r\n\r\n", "abc", ""},
	{"3;" + strings.Repeat("x", maxChunkExtension+1) + "\r\nabc\r\n0\r\n\r\n", "!", ""},
	{"0\r\nX-A: t\r\n\r\n", "", ""}, // a trailer, thrown away
	{"0\r\nX-A:\r\nContent-Length: 5\r\nHost: evil\r\n\r\nrest", "", "rest"},
	{"0\r\nX: " + strings.Repeat("x", maxTrailer-3) + "\r\n\r\n", "", ""},
	{"0\r\nX: " + strings.Repeat("x", maxTrailer) + "\r\n\r\n", "!", ""},
	{"0\r\n" + strings.Repeat("Xyz:\r\n", maxTrailer/4) + "\r\n", "", ""},
	{"0\r\n" + strings.Repeat("Xyz:\r\n", maxTrailer/4+1) + "\r\n", "!", ""},
	{"00000000000000\r\n\r\n", "", ""},

	{"\r\n", "!", ""},
	{" 3\r\nabc\r\n", "!", ""},
	{"3 \r\nabc\r\n", "!", ""},
	{"3 ;a\r\nabc\r\n", "!", ""},
	{"3\t\r\nabc\r\n", "!", ""},
	{"0x3\r\nabc\r\n", "!", ""},
	{"+3\r\nabc\r\n", "!", ""},
	{"-3\r\nabc\r\n", "!", ""},
	{"3,3\r\nabc\r\n", "!", ""},
	{"g\r\n", "!", ""},
	{";a\r\n", "!", ""},
	{"3\nabc\n0\n\n", "!", ""},
	{"3\r\nabc\n0\r\n\r\n", "!", ""},
	{"3\r\nabc0\r\n\r\n", "!", ""},
	{"3\r\nabcd\r\n0\r\n\r\n", "!", ""},
	{"2\r\nabc\r\n0\r\n\r\n", "!", ""},
	{"3\r\nabc\rX0\r\n\r\n", "!", ""},
	{"3\rabc\r\n", "!", ""},
	{"3\r\r\nabc", "!", ""},
	{"3;a\nb\r\nabc\r\n", "!", ""}, // a line feed hidden in an extension
	{"3;a\rb\r\nabc\r\n", "!", ""},
	{"3;a\x00\r\nabc\r\n", "!", ""},
	{"0000000000000000\r\n\r\n", "!", ""}, // more digits than a length has
	{"fffffffffffffffff\r\n", "!", ""},
	{"10000000000000003\r\nabc\r\n", "!", ""},
	{"0\r\n\n", "!", ""},
	{"0\r\n\rX", "!", ""},
	{"0\r\nX-A: t\n\r\n", "!", ""},
	{"0\r\nX-A: t\rX\r\n\r\n", "!", ""},
	{"0\r\n X-A: t\r\n\r\n", "!", ""},
	{"0\r\nX-A: t\r\n folded\r\n\r\n", "!", ""},
	{"0\r\nX-A : t\r\n\r\n", "!", ""},
	{"0\r\n: t\r\n\r\n", "!", ""},
	{"0\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n", "!", ""}, // a request in a trailer's place
	{"0\r\nX-A\r\n\r\n", "!", ""},
	{"0\r\nX-A: \x00\r\n\r\n", "!", ""},
}

// nextAll and compactAll decode pieces to their end. They return the data, the
// bytes of the pieces that were left over, and whether the body was whole.
func nextAll(pieces ...string) (data, rest string, done bool) {
	var c Chunked
	for _, p := range pieces {
		buf := []byte(p)
		for len(buf) > 0 && !c.Done() {
			part, n, fault := c.Next(buf)
			if fault != 0 {
				return "!", "", false
			}
			data += string(part)
			buf = buf[n:]
		}
		rest += string(buf)
	}
	return data, rest, c.Done()
}

func compactAll(pieces ...string) (data, rest string, done bool) {
	var c Chunked
	for _, p := range pieces {
		buf := []byte(p)
		if c.Done() {
			rest += p
			continue
		}
		part, n, fault := c.Compact(buf)
		if fault != 0 {
			return "!", "", false
		}
		data += string(part)
		rest += p[n:]
	}
	return data, rest, c.Done()
}

// TestChunked gives each body whole, cut in two at every position, and byte by
// byte, to both ways of decoding.
func TestChunked(t *testing.T) {
	for _, b := range chunkedBodies {
		check := func(how, data, rest string, done bool) {
			t.Helper()
			if data != b.data || rest != b.rest || done != (b.data != "!") {
				t.Errorf("%.60q, %s: got %.40q, rest %q, done %v; want %.40q, rest %q", b.text, how, data, rest, done, b.data, b.rest)
			}
		}
		bytewise := strings.Split(b.text, "")
		data, rest, done := nextAll(b.text)
		check("whole", data, rest, done)
		data, rest, done = compactAll(b.text)
		check("whole, compacted", data, rest, done)
		data, rest, done = nextAll(bytewise...)
		check("byte by byte", data, rest, done)
		data, rest, done = compactAll(bytewise...)
		check("byte by byte, compacted", data, rest, done)
		for at := 1; at < len(b.text); at += 1 + at/200 {
			data, rest, done = nextAll(b.text[:at], b.text[at:])
			check("in two", data, rest, done)
			data, rest, done = compactAll(b.text[:at], b.text[at:])
			check("in two, compacted", data, rest, done)
		}
	}
}

// TestChunkedIncomplete: no prefix of a body is taken for the whole of it.
func TestChunkedIncomplete(t *testing.T) {
	for _, b := range chunkedBodies {
		whole := strings.TrimSuffix(b.text, b.rest)
		if b.data == "!" {
			continue
		}
		for n := 0; n < len(whole); n += 1 + n/200 {
			if _, _, done := nextAll(whole[:n]); done {
				t.Errorf("%.60q is done after %d bytes", b.text, n)
			}
		}
	}
}
