package rfc9111

import (
	"strings"
	"testing"
)

func controlOf(lists ...string) control {
	c := noControl
	for _, list := range lists {
		c.addList([]byte(list))
	}
	return c
}

// RFC 9111 sections 1.2.2, 4.2.1 and 5.2.
func TestDeltaDirectives(t *testing.T) {
	for _, row := range []struct {
		list string
		want int64
	}{
		{"max-age=60", 60},
		{"MAX-AGE=60", 60},
		{"Max-Age=60", 60},
		{`max-age="60"`, 60}, // recipients accept both forms
		{"max-age=0060", 60},
		{"max-age=0", 0},
		{" max-age=60 ,", 60},
		{",,max-age=60", 60},
		{"public,max-age=60,foo", 60},
		{"max-age=2147483648", maxDelta},
		{"max-age=99999999999999999999999999", maxDelta},
		{"max-age=60, max-age=60", 60},
		{"", absent},
		{"no-store", absent},
		{"amax-age=60", absent},
		{"max-agea=60", absent},
		{"max_age=60", absent},
		{`foo="max-age=60"`, absent},
		{`foo="a, max-age=60"`, absent},
		{`foo="\", max-age=60"`, absent},
		{"foo=max-age=60", absent},
		{"max-age", invalid},
		{"max-age=", invalid},
		{"max-age=a", invalid},
		{"max-age=60a", invalid},
		{"max-age=-1", invalid},
		{"max-age=+60", invalid},
		{"max-age=1.5", invalid},
		{"max-age=0x10", invalid},
		{"max-age='60'", invalid},
		{"max-age= 60", invalid},
		{"max-age =60", invalid},
		{"max-age = 60", invalid},
		{"max-age 60", invalid},
		{"max-age:60", invalid},
		{"max-age=60;public", invalid},
		{"max-age=60 70", invalid},
		{`max-age=""`, invalid},
		{`max-age="60`, invalid},
		{`max-age="60"1`, invalid},
		{`max-age=6"0"`, invalid},
		{"max-age=60, max-age=61", invalid},
		{"max-age=60, max-age=a", invalid},
		{"max-age=a, max-age=60", invalid},
		{"max-age=60\x00", invalid},
	} {
		for name, of := range map[string]func(*control) int64{
			"max-age": func(c *control) int64 { return c.maxAge }, "s-maxage": func(c *control) int64 { return c.sMaxAge },
			"min-fresh": func(c *control) int64 { return c.minFresh }, "stale-if-error": func(c *control) int64 { return c.ifError },
			"stale-while-revalidate": func(c *control) int64 { return c.whileRevalidate },
		} {
			list := strings.NewReplacer("max-age", name, "MAX-AGE", strings.ToUpper(name)).Replace(row.list)
			c := controlOf(list)
			if got := of(&c); got != row.want && !strings.Contains(row.list, "Max") {
				t.Errorf("%s: %d, want %d", list, got, row.want)
			}
		}
	}
	two := controlOf("max-age=60", "max-age=70")
	if two.maxAge != invalid {
		t.Errorf("two lines: %d", two.maxAge)
	}
	for list, want := range map[string]int64{"max-stale": anyAge, "max-stale=5": 5, "max-stale=a": invalid, "max-stale=": invalid, "foo": absent} {
		if c := controlOf(list); c.maxStale != want {
			t.Errorf("%s: %d, want %d", list, c.maxStale, want)
		}
	}
}

// A directive that forbids counts however it is written; one that permits only if
// it is well formed.
func TestFlagDirectives(t *testing.T) {
	for _, row := range []struct {
		list string
		want controlFlags
	}{
		{"no-store", noStore},
		{"No-Store", noStore},
		{"no-store=1", noStore},
		{"no-store foo", noStore},
		{`no-store="a"`, noStore},
		{"a b c, no-store", noStore},
		{"&&&, no-store", noStore},
		{"no-storee", 0},
		{`foo="no-store"`, 0},
		{`foo="a,no-store"`, 0},
		{`foo="a`, doubtful | noCache},
		{`foo=b"a, no-store`, doubtful | noCache},
		{"no-cache", noCache},
		{"no-cache=", noCache},
		{`no-cache=""`, noCache},
		{`no-cache=","`, noCache},
		{`no-cache="a b"`, noCache},
		{`no-cache="a\"b"`, noCache},
		{`no-cache="a"b`, noCache},
		{`no-cache="a"`, noCacheFields},
		{`no-cache="a, b,"`, noCacheFields},
		{"no-cache=a", noCacheFields},
		{`no-cache, no-cache="a"`, noCache | noCacheFields},
		{"private", private},
		{`private="a"`, privateFields},
		{"private=", private},
		{"public", public | sharedAuthorized},
		{"public=1", 0},
		{"public;", 0},
		{"must-revalidate", mustRevalidate | sharedAuthorized},
		{"must-revalidate=1", mustRevalidate},
		{"proxy-revalidate", proxyRevalidate},
		{"s-maxage=1", sharedAuthorized},
		{"s-maxage=a", 0},
		{"must-understand", mustUnderstand},
		{"must-understand=1", 0},
		{"only-if-cached", onlyIfCached},
		{"immutable, no-transform, foo, foo=bar", 0},
	} {
		if c := controlOf(row.list); c.flags != row.want {
			t.Errorf("%s: %b, want %b", row.list, c.flags, row.want)
		}
	}
}

// RFC 9111 section 5.4: Pragma counts when there is no Cache-Control.
func TestPragma(t *testing.T) {
	for fields, want := range map[string]bool{
		"Pragma: no-cache":                                 true,
		"pragma: NO-CACHE":                                 true,
		"Pragma: foo, no-cache":                            true,
		"Pragma: foo|Pragma: no-cache":                     true,
		"Pragma: foo":                                      false,
		"Pragma: no-cache|Cache-Control: max-age=1":        false,
		"Cache-Control: foo|Pragma: no-cache":              false,
		"Pragma: no-cache|Cache-Control: no-cache":         true,
		"Cache-Control: no-cache":                          true,
		"Cache-Control: max-age=1|Cache-Control: no-cache": true,
	} {
		if got := get(t, fields).wantsValidation(); got != want {
			t.Errorf("%s: %v", fields, got)
		}
	}
}

// FuzzDirectives: reading directives ends, and what follows a well-formed list
// after a comma is read as it stands.
func FuzzDirectives(f *testing.F) {
	for _, s := range []string{"max-age=60, public", `no-cache="a, b"`, `a="\"", b`, "a = b", `x"`, ",,", `max-age="1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		for rest := []byte(list); len(rest) > 0; {
			before := len(rest)
			var d directive
			if d, rest = nextDirective(rest); len(rest) >= before {
				t.Fatalf("%q: no progress", list)
			}
			for _, c := range d.name {
				if !isToken[c] {
					t.Fatalf("%q: name %q", list, d.name)
				}
			}
		}
		one := controlOf(list)
		if one.has(doubtful) {
			return
		}
		two := controlOf(list + ", no-store, s-maxage=7")
		if !two.has(noStore) || two.sMaxAge != 7 && one.sMaxAge == absent {
			t.Fatalf("%q hides what follows: %+v", list, two)
		}
		if split := controlOf(list, "no-store, s-maxage=7"); split != two {
			t.Fatalf("%q: one line %+v, two %+v", list, two, split)
		}
	})
}

// RFC 9213 section 2.
func TestTargeted(t *testing.T) {
	for _, row := range []struct {
		fields   string
		targeted bool
		maxAge   int64
		flags    controlFlags
	}{
		{"CDN-Cache-Control: max-age=60|Cache-Control: no-store", true, 60, 0},
		{"cdn-cache-control: max-age=60|Cache-Control: max-age=5", true, 60, 0},
		{"CDN-Cache-Control: no-store|Cache-Control: max-age=5", true, absent, noStore},
		{"CDN-Cache-Control: private", true, absent, private},
		{`CDN-Cache-Control: no-cache="a"`, true, absent, noCacheFields},
		{"CDN-Cache-Control: none|Cache-Control: no-store", true, absent, 0},
		{"CDN-Cache-Control: max-age=60;a=b;c", true, 60, 0},
		{"CDN-Cache-Control: max-age=60 , no-cache", true, 60, noCache},
		{"CDN-Cache-Control: max-age=60|CDN-Cache-Control: no-cache", true, 60, noCache},
		{"CDN-Cache-Control: max-age=60, max-age=70", true, 70, 0}, // the last counts
		{"CDN-Cache-Control: no-store=?0, max-age=1", true, 1, 0},
		{"CDN-Cache-Control: no-store=?1", true, absent, noStore},
		// Of another type than the directive has: not coerced.
		{`CDN-Cache-Control: max-age="60"`, true, invalid, 0},
		{"CDN-Cache-Control: max-age=1.5", true, invalid, 0},
		{"CDN-Cache-Control: max-age=-1", true, invalid, 0},
		{"CDN-Cache-Control: max-age", true, invalid, 0},
		{"CDN-Cache-Control: max-age=(1 2)", true, invalid, 0},
		{"CDN-Cache-Control: max-age=:YQ==:", true, invalid, 0},
		{"CDN-Cache-Control: max-age=abc", true, invalid, 0},
		// Empty or in error: ignored.
		{"CDN-Cache-Control: |Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=60,|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: Max-Age=60|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age= 60|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=60 no-store|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=60, &&&|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=1234567890123456|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=1.|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: max-age=?2|Cache-Control: max-age=5", false, 5, 0},
		{`CDN-Cache-Control: a="b|Cache-Control: max-age=5`, false, 5, 0},
		{`CDN-Cache-Control: a="\b"|Cache-Control: max-age=5`, false, 5, 0},
		{"CDN-Cache-Control: a=(1 2|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: a=(1,2)|Cache-Control: max-age=5", false, 5, 0},
		{"CDN-Cache-Control: a;|Cache-Control: max-age=5", false, 5, 0},
		{"Example-Cache-Control: no-store|Cache-Control: max-age=5", false, 5, 0}, // not on the target list
	} {
		c, targeted := readControl(&response(t, "200|"+row.fields).Headers)
		if targeted != row.targeted || c.maxAge != row.maxAge || c.flags != row.flags {
			t.Errorf("%s: %v, max-age %d, flags %b; want %v, %d, %b", row.fields, targeted, c.maxAge, c.flags, row.targeted, row.maxAge, row.flags)
		}
	}
}

// FuzzDictionary: reading ends, and a valid dictionary stays one with another
// member, which counts.
func FuzzDictionary(f *testing.F) {
	for _, s := range []string{"max-age=60", `a="b\"", c;d=?1;e`, "a=(1 2.5 :YQ==:);q, b=tok/en", "*a=-1", "a,,b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := dictionary(text)
		if len(d) == 0 || !d.valid() {
			return
		}
		before, after := noControl, noControl
		d.each(before.add)
		more := dictionary(text + ", no-store, max-age=7")
		if !more.valid() {
			t.Fatalf("%q is no longer valid with more", text)
		}
		more.each(after.add)
		if !after.has(noStore) || after.maxAge != 7 {
			t.Fatalf("%q: %+v", text, after)
		}
	})
}
