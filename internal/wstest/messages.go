package wstest

import (
	"fmt"
	"slices"
	"strings"
)

func fragmentation(o Options) (cases []Case) {
	start := func(s string) Frame { return Frame{Op: Text, More: true, Payload: []byte(s)} }
	more := func(s string) Frame { return Frame{Op: Continuation, More: true, Payload: []byte(s)} }
	end := func(s string) Frame { return Frame{Op: Continuation, Payload: []byte(s)} }
	ping, pong := Frame{Op: Ping, Payload: []byte("p")}, Frame{Op: Pong, Payload: []byte("p")}
	for _, cut := range []int{0, 1, 4} {
		add := func(name string, want []Frame, say ...Frame) {
			cases = append(cases, Case{Name: fmt.Sprintf("%s, cut %d", name, cut), Say: Bytes(say...), Cut: cut, Want: want})
		}
		add("two", []Frame{T("ab")}, start("a"), end("b"))
		add("three", []Frame{T("abc")}, start("a"), more("b"), end("c"))
		add("empty ones", []Frame{T("b")}, start(""), more(""), more("b"), end(""))
		add("all empty", []Frame{T("")}, start(""), more(""), end(""))
		add("ping between", []Frame{pong, T("ab")}, start("a"), ping, end("b"))
		add("pings between", []Frame{pong, pong, pong, T("abc")}, start("a"), ping, more("b"), ping, ping, end("c"))
		add("ping before anything", []Frame{pong, T("b")}, start(""), ping, end("b"))
		add("pong between", []Frame{T("ab")}, start("a"), pong, end("b"))
		add("long ones with a ping between", []Frame{pong, T(strings.Repeat("l", 400))}, start(strings.Repeat("l", 200)), ping, end(strings.Repeat("l", 200)))
		add("message after message", []Frame{T("ab"), T("c"), T("de")}, start("a"), end("b"), T("c"), start("d"), end("e"))
	}
	if !o.TextOnly {
		cases = append(cases, Case{Name: "binary", Want: []Frame{{Op: Binary, Payload: []byte("\xff\xfe\xfd")}},
			Say: Bytes(Frame{Op: Binary, More: true, Payload: []byte("\xff")}, more("\xfe"), end("\xfd"))})
	}
	closed := refused("close between", 1000, Bytes(start("a"), CloseFrame(1000, ""), end("b")))
	return append(cases, closed,
		refused("ping in two", 1002, Bytes(Frame{Op: Ping, More: true}, end(""))),
		refused("pong in two", 1002, Bytes(Frame{Op: Pong, More: true}, end(""))),
		refused("close in two", 1002, Bytes(Frame{Op: Close, More: true}, end(""))),
		refused("continuation of nothing", 1002, Bytes(end("x"))),
		refused("continuation of nothing, not final", 1002, Bytes(more("x"))),
		refused("continuation of nothing, empty", 1002, Bytes(end(""))),
		Case{Name: "continuation after a whole message", Say: Bytes(T("x"), end("y")), Want: []Frame{T("x")}, Close: 1002},
		Case{Name: "continuation after the last", Say: Bytes(start("x"), end("y"), end("z")), Want: []Frame{T("xy")}, Close: 1002},
		refused("text within a text", 1002, Bytes(start("x"), T("y"))),
		refused("text within a text, not final", 1002, Bytes(start("x"), start("y"))),
		refused("text within an empty text", 1002, Bytes(start(""), T("y"))))
}

// Valid and invalid texts, by what they show (Unicode 15 table 3-7).
var validTexts = []string{
	"plain", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufeff", "\ufffd", "\uffff",
	"\U00010000", "\U0003fffd", "\U0010fffd", "\U0010ffff", "日本語のテキスト", "🌊🚪", strings.Repeat("a", 15) + "é" + strings.Repeat("b", 17),
}

var invalidTexts = []string{
	"\x80", "\xbf", "a\x80", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
	"\xf8\x80\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "\xfe\xfe\xff\xff",
	"\xed\xa0\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf",
	"\xceb", "\xe2\x82b", "\xe2b", "\xf0\x9f\x8cb", "\xf0\x9fb", "\xc3\xc3", "κόσμε\xed\xa0\x80edited",
}

// unfinished end within a character.
var unfinishedTexts = []string{"\xc2", "\xe2", "\xe2\x82", "\xf0", "\xf0\x9f", "\xf0\x9f\x8c", "κόσμ\xce"}

func text() (cases []Case) {
	for i, s := range validTexts {
		cases = append(cases, echo(fmt.Sprintf("valid %d", i), 0, T(s)), echo(fmt.Sprintf("valid %d, byte by byte", i), 1, T(s)))
		for at := range len(s) + 1 {
			cases = append(cases, Case{Name: fmt.Sprintf("valid %d, frames cut at %d", i, at), Say: Bytes(cutAt(s, at)...), Want: []Frame{T(s)}})
		}
		var single []Frame
		for at := range len(s) {
			single = append(single, Frame{Op: Continuation, More: true, Payload: []byte{s[at]}})
		}
		single[0].Op = Text
		single = append(single, Frame{Op: Continuation})
		cases = append(cases, Case{Name: fmt.Sprintf("valid %d, a frame for each byte", i), Say: Bytes(single...), Want: []Frame{T(s)}})
	}
	for i, s := range slices.Concat(invalidTexts, unfinishedTexts) {
		cases = append(cases, refused(fmt.Sprintf("invalid %d", i), 1007, Bytes(T(s))))
		byByte := refused(fmt.Sprintf("invalid %d, byte by byte", i), 1007, Bytes(T(s)))
		byByte.Cut = 1
		cases = append(cases, byByte)
		for at := range len(s) + 1 {
			cases = append(cases, refused(fmt.Sprintf("invalid %d, frames cut at %d", i, at), 1007, Bytes(cutAt(s, at)...)))
		}
	}
	// What is wrong already is refused before the rest of the frame has come.
	for i, s := range invalidTexts {
		frame := Bytes(T(s + strings.Repeat("x", 100)))
		cases = append(cases, refused(fmt.Sprintf("invalid %d, the rest never comes", i), 1007, frame[:6+len(s)]))
		first := Bytes(Frame{Op: Text, More: true, Payload: []byte(s)})
		cases = append(cases, refused(fmt.Sprintf("invalid %d, the last frame never comes", i), 1007, first))
	}
	return cases
}

func cutAt(s string, at int) []Frame {
	return []Frame{{Op: Text, More: true, Payload: []byte(s[:at])}, {Op: Continuation, Payload: []byte(s[at:])}}
}

func closing() (cases []Case) {
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases = append(cases, refused(fmt.Sprintf("code %d", code), code, Bytes(CloseFrame(code, ""))),
			refused(fmt.Sprintf("code %d with a reason", code), code, Bytes(CloseFrame(code, "Hello, wörld!"))))
	}
	for _, code := range []int{1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, refused(fmt.Sprintf("bad code %d", code), 1002, Bytes(CloseFrame(code, ""))),
			refused(fmt.Sprintf("bad code %d with a reason", code), 1002, Bytes(CloseFrame(code, "reason"))))
	}
	closeCut := refused("byte by byte", 1000, Bytes(CloseFrame(1000, "reason")))
	closeCut.Cut = 1
	return append(cases, closeCut,
		refused("code 0", 1002, Bytes(Frame{Op: Close, Payload: []byte{0, 0}})),
		refused("without a code", NoCode, Bytes(CloseFrame(0, ""))),
		refused("one byte", 1002, Bytes(Frame{Op: Close, Payload: []byte{3}})),
		refused("longest reason", 1000, Bytes(CloseFrame(1000, strings.Repeat("*", 123)))),
		refused("reason too long", 1002, Bytes(CloseFrame(1000, strings.Repeat("*", 124)))),
		refused("reason that is not text", 1007, Bytes(CloseFrame(1000, "\xce\xba\xed\xa0\x80"))),
		refused("reason that ends within a character", 1007, Bytes(CloseFrame(1000, "\xce"))),
		Case{Name: "after a text", Say: Bytes(T("x"), CloseFrame(1000, "")), Want: []Frame{T("x")}, Close: 1000},
		refused("twice", 1000, Bytes(CloseFrame(1000, ""), CloseFrame(1001, ""))),
		refused("text after it", 1000, Bytes(CloseFrame(1000, ""), T("x"))),
		refused("ping after it", 1000, Bytes(CloseFrame(1000, ""), Frame{Op: Ping})),
		refused("garbage after it", 1000, Bytes(CloseFrame(1000, "")), []byte(strings.Repeat("\xff", 1000))),
		refused("much after it", 1000, Bytes(CloseFrame(1000, ""), T(strings.Repeat("x", 30000)), T(strings.Repeat("x", 30000)))),
		refused("within a message", 1001, Bytes(Frame{Op: Text, More: true, Payload: []byte("x")}, CloseFrame(1001, ""))))
}
