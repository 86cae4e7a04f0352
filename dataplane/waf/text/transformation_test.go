package text

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"strings"
	"testing"
)

// apply transforms a copy of s behind other text, which has to stay.
func apply(t testing.TB, tr Transformation, s string) string {
	t.Helper()
	const before = "before"
	buf, at := tr.Apply(append([]byte(before), s...), len(before))
	if !bytes.HasPrefix(buf, []byte(before)) || at < len(before) || at > len(buf) {
		t.Fatalf("%s(%q): buffer %q, result at %d", tr, s, buf, at)
	}
	return string(buf[at:])
}

func TestTransformations(t *testing.T) {
	sum5, sum256 := md5.Sum([]byte("abc")), sha256.Sum256([]byte("abc"))
	for _, tc := range []struct {
		t        Transformation
		in, want string
	}{
		{None, "As %41 is", "As %41 is"},

		{Base64Decode, "YWJj", "abc"},
		{Base64Decode, "YWJjZA==", "abcd"},
		{Base64Decode, "YWJjZA", "abcd"},
		{Base64Decode, "YWJj!ZGVm", "abc"},
		{Base64Decode, "", ""},
		{Base64DecodeExt, "YW Jj\r\n!ZGVm", "abcdef"},
		{Base64DecodeExt, "P.HNjcmlwdD4=", "<script>"},

		{CmdLine, `C^OMMAND /C DIR`, "command/c dir"},
		{CmdLine, `"com'm^and" ;  /c`, "command/c"},
		{CmdLine, `cat,/etc;;passwd`, "cat/etc passwd"},
		{CmdLine, `\w\h\o\a\m\i (x)`, "whoami(x)"},
		{CmdLine, "a\t \nb", "a b"},

		{CompressWhiteSpace, "a \t\f\n\r\v b", "a b"},
		{CompressWhiteSpace, "  a  ", " a "},
		{CompressWhiteSpace, "a\xa0\xa0b", "a b"},
		{CompressWhiteSpace, "a\u00a0\u00a0b", "a b"},

		{CSSDecode, `ja\vascript`, "javascript"},
		{CSSDecode, `\6a\61vascript`, "javascript"},
		{CSSDecode, `\00006a avascript`, "javascript"},
		{CSSDecode, `\6a avascript`, "javascript"},
		{CSSDecode, `\ff1cscript`, "<script"},
		{CSSDecode, "a\\\nb", "ab"},
		{CSSDecode, `a\`, "a"},
		{CSSDecode, `plain`, "plain"},

		{EscapeSeqDecode, `\a\b\f\n\r\t\v\\\?\'\"`, "\a\b\f\n\r\t\v\\?'\""},
		{EscapeSeqDecode, `\x3cscript\076`, "<script>"},
		{EscapeSeqDecode, `\8 \xg1 \z \`, `\8 \xg1 \z \`},
		{EscapeSeqDecode, `\777`, "\x3f7"},

		{HexDecode, "3c736372697074", "<script"},
		{HexDecode, "3C7", "<"},
		{HexDecode, "no", "no"},

		{HTMLEntityDecode, "&lt;script&gt;", "<script>"},
		{HTMLEntityDecode, "&LT;&Quot;&amp;&nbsp;", "<\"&\xa0"},
		{HTMLEntityDecode, "&#x3c;&#X3C;&#60;&#0000060;", "<<<<"},
		{HTMLEntityDecode, "&#x3cscript", "<script"},
		{HTMLEntityDecode, "&ltscript", "<script"},
		{HTMLEntityDecode, "&#x20ac; &#233;", "€ \xe9"},
		{HTMLEntityDecode, "&; &# &#; &#x; &#xg; &unknown; &#99999999999; &", "&; &# &#; &#x; &#xg; &unknown; &#99999999999; &"},
		{HTMLEntityDecode, "a&amp;lt;", "a&lt;"},

		{JSDecode, `\u003cscript\x3e`, "<script>"},
		{JSDecode, `\uff1cscript\uFF1E`, "<script>"},
		{JSDecode, `\u4e3c`, "<"},
		{JSDecode, `\74script\076`, "<script>"},
		{JSDecode, `\n\t\q\\\'`, "\n\tq\\'"},
		{JSDecode, `\u00 \x3 \`, `u00 x3 \`},

		{Lowercase, "SELECT É[@Z", "select É[@z"},
		{Uppercase, "select é{`z", "SELECT é{`Z"},
		{MD5, "abc", string(sum5[:])},
		{SHA256, "abc", string(sum256[:])},

		{NormalizePath, "/a//b/./c/../d", "/a/b/d"},
		{NormalizePath, "/a/b/", "/a/b/"},
		{NormalizePath, "/../../etc/passwd", "/etc/passwd"},
		{NormalizePath, "../../etc", "../../etc"},
		{NormalizePath, "a/../../b", "../b"},
		{NormalizePath, "./a/.", "a"},
		{NormalizePath, "a/..", ""},
		{NormalizePath, "//", "/"},
		{NormalizePath, "/..a/...", "/..a/..."},
		{NormalizePath, "", ""},
		{NormalizePathWin, `\a\..\windows\\win.ini`, "/windows/win.ini"},

		{RemoveCommentsChar, "sel/**/ect 1--#", "select 1"},
		{RemoveNulls, "a\x00b\x00", "ab"},
		{RemoveWhitespace, " a\t\u00a0b\xa0", "ab"},
		{ReplaceNulls, "a\x00b", "a b"},
		{ReplaceComments, "sel/* x */ect", "sel ect"},
		{ReplaceComments, "a/**//**/b", "a  b"},
		{ReplaceComments, "a/* b", "a "},
		{ReplaceComments, "a*/b/", "a*/b/"},
		{ReplaceComments, "a/*/b", "a "},

		{SQLHexDecode, "select 0x414243", "select ABC"},
		{SQLHexDecode, "0X4142", "AB"},
		{SQLHexDecode, "0x4", "0x4"},
		{SQLHexDecode, "0x41zz 0x", "Azz 0x"},

		{Trim, "\u00a0 \ta b\u00a0\xa0", "a b"},
		{TrimLeft, " a ", "a "},
		{TrimRight, " a ", " a"},
		{Trim, "   ", ""},

		{URLDecode, "%3Cscript%3e", "<script>"},
		{URLDecode, "a+b", "a b"},
		{URLDecode, "%253c", "%3c"},
		{URLDecode, "%zz%4%u003c%", "%zz%4%u003c%"},
		{URLDecodeUni, "%u003cscript%uFF1E%41", "<script>A"},
		{URLDecodeUni, "%U003c", "<"},
		{URLDecodeUni, "%u00", "%u00"},

		{UTF8ToUnicode, "plain", "plain"},
		{UTF8ToUnicode, "é€", "%u00e9%u20ac"},
		{UTF8ToUnicode, "a😀", "a%u1f600"},
		{UTF8ToUnicode, "..\xc0\xaf..", "..%u002f.."},
		{UTF8ToUnicode, "\xe0\x80\xaf", "%u002f"},
		{UTF8ToUnicode, "\xff\xc3", "\xff\xc3"},
	} {
		if got := apply(t, tc.t, tc.in); got != tc.want {
			t.Errorf("%s(%q) = %q, want %q", tc.t, tc.in, got, tc.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Names() {
		if tr, ok := Parse(name); !ok || tr.String() != name {
			t.Errorf("%s: %v %v", name, tr, ok)
		}
	}
	for _, name := range []string{"", "none", "CMD_LINE_WIN"} {
		if tr, ok := Parse(name); ok {
			t.Errorf("%q is %v", name, tr)
		}
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	in := strings.Repeat(`/a/../%3Cb%3e \x41 &lt; /* c */ é `, 20)
	buf := make([]byte, 0, 8*len(in))
	for tr := range count {
		if n := testing.AllocsPerRun(10, func() { tr.Apply(append(buf, in...), 0) }); n != 0 {
			t.Errorf("%s: %v allocations", tr, n)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	in := []byte("/prod/orders/17/items/red-shoes?page=2&sort=name&filter=price%3E100")
	buf := make([]byte, 0, 1024)
	for tr := range count {
		b.Run(tr.String(), func(b *testing.B) {
			for b.Loop() {
				tr.Apply(append(buf, in...), 0)
			}
		})
	}
}

// Every byte in every place, of texts of every length up to two words.
func TestLowercaseOfEveryByte(t *testing.T) {
	for size := range 18 {
		for at := range size {
			for c := range 256 {
				b := bytes.Repeat([]byte{'Q'}, size)
				b[at] = byte(c)
				want := bytes.Repeat([]byte{'q'}, size)
				if want[at] = byte(c); c >= 'A' && c <= 'Z' {
					want[at] += 'a' - 'A'
				}
				if lowercase(b); !bytes.Equal(b, want) {
					t.Fatalf("%#x at %d of %d: %q", c, at, size, b)
				}
			}
		}
	}
}
