package jwt

import (
	"fmt"
	"strings"
	"testing"
)

func TestReadObject(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"%d":0`, i))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	for text, want := range map[string]bool{
		`{}`: true, ` { } `: true, `{"a":1}`: true, `{"":""}`: true, `{"a":[1,2,[]],"b":{"a":null}}`: true, "{\"a\"\t:\n1\r}": true,
		`{"a":0}`: true, `{"a":-0}`: true, `{"a":0.0}`: true, `{"a":1e1}`: true, `{"a":1E+1}`: true, `{"a":-1.5e-10}`: true,
		`{"a":01}`: false, `{"a":1.}`: false, `{"a":.1}`: false, `{"a":-}`: false, `{"a":+1}`: false, `{"a":1e}`: false, `{"a":1e+}`: false, `{"a":0x1}`: false, `{"a":1_0}`: false, `{"a":00}`: false,
		`{"a":true}`: true, `{"a":tru}`: false, `{"a":truee}`: false, `{"a":True}`: false, `{"a":nul}`: false, `{"a":NaN}`: false, `{"a":undefined}`: false,
		``: false, ` `: false, `{`: false, `}`: false, `{{}}`: false, `[]`: false, `""`: false, `1`: false, `null`: false, `{}{}`: false, `{} x`: false, `{},`: false,
		`{"a"}`: false, `{"a":}`: false, `{"a":1,}`: false, `{,"a":1}`: false, `{"a":1 "b":2}`: false, `{"a":1,,"b":2}`: false, `{a:1}`: false, `{'a':1}`: false, `{1:1}`: false, `{"a" "b"}`: false,
		`{"a":[1,]}`: false, `{"a":[,1]}`: false, `{"a":[1 2]}`: false, `{"a":[}`: false, `{"a":[1`: false, `{"a":[1}]`: false,
		`{"a":"`: false, `{"a":"\`: false, `{"a":"\"`: false, `{"a":"\u`: false, `{"a":{"\`: false, `{"a":["\`: false, `{"a":["\u12`: false, `{"a":["\ud83d\u`: false, `{"a":"\u12"}`: false, `{"a":"\u12g4"}`: false, `{"a":"\u+123"}`: false, `{"a":"\a"}`: false, "{\"a\":\"\x00\"}": false, "{\"a\":\"\\\n\"}": false,
		`{"a":"\ud83d\ude00"}`: true, `{"a":"\ud83d"}`: false, `{"a":"\ud83dx"}`: false, `{"a":"\ud83d\n"}`: false, `{"a":"\ud83d\ud83d"}`: false, `{"a":"\ude00\ud83d"}`: false, `{"a":"\ud83d\u`: false, `{"a":"\uFFFD"}`: true, `{"a":"\u0000"}`: true,
		"{\"a\":\"\xff\"}": false, "{\"a\":\"\xed\xa0\x80\"}": false, "{\"a\":\"\u2028\x7f\"}": true, "\ufeff{}": false, "{}\x00": false, "{\x00}": false,
		`{"a":1,"a":1}`: false, `{"a":1,"\u0061":1}`: false, `{"a":1,"A":1}`: true, `{"a":{"b":1,"b":1}}`: false, `{"a":[{"b":1,"b":1}]}`: false, `{"a":{"a":{"a":1}}}`: true, `{"a":[{"a":1},{"a":1}],"b":1}`: true, `{"a":{"b":1},"b":1}`: true,
		`{"a":` + deep(maxDepth-1) + `}`: true, `{"a":` + deep(maxDepth) + `}`: false, `{"a":` + strings.Repeat("[", 100_000): false,
		many(maxMembers): true, many(maxMembers + 1): false, `{"a":` + many(maxMembers) + `}`: true,
	} {
		if _, _, ok := readObject(text, nil, nil); ok != want {
			t.Errorf("%.80q: %t", text, ok)
		}
	}
	got, _, _ := readObject(`{"a":"x\u0079","b":-1e0,"c":[1, "2"],"d":{"e": 1},"f":null,"g":true}`, nil, nil)
	want := []member{
		{"a", value{isString, "xy"}}, {"b", value{isNumber, "-1e0"}}, {"c", value{isArray, `[1, "2"]`}},
		{"d", value{isObject, `{"e": 1}`}}, {"f", value{isNull, "null"}}, {"g", value{isBool, "true"}},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
	if items := readItems(`[ 1 , [2,3],"x" ]`, nil); fmt.Sprint(items) != fmt.Sprint([]value{{isNumber, "1"}, {isArray, "[2,3]"}, {isString, "x"}}) {
		t.Errorf("%v", items)
	}
}

func TestDate(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "1": 1, "1.9": 1, "1e3": 1000, "1.5e1": 15, "0.1e1": 1, "253402300799": maxDate, "1e-400": 0,
		"-1": -1, "253402300800": -1, "253402300799.5": -1, "1e12": -1, "1e400": -1, "9223372036854775808": -1, "-0.5": -1, "-1e400": -1,
	} {
		got, ok := value{isNumber, text}.date()
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d, %t", text, got, ok)
		}
	}
	if _, ok := (value{isString, "1"}).date(); ok {
		t.Error("a string is no date")
	}
}
