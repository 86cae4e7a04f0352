package text

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"path"
	"strings"
	"testing"
)

// FuzzApply holds the transformations against their bounds and, where the
// standard library has the same on valid input, against that.
func FuzzApply(f *testing.F) {
	for _, s := range []string{
		"", "%3c%u003c+", `\u003c\x3c\74\n`, "&#x3c;&lt", "/a/../b//", "YWJj", "3c3d", "0x41", "é\xc0\xaf\xff", "a /* b */ --", `\6a a`,
	} {
		for tr := range count {
			f.Add(uint8(tr), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, in []byte) {
		tr := Transformation(n % uint8(count))
		got := apply(t, tr, string(in))
		most := len(in)
		switch tr {
		case MD5:
			most = 16
		case SHA256:
			most = 32
		case UTF8ToUnicode:
			most *= 3
		}
		if len(got) > most {
			t.Fatalf("%s(%q) has %d bytes", tr, in, len(got))
		}
		want, known := reference(tr, string(in))
		if known && got != want {
			t.Errorf("%s(%q) = %q, want %q", tr, in, got, want)
		}
		switch tr {
		case Lowercase, Uppercase, CompressWhiteSpace, RemoveNulls, ReplaceNulls, RemoveWhitespace, NormalizePath, Trim, UTF8ToUnicode:
			if again := apply(t, tr, got); again != got {
				t.Errorf("%s(%q) = %q, and %q the second time", tr, in, got, again)
			}
		}
	})
}

// reference is known for what is valid.
func reference(tr Transformation, in string) (want string, known bool) {
	switch tr {
	case None:
		return in, true
	case URLDecode:
		want, err := url.QueryUnescape(in)
		return want, err == nil
	case Base64Decode, Base64DecodeExt:
		want, err := base64.StdEncoding.DecodeString(in)
		return string(want), err == nil && !strings.ContainsAny(in, "\r\n")
	case HexDecode:
		want, err := hex.DecodeString(in)
		return string(want), err == nil
	case NormalizePath:
		if in == "" {
			return "", true
		}
		want := path.Clean(in)
		if want == "." {
			return "", true
		}
		if strings.HasSuffix(in, "/") && want != "/" {
			want += "/"
		}
		return want, true
	case RemoveNulls:
		return strings.ReplaceAll(in, "\x00", ""), true
	case ReplaceNulls:
		return strings.ReplaceAll(in, "\x00", " "), true
	case Lowercase:
		return string(bytes.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r + 32
			}
			return r
		}, []byte(in))), isASCII(in)
	}
	return "", false
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
