package http1

import (
	"fmt"
	"strings"
	"testing"
)

func TestQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"":                   "",
		"a=1":                "a=1",
		"a=1&b=2&a=3":        "a=1 b=2 a=3",
		"&&a&=x&b=c=d&":      "a= =x b=c=d",
		"%61=%31&a+b=c+d&a=": "%61=%31 a+b=c+d a=",
	} {
		var got []string
		for q := (Query{Rest: []byte(raw)}); q.Next(); {
			got = append(got, fmt.Sprintf("%s=%s", q.Name, q.Value))
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %q, want %q", raw, s, want)
		}
	}
}

func TestQueryIs(t *testing.T) {
	for _, tc := range []struct {
		raw, name string
		want      bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"%61", "a", true}, {"a+b", "a b", true}, {"a%20b", "a b", true},
		{"a%2fb", "a/b", true}, {"a%2Fb", "a/b", true}, {"A", "a", false}, {strings.Repeat("%61", 1024), strings.Repeat("a", 1024), false},
	} {
		q := Query{Name: []byte(tc.raw)}
		if got := q.Is(tc.name); got != tc.want {
			t.Errorf("%q is %q: %v", tc.raw, tc.name, got)
		}
	}
}
