package rfc9111

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func index(t testing.TB, old Index, vary string) (x Index, changed bool) {
	t.Helper()
	_, x, changed = MergeIndex(nil, old, stored(t, "200|Cache-Control: max-age=60|"+vary))
	return x, changed
}

func names(x Index) string {
	return string(bytes.ReplaceAll(bytes.TrimSuffix(x.names, []byte{0}), []byte{0}, []byte(" ")))
}

func TestMergeIndex(t *testing.T) {
	none := Index{}
	if x, changed := index(t, none, date0); changed || !x.Empty() {
		t.Errorf("no Vary: %q", names(x))
	}
	if x, changed := index(t, none, "Vary: , "); changed || !x.Empty() {
		t.Errorf("empty Vary: %q", names(x))
	}
	x, changed := index(t, none, "Vary: b, A,a|vary: c")
	if !changed || names(x) != "a b c" {
		t.Errorf("%q", names(x))
	}
	if same, changed := index(t, x, "Vary: C"); changed || names(same) != "a b c" || same.mark != x.mark {
		t.Errorf("fewer names: %q", names(same))
	}
	if same, changed := index(t, x, date0); changed || names(same) != "a b c" {
		t.Errorf("no names: %q", names(same))
	}
	if more, changed := index(t, x, "Vary: d"); !changed || names(more) != "a b c d" {
		t.Errorf("more names: %q", names(more))
	}
	var many []string
	for i := range maxSelecting {
		many = append(many, fmt.Sprintf("x%d", i))
	}
	y, _ := index(t, none, "Vary: "+strings.Join(many, ","))
	if own, changed := index(t, y, "Vary: a"); !changed || names(own) != "a" {
		t.Errorf("too many names together: %q", names(own))
	}
	meta, x, _ := MergeIndex([]byte("^"), none, stored(t, "200|Cache-Control: max-age=60|Vary: a"))
	if got, ok := DecodeIndex(meta[1:]); !ok || names(got) != "a" || got.mark != x.mark || uint64(t0) != x.mark {
		t.Errorf("decoded %q, %v", names(got), ok)
	}
}

// RFC 9111 section 4.1: the header fields from two requests match if...
func TestSelecting(t *testing.T) {
	for _, row := range []struct {
		rule, vary, a, b string
		match            bool
	}{
		{"same", "x", "X: 1", "X: 1", true},
		{"name in any case", "X", "x: 1", "X: 1", true},
		{"white space around", "x", "X:   1 ", "X: 1", true},
		{"other fields", "x", "X: 1|Y: 1", "X: 1|Y: 2", true},
		{"another value", "x", "X: 1", "X: 2", false},
		{"case of an unknown field", "x", "X: a", "X: A", false},
		{"absent in both", "x", "", "Y: 1", true},
		{"absent in one", "x", "X: 1", "", false},
		{"absent is not empty", "x", "X: ", "", false},
		{"combined lines", "x", "X: 1|X: 2", "X: 1, 2", true},
		{"order of lines", "x", "X: 1|X: 2", "X: 2|X: 1", false},
		{"order of an unknown field", "x", "X: 1, 2", "X: 2, 1", false},
		{"one of two fields", "x, y", "X: 1|Y: 1", "X: 1|Y: 2", false},
		{"two fields", "x, y", "X: 1|Y: 1", "Y: 1|X: 1", true},
		{"values do not run together", "x, y", "X: 12|Y: 3", "X: 1|Y: 23", false},
		{"values do not move", "x, y", "X: 1", "Y: 1", false},

		{"spaces in a list", "accept-encoding", "Accept-Encoding: gzip,br", "Accept-Encoding: gzip ,  br", true},
		{"order of codings", "accept-encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: br, gzip", true},
		{"case of codings", "accept-encoding", "Accept-Encoding: GZIP", "Accept-Encoding: gzip", true},
		{"lines of codings", "accept-encoding", "Accept-Encoding: gzip|Accept-Encoding: br", "Accept-Encoding: gzip, br", true},
		{"weights of codings", "accept-encoding", "Accept-Encoding: gzip;q=1.0, br;q=0.5", "Accept-Encoding: br; q=0.500,gzip", true},
		{"empty elements", "accept-encoding", "Accept-Encoding: , gzip,,", "Accept-Encoding: gzip", true},
		{"other weights", "accept-encoding", "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: gzip", false},
		{"refused codings", "accept-encoding", "Accept-Encoding: gzip;q=0", "Accept-Encoding: gzip", false},
		{"empty parameters", "accept-encoding", "Accept-Encoding: gzip;;q=0.5;", "Accept-Encoding: gzip;q=0.5", true},
		{"more codings", "accept-encoding", "Accept-Encoding: gzip, br", "Accept-Encoding: gzip", false},
		{"no codings is not absent", "accept-encoding", "Accept-Encoding: ", "", false},
		{"order by weight", "accept-language", "Accept-Language: de;q=0.5, en", "Accept-Language: en, de;q=0.5", true},
		{"case of languages", "accept-language", "Accept-Language: EN-us", "Accept-Language: en-US", true},
		{"servers go by the order of equals", "accept-language", "Accept-Language: de, en", "Accept-Language: en, de", false},
		{"other languages", "accept-language", "Accept-Language: de", "Accept-Language: en", false},
		{"charsets", "accept-charset", "Accept-Charset: UTF-8, a", "Accept-Charset: a,utf-8", true},
		{"types", "accept", "Accept: Text/HTML;level=1;q=0.5, a/b", "Accept: a/b, text/html ; level=1 ; q=0.5", true},
		{"case of parameters", "accept", "Accept: a/b;v=A", "Accept: a/b;v=a", false},
		{"quoted separators", "accept", `Accept: a/b;v="c, d;q=0.1"`, `Accept: a/b;v="c,d;q=0.1"`, false},
		{"unreadable weights as they are", "accept-encoding", "Accept-Encoding: a;q=2, b", "Accept-Encoding: b, a;q=2", false},
		{"two weights as they are", "accept-encoding", "Accept-Encoding: a;q=1;q=1", "Accept-Encoding: a", false},
		{"unclosed strings as they are", "accept", `Accept: a/b;v="c, d`, `Accept: a/b;v="c,d`, false},
	} {
		x, _ := index(t, Index{}, "Vary: "+row.vary)
		a, b := x.AppendKey([]byte("k"), get(t, row.a).head), x.AppendKey([]byte("k"), get(t, row.b).head)
		if bytes.Equal(a, b) != row.match {
			t.Errorf("%s: %q and %q: %v\n%q\n%q", row.rule, row.a, row.b, !row.match, a, b)
		}
		if !bytes.HasPrefix(a, []byte("k\x00")) {
			t.Errorf("key %q", a)
		}
	}
	many := "Accept-Encoding: " + strings.Repeat("a,", maxElements) + "b"
	x, _ := index(t, Index{}, "Vary: accept-encoding")
	if key := x.AppendKey(nil, get(t, many).head); !bytes.HasSuffix(key, []byte(many[17:])) {
		t.Errorf("a long list is not left as it is: %q", key)
	}
}

// An index that is deleted and made anew does not lead to the old variants.
func TestIndexMark(t *testing.T) {
	x, y := Index{mark: 1, names: []byte("a\x00")}, Index{mark: 2, names: []byte("a\x00")}
	head := get(t, "A: 1").head
	if bytes.Equal(x.AppendKey(nil, head), y.AppendKey(nil, head)) {
		t.Error("same key")
	}
}

// FuzzSelecting: normal forms are stable, and keys of different values differ
// unless the values have the same elements.
func FuzzSelecting(f *testing.F) {
	for _, s := range []string{"gzip;q=0.5, br", "a/b;v=\"c,d\";q=1, e", "en-US, de;q=0.001,", "a;q=1.0000", ";q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "|\r\n\x00") || strings.Trim(value, " \t") != value {
			return
		}
		for _, c := range []byte(value) {
			if c < ' ' || c > '~' {
				return
			}
		}
		for i := range negotiations {
			n := &negotiations[i]
			src := []byte(value)
			once, ok := n.appendNormal(src, 0, len(src))
			if !ok {
				continue
			}
			once = bytes.Clone(once[len(src):])
			again, ok := n.appendNormal(bytes.Clone(once), 0, len(once))
			if !ok || !bytes.Equal(again[len(once):], once) {
				t.Fatalf("%s: %q is %q, and that is %q", n.name, value, once, again[min(len(again), len(once)):])
			}
		}
	})
}
