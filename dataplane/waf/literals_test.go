package waf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

func TestRequired(t *testing.T) {
	for _, tc := range []struct{ pattern, want string }{
		{`union`, "union"},
		{`(?i)union`, "union"},
		{`(?i)script`, "cript"}, // an s may be a long s
		{`(?i)kelvin`, "elvin"},
		{`^/admin/\d+$`, "/admin/"},
		{`a(bc|de)f`, "bc de"},
		{`(bot|crawler|spider)\d`, "bot crawler spider"},
		{`(union|.*)`, ""},
		{`(union)?`, ""},
		{`(union)+x*`, "union"},
		{`(union){2,3}`, "union"},
		{`(union){0,3}`, ""},
		{`[a-z]+`, ""},
		{`x`, ""},
		{`SELECT.{1,10}from`, "select"},
		{`é€`, "é€"},
		{`(?i)éa-z`, "a-z"},
		{"a\uFFFDbc", "bc"},
		{`averylongwordthatgoesonandon`, "averylongwordtha"},
		{`foo|foobar|baz`, "foo baz"},
		{`(?s).`, ""},
		{``, ""},
	} {
		tree, err := syntax.Parse(tc.pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got := required(tree.Simplify())
		var words []string
		for _, s := range got {
			words = append(words, string(s))
		}
		if strings.Join(words, " ") != tc.want {
			t.Errorf("%s: %q, want %q", tc.pattern, words, tc.want)
		}
	}
}

// randomPattern is an expression of few words and operators.
func randomPattern(g generator, depth int) string {
	atom := func() string {
		return pick(g, "union", "sel", "ect", "k", "s", "é", "ſ", "\uFFFD", "[a-c]", ".", `\d`, "x{2}", "[Kk]", "ab", "AB", `\bor\b`, "^", "$", "")
	}
	if depth == 0 {
		return atom()
	}
	sub := func() string { return randomPattern(g, depth-1) }
	switch g.IntN(6) {
	case 0:
		return sub() + sub()
	case 1:
		return "(" + sub() + "|" + sub() + ")"
	case 2:
		return "(?:" + sub() + ")" + pick(g, "*", "+", "?", "{1,3}", "{0,2}", "{2}")
	case 3:
		return "(?i:" + sub() + ")"
	}
	return atom() + sub()
}

// Whatever an expression or a string matches is a candidate.
func TestLiteralsMissNothing(t *testing.T) {
	rounds := 3000
	if underRace {
		rounds = 200
	}
	g := generator{rand.New(rand.NewPCG(11, 12))}
	matched, skipped := 0, 0
	for range rounds {
		c := &compiler{acl: &ACL{views: make([]view, 1)}}
		var all []matcher
		for range 1 + g.IntN(8) {
			if g.IntN(3) == 0 {
				m := &byteMatch{needle: []byte(pick(g, "union", "Sel", "a", "\xff\xfe", "ABABAB", strings.Repeat("ab", 20), "é", "\xc3"))}
				c.byteNeed(m)
				all = append(all, m)
				continue
			}
			re, err := regexp.Compile(randomPattern(g, 4))
			if err != nil {
				continue
			}
			m := &regexMatch{patterns: []*regexp.Regexp{re}}
			c.regexNeed(m)
			all = append(all, m)
		}
		if len(c.need) == 0 {
			continue
		}
		l := newLiterals(c.need, 0)
		in := &Input{}
		in.work.candidates = make([]uint64, l.words)
		for range 20 {
			var b strings.Builder
			for range g.IntN(8) {
				b.WriteString(pick(g, "union", "UNION", "sel", "ſel", "SELECT", "ect", "K", "\u212a", "s", "é", "\xff", "\xff\xfe", "\xc3", "ababababababababababababababababababababab", "ABABAB", "or", " ", "1", "x", "xx", "a"))
			}
			text := []byte(b.String())
			clear(in.work.candidates)
			l.search(text, in.work.candidates)
			for _, m := range all {
				does, candidate, what := false, 0, ""
				switch m := m.(type) {
				case *byteMatch:
					does, candidate, what = bytes.Contains(text, m.needle), m.candidate, string(m.needle)
				case *regexMatch:
					does, candidate, what = m.patterns[0].Match(text), m.candidate, m.patterns[0].String()
				}
				if does {
					matched++
				}
				if is := in.candidate(candidate); does && !is {
					t.Fatalf("%q matches %q and is no candidate", what, text)
				} else if !is {
					skipped++
				}
			}
		}
	}
	t.Logf("%d matched, %d were skipped", matched, skipped)
	if matched < rounds || skipped < rounds {
		t.Error("that proves little")
	}
}

// Against a search for each string by itself.
func TestLiteralsFindExactlyWhatIsThere(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(13, 14))}
	for range 500 {
		var needs []need
		for range 1 + g.IntN(100) {
			var s []byte
			for range 1 + g.IntN(5) {
				s = append(s, pick[byte](g, 'a', 'b', 'c', 0, 0xff))
			}
			needs = append(needs, need{strings: [][]byte{s}, candidate: new(int)})
		}
		l := newLiterals(needs, 3)
		candidates := make([]uint64, 3+l.words)
		for range 20 {
			text := make([]byte, g.IntN(12))
			for i := range text {
				text[i] = pick[byte](g, 'a', 'B', 'b', 'c', 'x', 0, 0xff)
			}
			clear(candidates)
			l.search(text, candidates)
			for _, n := range needs {
				want := bytes.Contains(bytes.ToLower(text), n.strings[0]) || bytes.Contains(bytes.ReplaceAll(text, []byte("B"), []byte("b")), n.strings[0])
				if got := candidates[*n.candidate/64]>>(*n.candidate%64)&1 == 1; got != want {
					t.Fatalf("%q in %q: %v", n.strings[0], text, got)
				}
			}
		}
		if candidates[0]|candidates[1]|candidates[2] != 0 {
			t.Fatal("it writes into words of others")
		}
	}
}

func TestLiteralsAreBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	var needs []need
	for range 3000 {
		s := make([]byte, literalBytes)
		for i := range s {
			s[i] = byte(r.IntN(256))
		}
		needs = append(needs, need{strings: [][]byte{literal(s)}, candidate: new(int)})
	}
	for _, n := range needs {
		*n.candidate = none
	}
	l := newLiterals(needs, 0)
	if states := len(l.next) >> l.shift; states > literalStates {
		t.Errorf("%d states", states)
	}
	if without := slices.IndexFunc(needs, func(n need) bool { return *n.candidate == none }); without < 0 {
		t.Error("there is room for all")
	}
}

// A body of random expressions is inspected as if there was no automaton.
func TestLiteralsChangeNoVerdict(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(17, 18))}
	rounds := 200
	if underRace {
		rounds = 20
	}
	for range rounds {
		var all []any
		for i := range 12 {
			if g.IntN(2) == 0 {
				all = append(all, ruleOf(i, byteStatement(query, pick(g, "CONTAINS", "CONTAINS_WORD"), pick(g, "union", "sel", "UNION", "or", "ab")), countAction))
				continue
			}
			pattern := randomPattern(g, 3)
			if pattern == "" {
				pattern = "x"
			}
			all = append(all, ruleOf(i, regexStatement(query, pattern), countAction))
		}
		w := newWorld()
		with, without := w.compile(t, rules(all...)), w.compile(t, rules(all...))
		for i := range without.views {
			without.views[i].literals = nil
		}
		without.due = due{firstBySet: len(without.rules), firstByView: len(without.rules)}
		for i := range without.rules {
			without.due.always.add(i)
			switch m := without.rules[i].statement.(type) {
			case *byteMatch:
				m.candidate = none
			case *regexMatch:
				m.candidate = none
			}
		}
		for range 20 {
			in := requestOf(t, fmt.Sprint("GET /?", pick(g, "union", "UNION%20", "sel", "x", "")+pick(g, "+or+", "ab", "k", "")+pick(g, "SELECT", "unionsel", "xx")))
			a, b := with.Inspect(in, second), without.Inspect(in, second)
			if said(with, &a) != said(without, &b) {
				t.Fatalf("%s and %s", said(with, &a), said(without, &b))
			}
		}
	}
}
