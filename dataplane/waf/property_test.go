package waf

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// generator makes ACLs and requests of few words, so that they meet.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) word() string {
	return pick(g, "a", "b", "ab", "Ab", "b_a", "a-b", "%61", "x", "", "a b", "&lt;a", "é", "aa", "1")
}

func (g generator) words(most int, separator string) string {
	var all []string
	for range g.IntN(most + 1) {
		all = append(all, g.word())
	}
	return strings.Join(all, separator)
}

func (g generator) name() string {
	return pick(g, "X-A", "x-a", "X-B", "Host", "Cookie", "a", "A", "ab")
}

func (g generator) field() obj {
	filter := func(kind, included, excluded string) obj {
		return pairs(kind, pick(g, "All", included, excluded), arr{g.name(), g.name()}, pick(g, "ALL", "KEY", "VALUE"), "CONTINUE")
	}
	return pick(g,
		func() obj { return method }, func() obj { return path }, func() obj { return query }, func() obj { return arguments }, func() obj { return body },
		func() obj { return argument(g.name()) }, func() obj { return single(g.name()) },
		func() obj { return filter("Headers", "IncludedHeaders", "ExcludedHeaders") },
		func() obj { return filter("Cookies", "IncludedCookies", "ExcludedCookies") },
		func() obj { return jsonField(pick(g, "ALL", "KEY", "VALUE"), nil) },
		func() obj {
			return jsonField(pick(g, "ALL", "KEY", "VALUE"), nil, pick(g, "/a", "/a/1", "/ab/a", "/0"), "/b")
		},
	)()
}

func (g generator) chain() (names []string) {
	for range g.IntN(3) {
		names = append(names, pick(g, "NONE", "LOWERCASE", "URL_DECODE", "HTML_ENTITY_DECODE", "COMPRESS_WHITE_SPACE", "UTF8_TO_UNICODE", "TRIM", "MD5", "NORMALIZE_PATH", "REPLACE_COMMENTS"))
	}
	return names
}

func (g generator) statement(depth int) obj {
	kind := g.IntN(8)
	if depth > 0 && g.IntN(3) == 0 {
		kind = 8 + g.IntN(3)
	}
	switch kind {
	case 0, 1, 2:
		where := pick(g, "EXACTLY", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "CONTAINS_WORD")
		needle := pick(g, "a", "b", "ab", "a b", "x", "<a", "/a")
		if where == "CONTAINS_WORD" {
			needle = pick(g, "a", "ab", "b")
		}
		return byteStatement(g.field(), where, needle, g.chain()...)
	case 3:
		return regexStatement(g.field(), pick(g, "^a", "b$", "a.b", "[[:upper:]]", "(a|b){2}", "^$"), g.chain()...)
	case 4:
		return sizeStatement(g.field(), pick(g, "EQ", "NE", "LT", "LE", "GT", "GE"), g.IntN(6), g.chain()...)
	case 5, 6:
		return setStatement(pick(g, "bad", "good"))
	case 7:
		key := pick(g, "a", "n:a", "n", "n:m", "m:b", "awswaf:"+account+":webacl:shop:n:", "awswaf:"+account+":webacl:shop:a")
		scope := pick(g, "LABEL", "NAMESPACE")
		if scope == "LABEL" {
			key = strings.TrimSuffix(key, ":")
		}
		return obj{"LabelMatchStatement": obj{"Scope": scope, "Key": key}}
	case 8:
		return and(g.statement(depth-1), g.statement(depth-1))
	case 9:
		return or(g.statement(depth-1), g.statement(depth-1))
	}
	return negate(g.statement(depth - 1))
}

func (g generator) rate() obj {
	var more obj
	kind := pick(g, "IP", "CUSTOM_KEYS")
	if kind == "CUSTOM_KEYS" {
		more = obj{"CustomKeys": arr{obj{"Header": obj{"Name": g.name(), "TextTransformations": transformations(g.chain()...)}}, obj{"HTTPMethod": obj{}}}}
	}
	if g.IntN(2) == 0 {
		if more == nil {
			more = obj{}
		}
		more["ScopeDownStatement"] = g.statement(1)
	}
	return rateStatement(10, 60, kind, more)
}

func (g generator) acl() obj {
	var all []any
	for i := range g.IntN(8) {
		statement, action := g.statement(3), pick(g, blockAction, allowAction, countAction, countAction)
		if g.IntN(6) == 0 {
			statement, action = g.rate(), pick(g, blockAction, countAction)
		}
		var labels []string
		for range g.IntN(3) {
			labels = append(labels, pick(g, "a", "n:a", "n:m:a", "m:b", "b"))
		}
		all = append(all, ruleOf(g.IntN(1000)*8+i, statement, action, labels...))
	}
	document := rules(all...)
	document["DefaultAction"] = pick(g, allowAction, blockAction)
	return document
}

func (g generator) json(depth int) any {
	switch n := g.IntN(7); {
	case depth > 0 && n < 2:
		m := map[string]any{}
		for range g.IntN(4) {
			m[pick(g, "a", "b", "ab", "a/b", "~")] = g.json(depth - 1)
		}
		return m
	case depth > 0 && n == 2:
		list := []any{}
		for range g.IntN(4) {
			list = append(list, g.json(depth-1))
		}
		return list
	case n == 3:
		return g.IntN(100)
	case n == 4:
		return pick[any](g, true, false, nil)
	}
	return g.word()
}

func (g generator) request() *naiveRequest {
	encoded := func(s string) string { return strings.NewReplacer(" ", "+", "<", "%3C", "é", "%C3%A9").Replace(s) }
	r := &naiveRequest{method: pick(g, "GET", "POST", "PUT"), path: "/" + encoded(g.words(3, "/"))}
	r.path = "/" + strings.TrimLeft(r.path, "/")
	if r.hasQuery = g.IntN(3) > 0; r.hasQuery {
		var all []string
		for range g.IntN(4) {
			all = append(all, encoded(pick(g, "a", "A", "x-a", "ab", "%61", ""))+pick(g, "=", "")+encoded(g.word()))
		}
		r.query = strings.Join(all, "&")
	}
	r.headers = [][2]string{{"Host", pick(g, "a", "ab", "x")}}
	for range g.IntN(4) {
		r.headers = append(r.headers, [2]string{pick(g, "X-A", "x-A", "X-B", "X-C"), strings.TrimSpace(g.words(3, pick(g, " ", ",")))})
	}
	if g.IntN(2) == 0 {
		r.headers = append(r.headers, [2]string{"Cookie", strings.TrimSpace("a=" + g.word() + ";  X-A=" + g.word() + ";;" + g.word())})
	}
	switch g.IntN(4) {
	case 0:
		r.body = g.words(4, " ")
	case 1, 2:
		root := g.json(4)
		for {
			if _, ok := root.(map[string]any); ok {
				break
			}
			root = g.json(4)
		}
		b, _ := json.Marshal(root)
		r.body = string(b)
	}
	r.source = netip.MustParseAddr(pick(g, "192.0.2.1", "192.0.2.2", "198.51.100.1", "203.0.113.1", "2001:db8:bad::1", "2001:db8:900d::1", "2001:db8:900d::2"))
	return r
}

// input is the request as a worker has it.
func (r *naiveRequest) input(t *testing.T) *Input {
	t.Helper()
	raw := r.method + " " + r.path
	if r.hasQuery {
		raw += "?" + r.query
	}
	raw += " HTTP/1.1\r\n"
	if r.body != "" {
		r.headers = append(r.headers, [2]string{"Content-Length", fmt.Sprint(len(r.body))})
	}
	for _, h := range r.headers {
		raw += h[0] + ": " + h[1] + "\r\n"
	}
	in, fault := parsed([]byte(raw+"\r\n"), []byte(r.body))
	if fault != 0 {
		t.Fatalf("%q: %v", raw, fault)
	}
	in.Source = netip.AddrPortFrom(r.source, 1)
	return in
}

// Random ACLs and requests, against the naive evaluation. Half of the requests
// come to an event loop, and are finished beside it where that is needed.
func TestInspectAgreesWithTheReference(t *testing.T) {
	acls := 1500
	if underRace {
		acls = 100
	}
	outcomes := map[string]int{}
	for seed := range uint64(acls) {
		g := generator{rand.New(rand.NewPCG(7, seed))}
		w := newWorld()
		document := g.acl()
		a := w.compile(t, document)
		n := &naive{document, map[string][]netip.Prefix{}, map[string]int{}}
		for id, set := range w.ipSets {
			n.ipSets[id] = slices.Collect(set.Addresses.All())
		}
		in := &Input{} // one for all, as a worker has it
		for range 30 {
			r := g.request()
			fresh := r.input(t)
			rule, action, counted, labels := n.inspect(r)
			in.Request, in.Method, in.Source, in.Body, in.BodyCut = fresh.Request, fresh.Method, fresh.Source, fresh.Body, fresh.BodyCut
			in.HaveBody, in.MayBlock = fresh.HaveBody, fresh.HaveBody
			if onLoop := g.IntN(2) == 0; onLoop {
				in.HaveBody, in.MayBlock = false, false
			}
			v := a.Inspect(in, second)
			if v.Outcome == Unfinished {
				outcomes["unfinished"]++
				in.HaveBody = true
				v = a.Finish(in, v)
			}
			var gotCounted, gotLabels []string
			a.Counted(&v, func(name string) { gotCounted = append(gotCounted, name) })
			a.Labels(&v, func(label []byte) { gotLabels = append(gotLabels, string(label)) })
			slices.Sort(gotLabels)
			slices.Sort(labels)
			labels = slices.Compact(labels)
			want := map[string]Outcome{"Allow": Allowed, "Block": Blocked}[action]
			if v.Outcome != want || a.Rule(&v) != rule || !slices.Equal(gotCounted, counted) || !slices.Equal(gotLabels, labels) {
				text, _ := json.MarshalIndent(document, "", " ")
				t.Fatalf("seed %d: %s\n%+v\ngot %s, want %s by %q counted %v labels %v", seed, text, r, said(a, &v), action, rule, counted, labels)
			}
			outcomes[fmt.Sprint(action, " by a rule: ", rule != "")]++
		}
	}
	t.Log(outcomes)
}
