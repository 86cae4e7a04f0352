package policy

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

func mustPattern(t testing.TB, text string) pattern {
	t.Helper()
	expanded, err := new(syntax).expand(text, true)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compilePattern(expanded)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPattern(t *testing.T) {
	for _, row := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false},
		{"a", "a", true}, {"a", "A", false}, {"a", "ab", false}, {"ab", "a", false},
		{"*", "", true}, {"*", "a/b:c", true}, {"**", "", true}, {"**", "ab", true},
		{"?", "a", true}, {"?", "", false}, {"?", "ab", false}, {"??", "ab", true},
		{"a*", "a", true}, {"a*", "abc", true}, {"a*", "b", false},
		{"*c", "abc", true}, {"*c", "c", true}, {"*c", "cb", false},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "a", false}, {"ab*bc", "abc", false}, {"a*a", "a", false},
		{"a?c", "abc", true}, {"a?c", "ac", false},
		{"*b*", "abc", true}, {"*b*", "ac", false}, {"*ab*ab*", "abab", true}, {"*ab*ab*", "aab", false},
		{"*a?c*d", "xxaabcabcd", true}, {"*?b?*", "abc", true}, {"*?b?*", "ab", false},
		{"api/*/GET/pets/*", "api/prod/GET/pets/1/2", true}, {"api/*/GET/pets/*", "api/prod/POST/pets/1", false},
	} {
		if got := mustPattern(t, row.pattern).match(row.text); got != row.want {
			t.Errorf("%q on %q: %t", row.pattern, row.text, got)
		}
	}
}

// toRegexp is the naive meaning of a pattern.
func toRegexp(pattern string) *regexp.Regexp {
	text := regexp.QuoteMeta(pattern)
	text = strings.ReplaceAll(text, `\*`, `.*`)
	text = strings.ReplaceAll(text, `\?`, `.`)
	return regexp.MustCompile(`\A(?s:` + text + `)\z`)
}

func TestPatternAgainstRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(alphabet string, most int) string {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	matched := 0
	for range 20000 {
		pattern, s := text("ab**??", 8), text("ab", 12)
		want := toRegexp(pattern).MatchString(s)
		if got := mustPattern(t, pattern).match(s); got != want {
			t.Fatalf("%q on %q: %t", pattern, s, got)
		}
		if want {
			matched++
		}
	}
	if matched < 500 {
		t.Fatalf("only %d matches", matched)
	}
}

// What makes backtracking matchers take forever takes time in proportion to the
// text.
func TestPatternIsLinear(t *testing.T) {
	const size = 1 << 20
	text := strings.Repeat("a", size)
	for _, pattern := range []string{
		strings.Repeat("*a", 1000) + "*b",
		strings.Repeat("*a?", 1000) + "*b",
		"*" + strings.Repeat("a", 1000) + "b*",
		"*" + strings.Repeat("a", 31) + "?" + strings.Repeat("a", 31) + "b*",
		strings.Repeat("?", size-1) + "b",
	} {
		p := mustPattern(t, pattern)
		start := time.Now()
		if p.match(text) {
			t.Errorf("%.40q matches", pattern)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%.40q took %v", pattern, d)
		}
	}
}

func TestARNPattern(t *testing.T) {
	const method = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets/1"
	for _, row := range []struct {
		pattern, arn string
		want         bool
	}{
		{"*", method, true},
		{method, method, true},
		{"arn:aws:execute-api:*", method, true},
		{"arn:aws:execute-*", method, true},
		{"arn:*", method, true},
		{"arn:aws:s3:*", method, false},
		{"arn:aws:execute-api:us-east-1:123456789012:*", method, true},
		{"arn:aws:execute-api:us-east-1:*:abc/prod/GET/*", method, true},
		{"arn:aws:execute-api:us-????-1:*:abc/*/GET/pets/?", method, true},
		{"arn:aws:execute-api:*:*:abc/*", method, true},
		{"arn:aws:execute-api:*:*:*", method, true},
		{"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets", method, false},
		{"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/pets/1/", method, false},
		{"arn:aws:execute-api:us-east-1:123456789012:abc/prod/POST/*", method, false},
		{"arn:aws:execute-api:us-east-1:123456789012:ab?/prod/$default", "arn:aws:execute-api:us-east-1:123456789012:abc/prod/$default", true},
		{"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/", "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/", true},
		{"arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/a:b", "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/a:b", true},
		// A client chooses the path; it must not reach into the parts before.
		{"arn:aws:execute-api:us-east-1:*:abc/prod/GET/*", "arn:aws:execute-api:us-east-1:123456789012:other/prod/GET/x:abc/prod/GET/y", false},
		{"arn:aws:*:abc/*", "arn:aws:execute-api:us-east-1:123456789012:other/x:abc/y", false},
	} {
		x := &syntax{}
		p, err := x.compileARN(row.pattern)
		if err != nil && row.want {
			t.Fatal(err)
		}
		if err != nil {
			continue
		}
		a, ok := splitARN(row.arn)
		if got := ok && p.match(&a); got != row.want {
			t.Errorf("%s on %s: %t", row.pattern, row.arn, got)
		}
	}
}
