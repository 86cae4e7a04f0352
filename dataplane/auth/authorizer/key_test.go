package authorizer

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// fourSources has every kind of source.
const fourSources = "method.request.header.A,method.request.header.B,method.request.querystring.q,context.path"

// identity is what fourSources sees of a request.
type identity struct {
	a, b, q []string
	path    string
}

func (i *identity) request() *request {
	r := &request{context: map[ContextVar]string{ContextPath: i.path}}
	for _, v := range i.a {
		r.headers = append(r.headers, pair{"a", v}, pair{"other", v})
	}
	for _, v := range i.b {
		r.headers = append(r.headers, pair{"B", v})
	}
	for _, v := range i.q {
		r.query = append(r.query, pair{"q", v}, pair{"Q", v})
	}
	return r
}

func (i *identity) complete() bool {
	last := func(values []string) string {
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
	return last(i.a) != "" && last(i.b) != "" && last(i.q) != "" && i.path != ""
}

// readIdentity makes an identity of bytes: each value has its place and length
// before it.
func readIdentity(b []byte) (i identity) {
	for len(b) >= 2 {
		n := min(int(b[1]), len(b)-2)
		value := string(b[2 : 2+n])
		switch b[0] % 4 {
		case 0:
			i.a = append(i.a, value)
		case 1:
			i.b = append(i.b, value)
		case 2:
			i.q = append(i.q, value)
		case 3:
			i.path = value
		}
		b = b[2+n:]
	}
	return i
}

// checkKeys: two identities have one key if and only if they are one, and an
// incomplete one has none.
func checkKeys(t *testing.T, a *Authorizer, one, two identity) {
	t.Helper()
	first, ok := a.AppendKey(nil, one.request())
	if ok != one.complete() {
		t.Fatalf("%+v: %t", one, ok)
	}
	second, ok2 := a.AppendKey([]byte("before"), two.request())
	if !ok || !ok2 {
		return
	}
	same := slices.Equal(one.a, two.a) && slices.Equal(one.b, two.b) && slices.Equal(one.q, two.q) && one.path == two.path
	if bytes.Equal(first, bytes.TrimPrefix(second, []byte("before"))) != same {
		t.Fatalf("%q and %q: %x and %x", one, two, first, second)
	}
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("\x00\x01a\x01\x01b\x02\x01c\x03\x01d"), []byte("\x00\x02ab\x01\x01b\x02\x01c\x03\x01d"))
	f.Add([]byte("\x00\x00\x00\x01a\x01\x01b\x02\x01c\x03\x01d"), []byte("\x00\x01a\x01\x01b\x02\x01c\x03\x01d"))
	f.Add([]byte("\x00\x03a\x00b\x01\x01b\x02\x01c\x03\x01d"), []byte("\x00\x01a\x00\x01b\x01\x01b\x02\x01c\x03\x01d"))
	a := compiled(f, definitionOf("http://h", byRequest(fourSources)), newStore(f, Options{}))
	f.Fuzz(func(t *testing.T, one, two []byte) { checkKeys(t, a, readIdentity(one), readIdentity(two)) })
}

// Few and short values, so that many concatenations are the same.
func TestNoTwoIdentitiesShareAKey(t *testing.T) {
	a := compiled(t, definitionOf("http://h", byRequest(fourSources)), newStore(t, Options{}))
	r := rand.New(rand.NewPCG(1, 2))
	letters := []string{"", "\x00", "\x01", "\x02", "a", "a\x00", "\x02a", "aa", strings.Repeat("a", 127), strings.Repeat("a", 128), "\x00\x00\x00\x01"}
	values := func() (v []string) {
		for range r.IntN(4) {
			v = append(v, letters[r.IntN(len(letters))])
		}
		return v
	}
	for range 50_000 {
		one := identity{values(), values(), values(), letters[r.IntN(len(letters))]}
		two := one
		switch r.IntN(5) { // mostly alike
		case 0:
			two.a = values()
		case 1:
			two.a, two.b = one.b, one.a
		case 2:
			two.q, two.path = values(), letters[r.IntN(len(letters))]
		case 3:
			two = identity{values(), values(), values(), letters[r.IntN(len(letters))]}
		}
		checkKeys(t, a, one, two)
	}
}

// No two authorizers share a key, nor do two definitions of one.
func TestNoTwoAuthorizersShareAKey(t *testing.T) {
	s := newStore(t, Options{})
	seen := map[string]string{}
	add := func(name string, d *definition.Authorizer, change func(*Scope)) {
		t.Helper()
		own := *scope
		if change != nil {
			change(&own)
		}
		a, err := Compile(d, &own, s)
		if err != nil {
			t.Fatal(err)
		}
		key, ok := a.AppendKey(nil, &request{headers: []pair{{"authorization", "x"}, {"b", "x"}}})
		if !ok {
			t.Fatalf("%s: no key", name)
		}
		if other, ok := seen[string(key)]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[string(key)] = name
	}
	const uri = "http://${stageVariables.tenant}/"
	add("it", definitionOf(uri), nil)
	add("another API", definitionOf(uri), func(s *Scope) { s.APIID = "other" })
	add("another stage", definitionOf(uri), func(s *Scope) { s.Stage = "other" })
	add("API and stage", definitionOf(uri), func(s *Scope) { s.APIID, s.Stage = "ab", "c" })
	add("API and stage again", definitionOf(uri), func(s *Scope) { s.APIID, s.Stage = "a", "bc" })
	add("another variable", definitionOf(uri), func(s *Scope) { s.Variables = map[string]string{"tenant": "red"} })
	add("another id", definitionOf(uri, func(d *definition.Authorizer) { d.ID = "other" }), nil)
	add("another URI", definitionOf("http://other/"), nil)
	add("another header", definitionOf(uri, func(d *definition.Authorizer) { d.IdentitySource = "method.request.header.B" }), nil)
	add("another type", definitionOf(uri, byRequest("method.request.header.Authorization")), nil)
	add("a validation", definitionOf(uri, func(d *definition.Authorizer) { d.IdentityValidation = "x" }), nil)
	add("another ttl", definitionOf(uri, func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(60) }), nil)
	add("fixed", definitionOf("http://h", byRequest("method.request.header.B,stageVariables.tenant")), nil)
	add("fixed otherwise", definitionOf("http://h", byRequest("method.request.header.B,stageVariables.tenant")), func(s *Scope) { s.Variables = map[string]string{"tenant": "red"} })
	if s.Flush(definition.StageKey{APIID: scope.APIID, Stage: "other"}); len(seen) != 14 {
		t.Errorf("%d keys", len(seen))
	}
	add("after a flush of another stage", definitionOf(uri, func(d *definition.Authorizer) { d.Name = "renamed" }), nil)
	s.Flush(definition.StageKey{APIID: scope.APIID, Stage: scope.Stage})
	add("after a flush", definitionOf(uri), nil)
}

func TestMissingIdentity(t *testing.T) {
	s := newStore(t, Options{})
	token := compiled(t, definitionOf("http://h"), s)
	sources := compiled(t, definitionOf("http://h", byRequest("method.request.header.A,method.request.querystring.q,context.identity.sourceIp")), s)
	whole := func() *request {
		return &request{headers: []pair{{"a", "1"}}, query: []pair{{"q", "2"}}, context: map[ContextVar]string{ContextSourceIP: "203.0.113.7"}}
	}
	for name, row := range map[string]struct {
		a    *Authorizer
		r    *request
		want bool
	}{
		"token":            {token, told("x"), true},
		"no token":         {token, &request{headers: []pair{{"x-authorization", "x"}}}, false},
		"empty token":      {token, told(""), false},
		"empty last token": {token, &request{headers: []pair{{"authorization", "x"}, {"Authorization", ""}}}, false},
		"two tokens":       {token, &request{headers: []pair{{"authorization", ""}, {"Authorization", "x"}}}, true},
		"whole":            {sources, whole(), true},
		"no header":        {sources, &request{query: whole().query, context: whole().context}, false},
		"no query":         {sources, &request{headers: whole().headers, context: whole().context}, false},
		"no context":       {sources, &request{headers: whole().headers, query: whole().query}, false},
		"no variable":      {compiled(t, definitionOf("http://h", byRequest("context.path,stageVariables.none")), s), whole(), false},
	} {
		if _, ok := row.a.AppendKey(nil, row.r); ok != row.want {
			t.Errorf("%s: %t", name, ok)
		}
	}
}

// What is not remembered is asked for by each request.
func TestKeysWithoutTTL(t *testing.T) {
	a := compiled(t, definitionOf("http://h", func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(0) }), newStore(t, Options{}))
	one, _ := a.AppendKey(nil, told("x"))
	two, _ := a.AppendKey(nil, told("x"))
	if bytes.Equal(one, two) || string(a.tokenOf(one)) != "x" || string(a.tokenOf(two)) != "x" {
		t.Errorf("%x, %x", one, two)
	}
}

func TestTokenOf(t *testing.T) {
	a := compiled(t, definitionOf("http://h"), newStore(t, Options{}))
	for _, token := range []string{"x", strings.Repeat("y", 8000), "\x00", "a\xff"} {
		key, ok := a.AppendKey(nil, &request{headers: []pair{{"authorization", "first"}, {"AUTHORIZATION", token}}})
		if got := a.tokenOf(key); !ok || string(got) != token {
			t.Errorf("%.20q: %.20q", token, got)
		}
	}
}

// The part of a key that tells callers apart is the same for all of a caller's
// requests, also where each asks for itself.
func TestCaller(t *testing.T) {
	s := newStore(t, Options{})
	never := func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(0) }
	each := compiled(t, definitionOf("http://h", never), s)
	nobody := compiled(t, definitionOf("http://h", byRequest(""), never), s)
	fixed := compiled(t, definitionOf("http://h", byRequest("stageVariables.tenant")), s)
	known := compiled(t, definitionOf("http://h", func(d *definition.Authorizer) { d.ID = "known" }), s)
	caller := func(a *Authorizer, token string) (string, bool) {
		key, ok := a.AppendKey(nil, told(token))
		if !ok {
			t.Fatal("no key")
		}
		c, ok := a.Caller(key)
		return string(c), ok
	}
	for name, a := range map[string]*Authorizer{"each": each, "known": known} {
		x, ok := caller(a, "x")
		again, _ := caller(a, "x")
		y, _ := caller(a, "y")
		if !ok || again != x || y == x {
			t.Errorf("%s: %t, %t", name, again == x, y == x)
		}
	}
	for name, a := range map[string]*Authorizer{"nobody": nobody, "fixed": fixed} {
		if _, ok := caller(a, "x"); ok {
			t.Errorf("%s: callers are told apart", name)
		}
	}
}
