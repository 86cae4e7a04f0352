package jsonpath

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	for _, c := range []struct {
		path, text, want string
		outcome          Outcome
	}{
		{"action", `{"action":"send"}`, `"send"`, Found},
		{"$.action", ` { "x" : [1,{"action":2}] , "action" : 3.5e-2 } `, `3.5e-2`, Found},
		{"a.b", `{"a":{"b":{"c":[]}}}`, `{"c":[]}`, Found},
		{"a[1].b", `{"a":[{"b":1},{"b":2}]}`, `2`, Found},
		{"a['b.c']", `{"a":{"b.c":true}}`, `true`, Found},
		{"", `[1,2]`, `[1,2]`, Found},
		{"$", `"x"`, `"x"`, Found},
		{"[0]", `[null]`, `null`, Found},
		{"action", `{"action":"a","action":"b"}`, `"b"`, Found},          // the last counts
		{"a.b", `{"a":{"b":1},"a":{"c":2}}`, ``, Missing},                // of the outer ones too
		{"action", `{"\u0061ction":"x"}`, `"x"`, Found},                  // as everybody reads it
		{"action", `{"a":{"action":1},"b":[{"action":2}]}`, ``, Missing}, // no deeper
		{"action", `[{"action":1}]`, ``, Missing},
		{"action", `"action"`, ``, Missing},
		{"a.b", `{"a":"b"}`, ``, Missing},
		{"a[0]", `{"a":{"0":1}}`, ``, Missing},
		{"a", ``, ``, Invalid}, {"a", `{`, ``, Invalid}, {"a", `{"a":1`, ``, Invalid}, {"a", `{"a":1}}`, ``, Invalid},
		{"a", `{"a":01}`, ``, Invalid}, {"a", `{"a":1.}`, ``, Invalid}, {"a", `{"a":-}`, ``, Invalid}, {"a", `{"a":1e}`, ``, Invalid},
		{"a", `{"a":tru}`, ``, Invalid}, {"a", `{"a":"` + "\n" + `"}`, ``, Invalid}, {"a", `{"a":"\x"}`, ``, Invalid}, {"a", `{"a":"\u12g4"}`, ``, Invalid},
		{"a", `{'a':1}`, ``, Invalid}, {"a", `{"a":1,}`, ``, Invalid}, {"a", `[1,]`, ``, Invalid}, {"a", `{"a" 1}`, ``, Invalid}, {"a", `{"a":"`, ``, Invalid},
		{"a", `hello`, ``, Invalid}, {"a", `{"a":1} x`, ``, Invalid},
		{"a", strings.Repeat("[", MaxDepth+2) + strings.Repeat("]", MaxDepth+2), ``, Invalid},
	} {
		p, err := Compile(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got, outcome := p.Find([]byte(c.text)); string(got) != c.want || outcome != c.outcome {
			t.Errorf("%s in %s: %q, %d; want %q, %d", c.path, c.text, got, outcome, c.want, c.outcome)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, path := range []string{"a..b", "a.", ".", "a[", "a[x]", "a[-1]", "a['b]", "*", "a[*]", "a[?(@.b)]", "a b", "a]", "$a"} {
		if p, err := Compile(path); err == nil {
			t.Errorf("%s: no error, but %v", path, p)
		}
	}
}

func TestAppendText(t *testing.T) {
	for value, want := range map[string]string{
		`"a"`: "a", `"a\n\"\\\/\u00e9\ud83d\ude00"`: "a\n\"\\/é😀", `"\ud83d"`: "\uFFFD", `"\ud83d\u0041"`: "\uFFFDA", `1`: "1", `{"a":1}`: `{"a":1}`, `""`: "", `null`: "null",
	} {
		if got := string(AppendText(nil, []byte(value))); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// FuzzFind compares with encoding/json.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{`{"action":"send","n":[1,2,{"a":null}]}`, `{"action":"a","action":{"b":1}}`, `{"\u0061ction":"\ud83d\ude00"}`, `[1e5,-0.1,true]`, `{"action":`, ``} {
		f.Add([]byte(seed))
	}
	path, err := Compile("action")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 4096 || bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > MaxDepth {
			return
		}
		got, outcome := path.Find(text)
		if valid := json.Valid(text); valid != (outcome != Invalid) {
			t.Fatalf("%q: valid %v, outcome %d", text, valid, outcome)
		}
		if outcome == Invalid {
			return
		}
		members := map[string]json.RawMessage{}
		if text = bytes.TrimLeft(text, " \t\r\n"); text[0] != '{' {
			if outcome != Missing {
				t.Fatalf("%q has no members, found %q", text, got)
			}
			return
		}
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		want, has := members["action"]
		if has != (outcome == Found) || has && !bytes.Equal(want, got) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
		if has && got[0] == '"' && bytes.ContainsRune(got, '\\') {
			var s string
			if err := json.Unmarshal(got, &s); err != nil {
				t.Fatal(err)
			}
			if text := AppendText(nil, got); string(text) != s && strings.ToValidUTF8(string(text), "\uFFFD") != s {
				t.Fatalf("%q: text %q, want %q", got, text, s)
			}
		}
	})
}

func TestAllocations(t *testing.T) {
	path, _ := Compile("request.action")
	text := []byte(`{"id":17,"request":{"action":"send\u0020message","to":["a","b"]},"more":{"x":1}}`)
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		v, _ := path.Find(text)
		buf = AppendText(buf[:0], v)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	path, _ := Compile("action")
	text := []byte(`{"action":"sendmessage","data":"` + strings.Repeat("x", 90) + `"}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		path.Find(text)
	}
}
