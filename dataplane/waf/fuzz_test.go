package waf

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// FuzzCompile gives documents, and a request to what of them can be compiled.
func FuzzCompile(f *testing.F) {
	w := newWorld()
	for _, document := range []obj{
		rules(ruleOf(1, byteStatement(path, "CONTAINS", "x", "URL_DECODE"), blockAction, "a:b")),
		rules(ruleOf(1, and(setStatement("bad"), negate(regexStatement(query, "(?i)a|b"))), countAction)),
		rules(ruleOf(1, rateStatement(10, 60, "IP", obj{"ScopeDownStatement": sizeStatement(body, "GT", 1)}), blockAction)),
		rules(ruleOf(1, byteStatement(jsonField("ALL", nil, "/a/b"), "CONTAINS", "x"), obj{"Block": obj{"CustomResponse": obj{"ResponseCode": 403}}})),
	} {
		f.Add(definitionOf(f, document).Document)
	}
	f.Add(`{"DefaultAction":{"Allow":{}},"Rules":[{}]}`)
	f.Add(`{"DefaultAction":`)
	f.Fuzz(func(t *testing.T, document string) {
		if strings.Contains(document, "ManagedRuleGroup") {
			return // slow
		}
		store := NewStore(Settings{RateKeys: 8})
		a, err := Compile(&definition.WebACL{ID: "i", Name: "n", Document: document}, w.ipSets, w.patterns, Options{Store: store, Region: region, Account: account})
		if (a == nil) == (err == nil) {
			t.Fatal(a, err)
		}
		if err != nil {
			if !strings.HasPrefix(err.Error(), `web ACL "n": `) {
				t.Fatal(err)
			}
			return
		}
		in := requestOf(t, "POST /a?b=c\nCookie: d=e\n\n{\"f\":\"g\"}")
		v := a.Inspect(in, second)
		if v.Outcome != Allowed && v.Outcome != Blocked {
			t.Fatalf("%s", said(a, &v))
		}
	})
}

// FuzzJSONBody: of valid JSON, exactly its keys and values; of anything else no
// panic, and the values of what comes before.
func FuzzJSONBody(f *testing.F) {
	for _, s := range []string{`{"a":[1,"b",{"c":null}],"d":"\u00e9\ud83d\ude00"}`, `[]`, `{"a"`, `{"a":"\`, `[[[[`, `{"a"::"b""c":1}`, `{"\ud800":true}`, "{\"\xff\":1e5}"} {
		f.Add([]byte(s))
	}
	w := newWorld()
	a := w.compile(f, rules(
		ruleOf(1, byteStatement(jsonField("ALL", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "x"), countAction),
		ruleOf(2, byteStatement(jsonField("VALUE", nil, "/a/b", "/a/1", "/c"), "CONTAINS", "x"), countAction),
	))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || len(text) > DefaultBodyBytes {
			return
		}
		in := requestOf(t, "POST /\n\nx")
		in.Body = text
		in.begin(a, 0)
		s := in.look(a, 0)
		in.look(a, 1)
		root := bytes.TrimLeft(text, " \t\r\n")
		if !json.Valid(text) || !utf8.Valid(text) || len(root) == 0 || root[0] != '{' && root[0] != '[' || depthOf(text) > maxJSONDepth {
			return
		}
		if s.outcome != inspect {
			t.Fatalf("%q is no JSON", text)
		}
		var got []string
		for _, v := range in.values(s) {
			got = append(got, string(v))
		}
		if want := tokens(text); !slices.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
	})
}

func depthOf(text []byte) (deepest int) {
	d, depth := json.NewDecoder(bytes.NewReader(text)), 0
	for {
		token, err := d.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// tokens are the keys and values of valid JSON in their order.
func tokens(text []byte) (all []string) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return all
		}
		switch v := token.(type) {
		case string:
			all = append(all, v)
		case json.Number:
			all = append(all, v.String())
		case bool:
			all = append(all, map[bool]string{true: "true", false: "false"}[v])
		case nil:
			all = append(all, "null")
		}
	}
}

// FuzzInspect gives requests to an ACL that looks everywhere. What is found must
// not depend on what was inspected before.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{"GET /a?b=c HTTP/1.1\r\nHost: a\r\nCookie: a=b; c\r\n\r\n", "POST /%41 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4, [::1]:80\r\n\r\n", "PUT /?%41=%42&&= HTTP/1.0\r\n\r\n"} {
		f.Add([]byte(s), []byte(`{"a":"b"}`))
	}
	w := geoWorld(f)
	w.TrustedProxies = ipPrefixes("203.0.113.0/24")
	var all []any
	for _, field := range []obj{
		path, query, arguments, argument("a"), single("Cookie"), pairs("Headers", "All", nil, "ALL", "MATCH"), pairs("Cookies", "ExcludedCookies", arr{"x"}, "ALL", "CONTINUE"),
		body, jsonField("ALL", nil), jsonField("VALUE", obj{"InvalidFallbackBehavior": "EVALUATE_AS_STRING"}, "/a", "/0/b"),
	} {
		all = append(all,
			ruleOf(len(all), byteStatement(field, "CONTAINS", "a", "URL_DECODE_UNI", "HTML_ENTITY_DECODE", "LOWERCASE"), countAction),
			ruleOf(len(all)+1, regexStatement(field, "(?i)union|select", "JS_DECODE", "CMD_LINE"), countAction),
			ruleOf(len(all)+2, sizeStatement(field, "GT", 3, "UTF8_TO_UNICODE", "NORMALIZE_PATH"), countAction))
	}
	forwarded := obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}
	all = append(all,
		ruleOf(100, obj{"IPSetReferenceStatement": obj{"ARN": "bad", "IPSetForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "ANY"}}}, countAction),
		ruleOf(101, obj{"GeoMatchStatement": obj{"CountryCodes": arr{"DE"}, "ForwardedIPConfig": forwarded}}, countAction))
	a := w.compile(f, rules(all...))
	used := &Input{}
	f.Fuzz(func(t *testing.T, head, text []byte) {
		fresh, fault := parsed(bytes.Clone(head), text)
		if fault != 0 {
			return
		}
		v := a.Inspect(fresh, second)
		if v.Outcome == Unfinished {
			fresh.HaveBody = true
			v = a.Finish(fresh, v)
		}
		want := said(a, &v)
		used.Request, used.Method, used.Source, used.Body, used.BodyCut, used.HaveBody, used.MayBlock = fresh.Request, fresh.Method, fresh.Source, fresh.Body, fresh.BodyCut, true, true
		if v = a.Inspect(used, 2*second); said(a, &v) != want || v.Outcome != Allowed {
			t.Fatalf("%s, and %s", want, said(a, &v))
		}
	})
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "1.2.3.4:80", "[::1]:80", "::1", "::ffff:1.2.3.4", "fe80::1%a", "", "[", "a:b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := parseAddr(b)
		if want, err := netip.ParseAddr(string(b)); err == nil && want.Zone() == "" && (!ok || addr != want.Unmap()) {
			t.Errorf("%q: %v %v", b, addr, ok)
		}
		if want, err := netip.ParseAddrPort(string(b)); err == nil && want.Addr().Zone() == "" && (!ok || addr != want.Addr().Unmap()) {
			t.Errorf("%q: %v %v", b, addr, ok)
		}
		if ok && (!addr.IsValid() || addr.Zone() != "" || addr.Is4In6()) {
			t.Errorf("%q: %v", b, addr)
		}
	})
}
