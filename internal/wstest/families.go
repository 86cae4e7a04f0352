package wstest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Options say what the server under test allows.
type Options struct {
	Frame     int  // bytes
	Message   int  // bytes
	Fragments int  // frames of a message
	TextOnly  bool // binary messages are refused with 1003
	Remote    bool // the echo is behind a proxy, which refuses without waiting for it
}

// Families returns all cases.
func Families(o Options) []Family {
	return []Family{
		{"framing", framing(o)}, {"masking", masking()}, {"pings", pings()}, {"reserved bits", reservedBits()},
		{"opcodes", opcodes()}, {"fragmentation", fragmentation(o)}, {"text", text()}, {"closing", closing()}, {"limits", limits(o)},
	}
}

// echo is a case whose frames come back as they are, each a message.
func echo(name string, cut int, frames ...Frame) Case {
	return Case{Name: name, Say: Bytes(frames...), Cut: cut, Want: frames}
}

// refused is a case that ends in a close, whatever comes after it.
func refused(name string, code int, say ...[]byte) Case {
	return Case{Name: name, Say: slices.Concat(say...), Close: code}
}

func framing(o Options) (cases []Case) {
	for _, size := range []int{0, 1, 2, 124, 125, 126, 127, 128, 1000, 16384, o.Frame - 1, o.Frame} {
		for _, cut := range []int{0, 1, 3, 997} {
			if cut != 0 && size/cut > 200 {
				continue
			}
			for _, op := range []byte{Text, Binary} {
				f := Frame{Op: op, Payload: bytes.Repeat([]byte("*"), size)}
				c := echo(fmt.Sprintf("op %d, %d bytes, cut %d", op, size, cut), cut, f)
				if op == Binary && o.TextOnly {
					c.Want, c.Close = nil, 1003
				}
				cases = append(cases, c)
			}
		}
	}
	for _, bad := range []struct{ size, width int }{{0, 2}, {125, 2}, {0, 8}, {125, 8}, {126, 8}, {1000, 8}, {65535, 8}} {
		cases = append(cases, refused(fmt.Sprintf("%d bytes announced in %d", bad.size, bad.width), 1002,
			Header(Frame{Op: Text}, bad.size, bad.width, true), make([]byte, bad.size)))
	}
	cases = append(cases,
		refused("length with the top bit", 1002, Header(Frame{Op: Text}, -1<<63+10, 8, true)),
		refused("length of 2^62", 1009, Header(Frame{Op: Text}, 1<<62, 8, true)),
		echo("one after the other", 0, T("a"), T(""), T("bc"), T(strings.Repeat("d", 200)), T("e")),
		echo("one after the other, byte by byte", 1, T("a"), T(""), T("bc"), T(strings.Repeat("d", 200)), T("e")))
	return cases
}

func masking() (cases []Case) {
	for _, f := range []Frame{T("hello"), T(""), {Op: Ping}, CloseFrame(1000, "")} {
		cases = append(cases, refused(fmt.Sprintf("unmasked op %d, %d bytes", f.Op, len(f.Payload)), 1002,
			Header(f, len(f.Payload), 0, false), f.Payload))
	}
	for size := range 70 { // every alignment of the end
		f := T(strings.Repeat("tidegate", 9)[:size])
		cases = append(cases, echo(fmt.Sprintf("%d bytes", size), 0, f), echo(fmt.Sprintf("%d bytes, cut 5", size), 5, f))
	}
	return cases
}

func pings() (cases []Case) {
	pong := func(payload string) Frame { return Frame{Op: Pong, Payload: []byte(payload)} }
	ping := func(payload string) Frame { return Frame{Op: Ping, Payload: []byte(payload)} }
	for name, payload := range map[string]string{"empty": "", "text": "Hello, world!", "binary": "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", "125 bytes": strings.Repeat("\xfe", 125)} {
		cases = append(cases,
			Case{Name: name, Say: Bytes(ping(payload)), Want: []Frame{pong(payload)}},
			Case{Name: name + ", byte by byte", Say: Bytes(ping(payload)), Cut: 1, Want: []Frame{pong(payload)}},
			Case{Name: name + " after a text", Say: Bytes(T("x"), ping(payload)), Want: []Frame{T("x"), pong(payload)}})
	}
	var ten, pongs []Frame
	for i := range 10 {
		ten, pongs = append(ten, ping(fmt.Sprint("payload-", i))), append(pongs, pong(fmt.Sprint("payload-", i)))
	}
	return append(cases,
		refused("126 bytes", 1002, Bytes(ping(strings.Repeat("\xfe", 126)))),
		refused("a ping over a long length", 1002, Header(Frame{Op: Ping}, 5, 2, true), []byte("01234")),
		Case{Name: "unsolicited pong", Say: Bytes(pong(""), ping("p")), Want: []Frame{pong("p")}},
		Case{Name: "unsolicited pong with payload", Say: Bytes(pong("nobody asked"), ping("p"), T("x")), Want: []Frame{pong("p"), T("x")}},
		Case{Name: "ten", Say: Bytes(ten...), Want: pongs},
		Case{Name: "ten, byte by byte", Say: Bytes(ten...), Cut: 1, Want: pongs})
}

func reservedBits() (cases []Case) {
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, f := range []Frame{T("x"), {Op: Binary}, {Op: Ping}, {Op: Pong}, CloseFrame(1000, "")} {
			f.RSV = rsv
			cases = append(cases, refused(fmt.Sprintf("rsv %d on op %d", rsv, f.Op), 1002, Bytes(f), Bytes(Frame{Op: Ping})))
		}
		bad, byBit := T("bad"), T("")
		bad.RSV, byBit.RSV = rsv, rsv
		after := refused(fmt.Sprintf("rsv %d after a text", rsv), 1002, Bytes(T("x"), bad))
		after.Want = []Frame{T("x")}
		onlyHead := refused(fmt.Sprintf("rsv %d, two bytes of the header", rsv), 1002, Bytes(byBit)[:2])
		cases = append(cases, after, onlyHead,
			refused(fmt.Sprintf("rsv %d on a continuation", rsv), 1002, Bytes(Frame{Op: Text, More: true}, Frame{Op: Continuation, RSV: rsv})))
	}
	return cases
}

func opcodes() (cases []Case) {
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		after := refused(fmt.Sprintf("%d after a text", op), 1002, Bytes(T("x"), Frame{Op: op, Payload: []byte("y")}, Frame{Op: Ping}))
		after.Want = []Frame{T("x")}
		cases = append(cases, after,
			refused(fmt.Sprintf("%d, empty", op), 1002, Bytes(Frame{Op: op})),
			refused(fmt.Sprintf("%d, not final", op), 1002, Bytes(Frame{Op: op, More: true})),
			refused(fmt.Sprintf("%d within a message", op), 1002, Bytes(Frame{Op: Text, More: true, Payload: []byte("x")}, Frame{Op: op})))
	}
	return cases
}

func limits(o Options) (cases []Case) {
	long := func(total, frame int) (frames []Frame) {
		op := byte(Text)
		for total > frame {
			frames = append(frames, Frame{Op: op, More: true, Payload: bytes.Repeat([]byte("m"), frame)})
			total, op = total-frame, Continuation
		}
		return append(frames, Frame{Op: op, Payload: bytes.Repeat([]byte("m"), total)})
	}
	whole := T(strings.Repeat("m", o.Message))
	for _, frame := range []int{o.Frame, o.Frame - 1, o.Message/o.Fragments + 1} {
		if (o.Message+frame-1)/frame > o.Fragments {
			continue
		}
		cases = append(cases,
			Case{Name: fmt.Sprintf("longest message in frames of %d", frame), Say: Bytes(long(o.Message, frame)...), Want: []Frame{whole}},
			Case{Name: fmt.Sprintf("longest message in frames of %d, cut", frame), Say: Bytes(long(o.Message, frame)...), Cut: 1500, Want: []Frame{whole}},
			refused(fmt.Sprintf("one byte more in frames of %d", frame), 1009, Bytes(long(o.Message+1, frame)...)))
	}
	var empty []Frame
	for range o.Fragments + 1 {
		empty = append(empty, Frame{Op: Continuation, More: true})
	}
	empty[0].Op = Text
	most := slices.Clone(empty[:o.Fragments])
	most[o.Fragments-1].More = false
	return append(cases,
		refused("frame one byte too long", 1009, Bytes(T(strings.Repeat("m", o.Frame+1)))),
		refused("frame too long, header alone", 1009, Header(T(""), o.Frame+1, 0, true)),
		refused("continuation too long", 1009, Bytes(Frame{Op: Text, More: true}), Header(Frame{}, o.Frame+1, 0, true)),
		Case{Name: "most fragments", Say: Bytes(most...), Want: []Frame{T("")}},
		refused("a fragment too many", 1008, Bytes(empty...)))
}
