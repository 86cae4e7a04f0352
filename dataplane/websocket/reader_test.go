package websocket

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"
)

// limits for tests are small, so that random frames reach them.
var small = &Limits{Frame: 200, Message: 500, Fragments: 5}

// event is a message or a control frame.
type event struct {
	op      Opcode
	payload string
}

// collect reads data in pieces, of random sizes if r is not nil, and returns
// what there is in it and the fault that ended it.
func collect(data []byte, masked bool, limits *Limits, r *rand.Rand) (events []event, fault Code) {
	reader := Reader{Masked: masked}
	var message, control []byte
	for len(data) > 0 {
		piece := data
		if r != nil {
			piece = data[:1+r.IntN(min(len(data), 20))]
		}
		data = data[len(piece):]
		piece = slices.Clone(piece)
		for len(piece) > 0 {
			part, n, fault := reader.Next(piece, limits)
			if fault != 0 {
				return events, fault
			}
			if n == 0 {
				panic("nothing used")
			}
			piece = piece[n:]
			if part.Op.IsControl() {
				if control = append(control, part.Payload...); part.Last {
					events, control = append(events, event{part.Op, string(control)}), nil
				}
				continue
			}
			if message = append(message, part.Payload...); part.Last && part.Fin {
				events, message = append(events, event{part.Message, string(message)}), nil
			}
		}
	}
	return events, 0
}

// naive is the plainest reader of RFC 6455 there is, on all of the bytes at
// once.
func naive(data []byte, masked bool, limits *Limits) (events []event, fault Code) {
	var message []byte
	var of Opcode
	frames, total := 0, uint64(0)
	for len(data) >= 2 {
		fin, rsv, op, hasMask, size := data[0]>>7 == 1, data[0]>>4&7, Opcode(data[0]&15), data[1]>>7 == 1, uint64(data[1]&127)
		if rsv != 0 || hasMask != masked {
			return events, 1002
		}
		switch op {
		case 8, 9, 10:
			if !fin || size > 125 {
				return events, 1002
			}
		case 1, 2:
			if of != 0 {
				return events, 1002
			}
			if op == 2 && limits.TextOnly {
				return events, 1003
			}
		case 0:
			if of == 0 {
				return events, 1002
			}
		default:
			return events, 1002
		}
		at := 2
		if size == 126 {
			at = 4
		} else if size == 127 {
			at = 10
		}
		var key [4]byte
		head := at
		if masked {
			head += 4
		}
		if len(data) < head {
			return events, 0
		}
		if at == 4 {
			if size = uint64(binary.BigEndian.Uint16(data[2:])); size < 126 {
				return events, 1002
			}
		} else if at == 10 {
			if size = binary.BigEndian.Uint64(data[2:]); size < 65536 || size >= 1<<63 {
				return events, 1002
			}
		}
		if masked {
			copy(key[:], data[at:])
		}
		data = data[head:]
		if op < 8 {
			if op != 0 {
				of, frames, total, message = op, 0, 0, nil
			}
			frames++
			if total += size; size > uint64(limits.Frame) || total > uint64(limits.Message) {
				return events, 1009
			}
			if frames > limits.Fragments {
				return events, 1008
			}
		}
		n := int(min(size, uint64(len(data))))
		payload := slices.Clone(data[:n])
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		data = data[n:]
		whole := uint64(n) == size
		if op >= 8 {
			if whole {
				events = append(events, event{op, string(payload)})
			}
			continue
		}
		message = append(message, payload...)
		if of == 1 && !beginsText(message, whole && fin) {
			return events, 1007
		}
		if whole && fin {
			events = append(events, event{of, string(message)})
			of = 0
		}
	}
	return events, 0
}

// beginsText reports whether b is valid UTF-8, or could go on as such.
func beginsText(b []byte, ends bool) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return !ends && couldGoOn(b)
		}
		b = b[n:]
	}
	return true
}

// couldGoOn tries all ways to complete a character.
func couldGoOn(b []byte) bool {
	if len(b) > 3 {
		return false
	}
	for _, first := range []byte{0x80, 0x90, 0xA0, 0xBF} {
		for _, rest := range []string{"", "\x80", "\x80\x80"} {
			if utf8.Valid(append(append(slices.Clone(b), first), rest...)) {
				return true
			}
		}
	}
	return false
}

// randomFrames makes frames that are mostly right.
func randomFrames(r *rand.Rand, masked bool) (b []byte) {
	open := false
	for range 1 + r.IntN(12) {
		op := []Opcode{OpText, OpText, OpText, OpBinary, OpPing, OpPong, OpClose}[r.IntN(7)]
		if !op.IsControl() && open {
			op = OpContinuation
		}
		if r.IntN(40) == 0 {
			op = Opcode(r.IntN(16))
		}
		fin := op.IsControl() || r.IntN(3) == 0
		if !op.IsControl() {
			open = !fin
		}
		size := []int{0, 1, 2, 5, 20, 125, 126, 127, 200, 201}[r.IntN(10)]
		if op.IsControl() {
			size = r.IntN(126)
		}
		payload := make([]byte, 0, size)
		for len(payload) < size {
			if n := r.IntN(20); n == 0 {
				payload = append(payload, byte(r.IntN(256)))
			} else if n < 4 {
				payload = utf8.AppendRune(payload, rune(r.IntN(0x110000)))
			} else {
				payload = append(payload, 'a'+byte(n))
			}
		}
		payload = payload[:size]
		at := len(b)
		if masked {
			b = AppendMasked(b, fin, op, payload, r.Uint32())
		} else {
			b = AppendFrame(b, fin, op, payload)
		}
		if r.IntN(30) == 0 {
			b[at+r.IntN(2)] ^= 1 << r.IntN(8)
		}
	}
	return b
}

func TestReaderAgainstANaiveOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	faults := map[Code]int{}
	for i := range 30_000 {
		masked := i%2 == 0
		data := randomFrames(r, masked)
		want, wantFault := naive(data, masked, small)
		faults[wantFault]++
		for _, cut := range []*rand.Rand{nil, r} {
			if got, fault := collect(data, masked, small, cut); !slices.Equal(got, want) || fault != wantFault {
				t.Fatalf("% x\ngot  %q, %d\nwant %q, %d", data, got, fault, want, wantFault)
			}
		}
	}
	for _, code := range []Code{0, ProtocolError, InvalidPayload, PolicyViolation, TooBig} {
		if faults[code] < 20 {
			t.Errorf("only %d of the inputs end in %d", faults[code], code)
		}
	}
}

func FuzzReader(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		f.Add(randomFrames(r, true), true, uint64(1))
		f.Add(randomFrames(r, false), false, uint64(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, masked bool, seed uint64) {
		want, wantFault := naive(data, masked, small)
		if got, fault := collect(data, masked, small, rand.New(rand.NewPCG(seed, 0))); !slices.Equal(got, want) || fault != wantFault {
			t.Fatalf("got  %q, %d\nwant %q, %d", got, fault, want, wantFault)
		}
	})
}

// TestTextAgainstUnicode feeds texts in every two pieces.
func TestTextAgainstUnicode(t *testing.T) {
	if testing.Short() {
		t.Skip("tries every text of some bytes; left out by -short")
	}
	check := func(b []byte) {
		t.Helper()
		for cut := range len(b) + 1 {
			var state text
			ok := state.feed(b[:cut])
			if want := beginsText(b[:cut], false); ok != want {
				t.Fatalf("% x: %v, want %v", b[:cut], ok, want)
			}
			if ok {
				ok = state.feed(b[cut:]) && state.between()
			}
			if want := utf8.Valid(b); ok != want {
				t.Fatalf("% x cut at %d: %v, want %v", b, cut, ok, want)
			}
		}
	}
	for a := range 256 { // all of two bytes, and of three with the middle's borders
		for b := range 256 {
			check([]byte{byte(a), byte(b)})
			for _, c := range []byte{0x7f, 0x80, 0xbf, 0xc0} {
				check([]byte{byte(a), byte(b), c})
				check([]byte{byte(a), byte(b), c, 0x80})
			}
		}
	}
	for r := rune(0); r <= utf8.MaxRune; r += 311 {
		check(append([]byte("12345678abc"), string(r)+"z"...))
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "κόσμε", "\xed\xa0\x80", "12345678\xf4\x90\x80\x80"} {
		f.Add([]byte(s), 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = int(uint(cut) % uint(len(b)+1))
		var state text
		ok := state.feed(b[:cut]) && state.feed(b[cut:]) && state.between()
		if want := utf8.Valid(b); ok != want {
			t.Fatalf("%q: %v, want %v", b, ok, want)
		}
	})
}

func TestMask(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		b := make([]byte, r.IntN(200))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		key := r.Uint32()
		want := slices.Clone(b)
		for i := range want {
			want[i] ^= byte(key >> (8 * (i % 4)))
		}
		cut := r.IntN(len(b) + 1)
		got := slices.Clone(b)
		mask(got[:cut], key)
		mask(got[cut:], turn(key, cut))
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes cut at %d: % x, want % x", len(b), cut, got, want)
		}
	}
}

func TestAppendAndParseClose(t *testing.T) {
	long := string(bytes.Repeat([]byte("é"), 100)) // 200 bytes
	for _, c := range []struct {
		code   Code
		reason string
		want   string
	}{
		{Normal, "", ""}, {GoingAway, "bye", "bye"}, {BadGateway, "", ""}, {4000, "own", "own"}, {TooBig, long, long[:122]},
	} {
		payload := AppendClose(nil, c.code, c.reason)
		if code, reason, fault := ParseClose(payload); code != c.code || string(reason) != c.want || fault != 0 || len(payload) > maxControl {
			t.Errorf("%d %q: %d %q, fault %d, %d bytes", c.code, c.reason, code, reason, fault, len(payload))
		}
	}
	for _, code := range []Code{0, NoStatus, Abnormal, 1004, 1015, 2999, 5000} {
		if b := AppendClose(nil, code, "reason"); len(b) != 0 {
			t.Errorf("%d: sent as % x", code, b)
		}
	}
	for payload, want := range map[string]Code{"": 0, "\x03": ProtocolError, "\x03\xec": ProtocolError, "\x03\xed": ProtocolError, "\x03\xee": ProtocolError,
		"\x03\xe8": 0, "\x03\xe8\xff": InvalidPayload, "\x00\x00": ProtocolError, "\x0b\xb7": ProtocolError, "\x0b\xb8": 0, "\x13\x88": ProtocolError} {
		if _, _, fault := ParseClose([]byte(payload)); fault != want {
			t.Errorf("% x: fault %d, want %d", payload, fault, want)
		}
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	reader := Reader{Masked: true}
	frame := AppendMasked(nil, true, OpText, bytes.Repeat([]byte("x"), 128), 12345)
	data := make([]byte, len(frame))
	out := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		copy(data, frame)
		part, _, fault := reader.Next(data, small)
		if fault != 0 || !part.Whole {
			t.Fatal(fault)
		}
		out = AppendFrame(out[:0], true, part.Op, part.Payload)
		out = AppendMasked(out[:0], true, part.Op, part.Payload, 99)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReader128(b *testing.B) {
	reader := Reader{Masked: true}
	frame := AppendMasked(nil, true, OpText, bytes.Repeat([]byte("x"), 128), 12345)
	data := make([]byte, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		copy(data, frame)
		if _, _, fault := reader.Next(data, small); fault != 0 {
			b.Fatal(fault)
		}
	}
}

func BenchmarkText(b *testing.B) {
	for name, s := range map[string]string{"ascii": "The quick brown fox. ", "greek": "κόσμε κόσμε ", "japanese": "日本語のテキスト"} {
		data := bytes.Repeat([]byte(s), 4096/len(s))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var t text
				if !t.feed(data) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
