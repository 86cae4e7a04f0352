package crs

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Wherever a JSON text is cut, it can be read again, keeps what comes before, and
// does not grow.
func TestCompleteJSON(t *testing.T) {
	for _, text := range []string{
		order,
		`{"a":"x\"\\\u00e9\n","b":[1,2.5e-3,true,false,null,{}],"c":{"d":[[],[{"é€😀":"\ud83d\ude00"}]]}}`,
		" [ \"a\" , { \"b\" : \"c\" } , -1.5 , [ ] ] ",
		`[1]`, `{}`, `"text"`, `12345`, `true`,
	} {
		for cut := range len(text) + 1 {
			// What is cut off for the closing brackets is spaces here.
			got := completeJSON([]byte(text[:cut] + strings.Repeat(" ", closing)))
			if len(got) > cut+closing {
				t.Fatalf("%q has grown to %q", text[:cut], got)
			}
			if strings.TrimSpace(text[:cut]) == "" || strings.TrimLeft(text[:cut], "0123456789truefals") == "" {
				continue // nothing is left of it
			}
			if !json.Valid(got) {
				t.Fatalf("%q became %q", text[:cut], got)
			}
		}
	}
}

func TestCompleteJSONKeepsTheStringThatIsCut(t *testing.T) {
	got := completeJSON([]byte(`{"a":{"b":"an attack ` + strings.Repeat("x", 2*closing)))
	if !json.Valid(got) || !bytes.Contains(got, []byte("an attack xxx")) {
		t.Errorf("got %q", got)
	}
}

// FuzzCompleteJSON cuts what is JSON, and gives what is none.
func FuzzCompleteJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,"b",{"c":null}]}`), 10)
	f.Add([]byte(`{"a`), 3)
	f.Add([]byte(`]]}"\u`), 6)
	f.Fuzz(func(t *testing.T, text []byte, cut int) {
		valid := json.Valid(text) && utf8.Valid(text)
		if cut < 0 || cut > len(text) || bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > closing-16 {
			return
		}
		got := completeJSON(append(bytes.Clone(text[:cut]), bytes.Repeat([]byte(" "), closing)...))
		if len(got) > cut+closing {
			t.Fatalf("%q has grown to %q", text[:cut], got)
		}
		root := bytes.TrimSpace(text)
		if valid && len(root) > 0 && (root[0] == '{' || root[0] == '[') && bytes.ContainsAny(text[:cut], "{[") && !json.Valid(got) {
			t.Fatalf("%q of %q became %q", text[:cut], text, got)
		}
	})
}

func TestWithoutPartOfRune(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", ""}, {"a", "a"}, {"aé", "aé"}, {"a\xc3", "a"}, {"€", "€"}, {"\xe2\x82", ""}, {"😀", "😀"}, {"x\xf0\x9f\x98", "x"}, {"\x80\x80\x80\x80", "\x80\x80\x80\x80"},
	} {
		if got := withoutPartOfRune([]byte(tc.in)); string(got) != tc.want {
			t.Errorf("%q became %q, want %q", tc.in, got, tc.want)
		}
	}
}
