package http1

import "testing"

// heads are what a reader may see, with the length of the head in front, or 0.
var heads = []struct {
	text string
	end  int
}{
	{"", 0},
	{"G", 0},
	{"GET / HTTP/1.1\r\n", 0},
	{"GET / HTTP/1.1\r\nHost: h\r\n", 0},
	{"GET / HTTP/1.1\r\nHost: h\r\n\r", 0},
	{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27},
	{"GET / HTTP/1.1\r\nHost: h\r\n\r\nbody\r\n\r\n", 27},
	{"GET / HTTP/1.1\r\n\r\n", 18},
	{"\r\nGET / HTTP/1.1\r\n\r\n", 20},
	{"\r\n", 0},
	{"\r\n\r", 0},
	{"\r\n\r\n", 4},
	{"\r\n\r\nGET / HTTP/1.1\r\n\r\n", 4},
	{"\r\n\n", 3},
	{"\r\n\rX\r\n\r\n", 8},
	{"\nGET / HTTP/1.1\r\n\r\n", 19},
	{"\n\n\n", 2},
	{"GET / HTTP/1.1\n\nX", 16}, // Parse refuses it
	{"GET / HTTP/1.1\r\n\nX", 17},
	{"GET / HTTP/1.1\n\r\nX", 17},
	{"GET / HTTP/1.1\r\r\r\r", 0},
	{"A: b\r\n\r \n\r\n\r\n", 11},
}

// TestHeadEnd gives each text whole, and in two and three pieces at every
// position: where the head ends must not depend on how it came.
func TestHeadEnd(t *testing.T) {
	for _, h := range heads {
		buf := []byte(h.text)
		if got := HeadEnd(buf, 0); got != h.end {
			t.Errorf("%q: got %d, want %d", h.text, got, h.end)
		}
		for first := 0; first <= len(buf); first++ {
			for second := first; second <= len(buf); second++ {
				if got := headEndIn(buf, first, second); got != h.end {
					t.Errorf("%q cut at %d and %d: got %d, want %d", h.text, first, second, got, h.end)
				}
			}
		}
		scanned, got := 0, 0
		for n := 0; n <= len(buf) && got == 0; n++ {
			got = HeadEnd(buf[:n], scanned)
			scanned = n
		}
		if got != h.end {
			t.Errorf("%q byte by byte: got %d, want %d", h.text, got, h.end)
		}
	}
}

func headEndIn(buf []byte, cuts ...int) int {
	scanned := 0
	for _, n := range append(cuts, len(buf)) {
		if end := HeadEnd(buf[:n], scanned); end != 0 {
			return end
		}
		scanned = n
	}
	return 0
}
