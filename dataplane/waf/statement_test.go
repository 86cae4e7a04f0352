package waf

import (
	"strings"
	"testing"
)

func single(name string) obj { return obj{"SingleHeader": obj{"Name": name}} }

var (
	path      = obj{"UriPath": obj{}}
	query     = obj{"QueryString": obj{}}
	method    = obj{"Method": obj{}}
	arguments = obj{"AllQueryArguments": obj{}}
	body      = obj{"Body": obj{}}
)

func argument(name string) obj { return obj{"SingleQueryArgument": obj{"Name": name}} }

func pairs(of, filter string, names arr, scope, oversize string) obj {
	pattern := obj{filter: obj{}}
	if filter != "All" {
		pattern = obj{filter: names}
	}
	return obj{of: obj{"MatchPattern": pattern, "MatchScope": scope, "OversizeHandling": oversize}}
}

func jsonField(scope string, more obj, pointers ...any) obj {
	spec := obj{"MatchPattern": obj{"All": obj{}}, "MatchScope": scope}
	if len(pointers) > 0 {
		spec["MatchPattern"] = obj{"IncludedPaths": arr(pointers)}
	}
	for k, v := range more {
		spec[k] = v
	}
	return obj{"JsonBody": spec}
}

func TestStatements(t *testing.T) {
	const plain = "GET /pets/7?color=red&Size=10&color=blue\nUser-Agent: BadBot/1.0\nX-A: one\nX-A: two\nCookie: id=17; theme=dark;Empty=; flag"
	large := "GET /\nX-Large: " + strings.Repeat("a", 9000) + "\nCookie: c=" + strings.Repeat("b", 9000)
	const doc = `{"a":{"c":"d","b":{"e":{"f":"g"}}},"list":[1,"two",{"k~/y":true}],"n":null}`
	post := func(text string) string { return "POST /x\nContent-Type: application/json\n\n" + text }
	w := newWorld()
	for _, tc := range []struct {
		name      string
		statement any
		request   string
		want      bool
	}{
		{"method", byteStatement(method, "EXACTLY", "GET"), plain, true},
		{"method of another", byteStatement(method, "EXACTLY", "POST"), plain, false},
		{"path", byteStatement(path, "EXACTLY", "/pets/7"), plain, true},
		{"path starts", byteStatement(path, "STARTS_WITH", "/pets"), plain, true},
		{"path does not start", byteStatement(path, "STARTS_WITH", "pets"), plain, false},
		{"path ends", byteStatement(path, "ENDS_WITH", "/7"), plain, true},
		{"path as it came", byteStatement(path, "CONTAINS", "%41"), "GET /%41b", true},
		{"path is not decoded", byteStatement(path, "CONTAINS", "A"), "GET /%41b", false},
		{"path is case sensitive", byteStatement(path, "CONTAINS", "PETS"), plain, false},
		{"query", byteStatement(query, "CONTAINS", "Size=10"), plain, true},
		{"no query", sizeStatement(query, "GE", 0), "GET /", false},
		{"empty query", sizeStatement(query, "EQ", 0), "GET /?", true},

		{"argument", byteStatement(argument("color"), "EXACTLY", "red"), plain, true},
		{"second argument of the name", byteStatement(argument("color"), "EXACTLY", "blue"), plain, true},
		{"name of an argument in any case", byteStatement(argument("sIZE"), "EXACTLY", "10"), plain, true},
		{"name of an argument, encoded", byteStatement(argument("size"), "EXACTLY", "10"), "GET /?%53i%7ae=10", true},
		{"argument that is not there", sizeStatement(argument("none"), "GE", 0), plain, false},
		{"value is not decoded", byteStatement(argument("q"), "EXACTLY", "a b"), "GET /?q=a%20b", false},
		{"value decoded", byteStatement(argument("q"), "EXACTLY", "a b", "URL_DECODE"), "GET /?q=a%20b", true},
		{"any argument", byteStatement(arguments, "EXACTLY", "10"), plain, true},
		{"names are not arguments", byteStatement(arguments, "EXACTLY", "color"), plain, false},

		{"header", byteStatement(single("user-agent"), "CONTAINS", "BadBot"), plain, true},
		{"header in another case", byteStatement(single("USER-Agent"), "CONTAINS", "BadBot"), plain, true},
		{"unknown header", byteStatement(single("x-a"), "EXACTLY", "one"), plain, true},
		{"second line of a header", byteStatement(single("X-A"), "EXACTLY", "two"), plain, true},
		{"header that is not there", sizeStatement(single("X-B"), "GE", 0), plain, false},
		{"word", byteStatement(single("User-Agent"), "CONTAINS_WORD", "BadBot"), plain, true},
		{"part of a word", byteStatement(single("User-Agent"), "CONTAINS_WORD", "Bad"), plain, false},
		{"word behind a part", byteStatement(single("X"), "CONTAINS_WORD", "bot"), "GET /\nX: robot bots _bot bot", true},
		{"no whole word", byteStatement(single("X"), "CONTAINS_WORD", "bot"), "GET /\nX: robot bots _bot bot_ 1bot", false},
		{"word alone", byteStatement(single("X"), "CONTAINS_WORD", "bot"), "GET /\nX: bot", true},

		{"all headers", byteStatement(pairs("Headers", "All", nil, "VALUE", "CONTINUE"), "EXACTLY", "two"), plain, true},
		{"keys of headers", byteStatement(pairs("Headers", "All", nil, "KEY", "CONTINUE"), "EXACTLY", "x-a", "LOWERCASE"), plain, true},
		{"values are no keys", byteStatement(pairs("Headers", "All", nil, "KEY", "CONTINUE"), "EXACTLY", "two"), plain, false},
		{"keys are no values", byteStatement(pairs("Headers", "All", nil, "VALUE", "CONTINUE"), "EXACTLY", "X-A"), plain, false},
		{"included headers", byteStatement(pairs("Headers", "IncludedHeaders", arr{"x-A", "host"}, "ALL", "CONTINUE"), "EXACTLY", "two"), plain, true},
		{"other headers", byteStatement(pairs("Headers", "IncludedHeaders", arr{"host"}, "ALL", "CONTINUE"), "EXACTLY", "two"), plain, false},
		{"excluded headers", byteStatement(pairs("Headers", "ExcludedHeaders", arr{"X-A"}, "ALL", "CONTINUE"), "EXACTLY", "two"), plain, false},
		{"headers that are not excluded", byteStatement(pairs("Headers", "ExcludedHeaders", arr{"Host"}, "ALL", "CONTINUE"), "EXACTLY", "two"), plain, true},
		{"large headers match", byteStatement(pairs("Headers", "All", nil, "ALL", "MATCH"), "EXACTLY", "none"), large, true},
		{"large headers do not", byteStatement(pairs("Headers", "All", nil, "ALL", "NO_MATCH"), "CONTAINS", "aaa"), large, false},
		{"large headers are read on", byteStatement(pairs("Headers", "All", nil, "VALUE", "CONTINUE"), "CONTAINS", "bbb"), large, true},
		{"small headers are not large", byteStatement(pairs("Headers", "All", nil, "ALL", "MATCH"), "EXACTLY", "none"), plain, false},

		{"cookie", byteStatement(pairs("Cookies", "All", nil, "VALUE", "CONTINUE"), "EXACTLY", "dark"), plain, true},
		{"cookie without space", sizeStatement(pairs("Cookies", "IncludedCookies", arr{"Empty"}, "VALUE", "CONTINUE"), "EQ", 0), plain, true},
		{"cookie without value", byteStatement(pairs("Cookies", "All", nil, "KEY", "CONTINUE"), "EXACTLY", "flag"), plain, true},
		{"cookies are case sensitive", byteStatement(pairs("Cookies", "IncludedCookies", arr{"Theme"}, "VALUE", "CONTINUE"), "EXACTLY", "dark"), plain, false},
		{"excluded cookies", byteStatement(pairs("Cookies", "ExcludedCookies", arr{"theme"}, "ALL", "CONTINUE"), "EXACTLY", "dark"), plain, false},
		{"no cookies", byteStatement(pairs("Cookies", "All", nil, "ALL", "MATCH"), "EXACTLY", "dark"), "GET /", false},
		{"large cookies", byteStatement(pairs("Cookies", "All", nil, "ALL", "MATCH"), "EXACTLY", "none"), large, true},
		{"large cookies do not", byteStatement(pairs("Cookies", "All", nil, "ALL", "NO_MATCH"), "CONTAINS", "bbb"), large, false},
		{"large cookies are read on", byteStatement(pairs("Cookies", "All", nil, "ALL", "CONTINUE"), "CONTAINS", "bbb"), large, true},

		{"body", byteStatement(body, "CONTAINS", "evil"), "POST /\n\nan evil text", true},
		{"no body", sizeStatement(body, "GE", 0), "POST /", false},
		{"large body", byteStatement(obj{"Body": obj{"OversizeHandling": "MATCH"}}, "CONTAINS", "evil"), "POST /\n\n" + strings.Repeat("x", 70<<10), true},
		{"large body does not", byteStatement(obj{"Body": obj{"OversizeHandling": "NO_MATCH"}}, "CONTAINS", "xx"), "POST /\n\n" + strings.Repeat("x", 70<<10), false},
		{"large body is read on", byteStatement(obj{"Body": obj{"OversizeHandling": "CONTINUE"}}, "CONTAINS", "xx"), "POST /\n\n" + strings.Repeat("x", 70<<10), true},
		{"large body is cut", sizeStatement(body, "EQ", 64<<10), "POST /\n\n" + strings.Repeat("x", 70<<10), true},

		// AWS's example of JSON bodies.
		{"json: key in an included one", byteStatement(jsonField("ALL", nil, "/a/b"), "EXACTLY", "e"), post(doc), true},
		{"json: deeper key", byteStatement(jsonField("KEY", nil, "/a/b"), "EXACTLY", "f"), post(doc), true},
		{"json: value", byteStatement(jsonField("VALUE", nil, "/a/b"), "EXACTLY", "g"), post(doc), true},
		{"json: key on the way", byteStatement(jsonField("ALL", nil, "/a/b"), "EXACTLY", "b"), post(doc), false},
		{"json: value beside", byteStatement(jsonField("ALL", nil, "/a/b"), "EXACTLY", "d"), post(doc), false},
		{"json: values are no keys", byteStatement(jsonField("KEY", nil), "EXACTLY", "g"), post(doc), false},
		{"json: keys are no values", byteStatement(jsonField("VALUE", nil), "EXACTLY", "e"), post(doc), false},
		{"json: item of a list", byteStatement(jsonField("VALUE", nil, "/list/1"), "EXACTLY", "two"), post(doc), true},
		{"json: other item", byteStatement(jsonField("VALUE", nil, "/list/0"), "EXACTLY", "two"), post(doc), false},
		{"json: number", byteStatement(jsonField("VALUE", nil, "/list/0"), "EXACTLY", "1"), post(doc), true},
		{"json: escaped pointer", byteStatement(jsonField("VALUE", nil, "/list/2/k~0~1y"), "EXACTLY", "true"), post(doc), true},
		{"json: null", byteStatement(jsonField("VALUE", nil, "/n"), "EXACTLY", "null"), post(doc), true},
		{"json: second of two pointers", byteStatement(jsonField("VALUE", nil, "/z", "/a/c"), "EXACTLY", "d"), post(doc), true},
		{"json: escapes", byteStatement(jsonField("VALUE", nil), "EXACTLY", "<é😀\n"), post(`{"a":"\u003c\u00e9\ud83d\ude00\n"}`), true},
		{"json: unknown escapes", byteStatement(jsonField("VALUE", nil), "EXACTLY", "\"\\/\b\f\n\r\t\\q\\u00zz"), post(`["\"\\\/\b\f\n\r\t\q\u00zz"]`), true},
		{"json: lone surrogates", byteStatement(jsonField("VALUE", nil), "EXACTLY", "\ufffdA\ufffd"), post(`["\ud83d\u0041\udc00"]`), true},
		{"json: numbers", byteStatement(jsonField("VALUE", nil), "EXACTLY", "-1.5E+3"), post(`[-1.5E+3]`), true},
		{"json: no number", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "EXACTLY", "x"), post(`[1x]`), true},
		{"json: no word", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "EXACTLY", "x"), post(`[nil]`), true},
		{"json: wrong bracket", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "EXACTLY", "x"), post(`[}`), true},
		{"json: value without key", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "EXACTLY", "x"), post(`{1}`), true},
		{"json: object without key", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "EXACTLY", "x"), post(`{{}}`), true},
		{"json: escaped key in a pointer", byteStatement(jsonField("VALUE", nil, "/ab"), "EXACTLY", "x"), post(`{"\u0061b":"x"}`), true},
		{"json: transformed", byteStatement(jsonField("VALUE", nil), "EXACTLY", "<x", "HTML_ENTITY_DECODE", "LOWERCASE"), post(`["&LT;\u0058"]`), true},
		{"json: repeated key, first", byteStatement(jsonField("VALUE", nil, "/a"), "EXACTLY", "1"), post(`{"a":1,"a":2}`), true},
		{"json: repeated key, last", byteStatement(jsonField("VALUE", nil, "/a"), "EXACTLY", "2"), post(`{"a":1,"a":2}`), true},
		{"json: missing comma", byteStatement(jsonField("VALUE", nil, "/key2"), "EXACTLY", "value2"), post(`{"key1":"value1""key2":"value2"}`), true},
		{"json: missing colon", byteStatement(jsonField("VALUE", nil, "/key2"), "EXACTLY", "value2"), post(`{"key1":"value1","key2""value2"}`), true},
		{"json: more colons", byteStatement(jsonField("VALUE", nil, "/key1"), "EXACTLY", "value1"), post(`{"key1"::"value1","key2""value2"}`), true},
		{"json: cut, before", byteStatement(jsonField("VALUE", nil), "EXACTLY", "x"), post(`{"a":"x","b":"y`), true},
		{"json: cut, within", byteStatement(jsonField("VALUE", nil), "EXACTLY", "y"), post(`{"a":"x","b":"y`), true},
		{"json: none", byteStatement(jsonField("VALUE", nil), "CONTAINS", "evil"), post(`an evil text`), false},
		{"json: none matches", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "no"), post(`an evil text`), true},
		{"json: none does not", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "NO_MATCH"}), "CONTAINS", "x"), post(`{"a":"x"`), false},
		{"json: none is text", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "EVALUATE_AS_STRING"}), "CONTAINS", "evil"), post(`an evil text`), true},
		{"json: some is no text", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "EVALUATE_AS_STRING"}), "CONTAINS", "{"), post(`{"a":"x"}`), false},
		{"json: behind the end", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "no"), post(`{} {}`), true},
		{"json: scalar", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "no"), post(`"text"`), true},
		{"json: too deep", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "no"), post(strings.Repeat("[", 200) + strings.Repeat("]", 200)), true},
		{"json: deep", byteStatement(jsonField("VALUE", obj{"InvalidFallbackBehavior": "MATCH"}), "CONTAINS", "no"), post(strings.Repeat("[", 128) + strings.Repeat("]", 128)), false},

		{"regex", regexStatement(single("User-Agent"), `^BadBot/\d`), plain, true},
		{"regex is case sensitive", regexStatement(single("User-Agent"), `badbot`), plain, false},
		{"regex in any case", regexStatement(single("User-Agent"), `(?i)badbot`), plain, true},
		{"pattern set", obj{"RegexPatternSetReferenceStatement": obj{"ARN": "words", "FieldToMatch": path, "TextTransformations": transformations()}}, "GET /admin/x", true},
		{"second pattern of a set", obj{"RegexPatternSetReferenceStatement": obj{"ARN": "arn:aws:wafv2:us-east-1:000000000000:regional/regexpatternset/name-words/words", "FieldToMatch": path, "TextTransformations": transformations()}}, "GET /an/evil/path", true},
		{"no pattern of a set", obj{"RegexPatternSetReferenceStatement": obj{"ARN": "words", "FieldToMatch": path, "TextTransformations": transformations()}}, "GET /evils", false},

		{"size EQ", sizeStatement(path, "EQ", 7), plain, true},
		{"size NE", sizeStatement(path, "NE", 7), plain, false},
		{"size LT", sizeStatement(path, "LT", 8), plain, true},
		{"size LE", sizeStatement(path, "LE", 6), plain, false},
		{"size GE", sizeStatement(path, "GE", 7), plain, true},
		{"size GT", sizeStatement(path, "GT", 7), plain, false},
		{"size after transformation", sizeStatement(path, "EQ", 3, "URL_DECODE"), "GET /%41b", true},

		{"chain in its order", byteStatement(query, "EXACTLY", "<", "URL_DECODE", "HTML_ENTITY_DECODE"), "GET /?%26lt;", true},
		{"chain in another", byteStatement(query, "EXACTLY", "<", "HTML_ENTITY_DECODE", "URL_DECODE"), "GET /?%26lt;", false},
		{"chain by priority", obj{"ByteMatchStatement": obj{"SearchString": b64("<"), "PositionalConstraint": "EXACTLY", "FieldToMatch": query,
			"TextTransformations": arr{obj{"Priority": 9, "Type": "HTML_ENTITY_DECODE"}, obj{"Priority": 3, "Type": "URL_DECODE"}}}}, "GET /?%26lt;", true},

		{"and", and(byteStatement(path, "CONTAINS", "pets"), byteStatement(query, "CONTAINS", "red")), plain, true},
		{"and not all", and(byteStatement(path, "CONTAINS", "pets"), byteStatement(query, "CONTAINS", "green")), plain, false},
		{"or", or(byteStatement(path, "CONTAINS", "cats"), byteStatement(query, "CONTAINS", "red")), plain, true},
		{"or none", or(byteStatement(path, "CONTAINS", "cats"), byteStatement(query, "CONTAINS", "green")), plain, false},
		{"not", negate(byteStatement(path, "CONTAINS", "cats")), plain, true},
		{"not what is not there", negate(byteStatement(single("X-B"), "CONTAINS", "cats")), plain, true},
	} {
		if got := w.blocks(t, tc.statement, requestOf(t, tc.request)); got != tc.want {
			t.Errorf("%s: matched %v, want %v", tc.name, got, tc.want)
		}
	}
}

// The method is what the request is served by, not what the request line says.
func TestMethodIsTheOneServed(t *testing.T) {
	in := requestOf(t, "POST /x\nX-HTTP-Method-Override: DELETE")
	in.Method = []byte("DELETE")
	if !newWorld().blocks(t, byteStatement(method, "EXACTLY", "DELETE"), in) {
		t.Error("a DELETE was let pass")
	}
	if in.Method = nil; !newWorld().blocks(t, byteStatement(method, "EXACTLY", "POST"), in) {
		t.Error("without an override the method is not the request's")
	}
}

func TestAddresses(t *testing.T) {
	w := newWorld()
	for addr, want := range map[string]bool{
		"192.0.2.1": true, "192.0.3.1": false, "2001:db8:bad::1": true, "2001:db8:bae::1": false,
		"::ffff:192.0.2.1": true, "2001:db8:bad::1%eth0": true,
	} {
		if got := w.blocks(t, setStatement("bad"), from(requestOf(t, "GET /"), addr)); got != want {
			t.Errorf("%s: blocked %v, want %v", addr, got, want)
		}
	}
}
