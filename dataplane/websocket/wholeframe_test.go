package websocket

import (
	"bytes"
	"testing"
)

func TestWholeFrame(t *testing.T) {
	text := bytes.Repeat([]byte("x"), 300)
	for _, size := range []int{0, 1, 125, 126, 300} {
		for _, frame := range [][]byte{AppendFrame(nil, true, OpText, text[:size]), AppendMasked(nil, false, OpBinary, text[:size], 7)} {
			if got := wholeFrame(append(frame, "more"...)); got != len(frame) {
				t.Errorf("%d of %d bytes", got, len(frame))
			}
			for i := range frame {
				if got := wholeFrame(frame[:i]); got != 0 {
					t.Fatalf("the first %d of %d bytes are %d", i, len(frame), got)
				}
			}
		}
	}
	for name, frame := range map[string][]byte{
		"control": AppendFrame(nil, true, OpPing, nil), "huge": AppendFrame(nil, true, OpText, make([]byte, 1<<16)),
	} {
		if got := wholeFrame(frame); got != 0 {
			t.Errorf("%s: %d bytes", name, got)
		}
	}
}

// FuzzWholeFrame: it agrees with the reader, which says whether a frame is sound.
func FuzzWholeFrame(f *testing.F) {
	f.Add(AppendMasked(nil, true, OpText, []byte("hello"), 7))
	f.Add(AppendMasked(nil, true, OpText, make([]byte, 126), 7))
	f.Add([]byte{0x81, 0xFE, 0, 1, 0, 0, 0, 0, 0})
	limits := AWSLimits()
	f.Fuzz(func(t *testing.T, b []byte) {
		size := wholeFrame(b)
		if size == 0 {
			return
		}
		r := Reader{Masked: true}
		part, used, fault := r.Next(bytes.Clone(b[:size]), &limits)
		if fault == 0 && (used != size || !part.Whole || r.InFrame()) {
			t.Errorf("%d of %d bytes used, %+v", used, size, part)
		}
	})
}
