package waf

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gaissmai/bart"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// ordinary is a request of a browser that does nothing wrong.
const ordinary = "GET /prod/orders/17/items/red-shoes?page=2&limit=50&sort=-created_at&filter=price\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\n" +
	"Accept-Language: en-US,en;q=0.5\nAccept-Encoding: gzip, deflate, br\n" +
	"Referer: https://shop.example.com/orders\nCookie: session=9f86d081884c7d65; theme=dark; _ga=GA1.2.1234567890.1700000000\n" +
	"Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"

func randomPrefixes(r *rand.Rand, n int) []netip.Prefix {
	list := make([]netip.Prefix, n)
	for i := range list {
		if i%4 == 3 {
			var a [16]byte
			a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7] = 0x20, 0x01, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())
			list[i] = netip.PrefixFrom(netip.AddrFrom16(a), 40+r.IntN(25))
			continue
		}
		list[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(11 + r.IntN(150)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}), 20+r.IntN(13))
	}
	return list
}

var needles = strings.Fields(`<script javascript: onerror= onload= alert( document.cookie union select insert into drop table information_schema sleep( benchmark(
	/etc/passwd /etc/shadow ../.. ..\\ /proc/self .git/ .env .htaccess wp-admin wp-login phpmyadmin /cgi-bin/ .php .asp .jsp .bak ${jndi: ldap:// cmd.exe powershell
	/bin/sh /bin/bash wget curl nc -e eval( base64_decode system( passthru( <?php %00 0x3c `)

// hundredRules are address sets, rates, strings, expressions and sizes, none of
// which the ordinary request matches.
func hundredRules(t testing.TB, w *world) obj {
	r := rand.New(rand.NewPCG(1, 2))
	var all []any
	add := func(statement obj, action obj) { all = append(all, ruleOf(len(all), statement, action)) }
	for i := range 10 {
		addresses, err := definition.NewPrefixes(randomPrefixes(r, 100_000))
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint("large", i)
		w.ipSets[id] = &definition.IPSet{ID: id, Name: id, Addresses: addresses}
		add(setStatement(id), blockAction)
	}
	add(rateStatement(2000, 60, "IP", nil), blockAction)
	add(rateStatement(1_000_000, 300, "IP", obj{"ScopeDownStatement": byteStatement(method, "EXACTLY", "POST")}), blockAction)
	add(rateStatement(1_000_000, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"Header": obj{"Name": "Authorization", "TextTransformations": transformations()}}}}), countAction)
	add(rateStatement(1_000_000_000, 60, "CONSTANT", obj{"ScopeDownStatement": byteStatement(path, "STARTS_WITH", "/prod")}), blockAction)
	for i := 0; len(all) < 84; i++ {
		needle := needles[i%len(needles)]
		field := []obj{query, path, single("User-Agent"), single("Referer")}[i/len(needles)%4]
		add(byteStatement(field, "CONTAINS", needle, "URL_DECODE", "LOWERCASE"), blockAction)
	}
	for _, where := range []string{"EXACTLY", "STARTS_WITH", "ENDS_WITH"} {
		add(byteStatement(path, where, "/admin"), blockAction)
		add(byteStatement(single("X-Debug"), where, "1"), blockAction)
	}
	add(sizeStatement(query, "GT", 2048), blockAction)
	add(sizeStatement(path, "GT", 1024), blockAction)
	add(sizeStatement(single("Cookie"), "GT", 8000), blockAction)
	add(regexStatement(path, `^/prod/(internal|private)/`), blockAction)
	add(regexStatement(single("User-Agent"), `^(curl|wget|python-requests)/`), blockAction)
	add(and(setStatement("bad"), negate(byteStatement(path, "STARTS_WITH", "/prod/public"))), blockAction)
	add(or(byteStatement(method, "EXACTLY", "TRACE"), byteStatement(method, "EXACTLY", "TRACK")), blockAction)
	for len(all) < 100 {
		add(obj{"LabelMatchStatement": obj{"Scope": "LABEL", "Key": fmt.Sprint("label", len(all))}}, blockAction)
	}
	return rules(all...)
}

func TestInspectAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	w := geoWorld(t)
	w.Store = NewStore(Settings{Shards: 1})
	w.TrustedProxies = ipPrefixes("10.0.0.0/8")
	document := hundredRules(t, w)
	document["Rules"] = append(document["Rules"].(arr),
		ruleOf(200, obj{"GeoMatchStatement": obj{"CountryCodes": arr{"FR"}}}, countAction),
		ruleOf(201, obj{"IPSetReferenceStatement": obj{"ARN": "bad", "IPSetForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "ANY"}}}, countAction),
		ruleOf(202, byteStatement(pairs("Headers", "All", nil, "ALL", "CONTINUE"), "CONTAINS", "nothing", "URL_DECODE_UNI", "HTML_ENTITY_DECODE", "CMD_LINE"), blockAction),
		ruleOf(203, byteStatement(pairs("Cookies", "All", nil, "ALL", "CONTINUE"), "CONTAINS", "nothing", "JS_DECODE", "BASE64_DECODE_EXT"), blockAction),
		ruleOf(204, byteStatement(arguments, "CONTAINS", "nothing", "UTF8_TO_UNICODE", "NORMALIZE_PATH"), blockAction),
		ruleOf(205, byteStatement(argument("PAGE"), "EXACTLY", "2"), countAction, "paged"),
		ruleOf(206, obj{"LabelMatchStatement": obj{"Scope": "NAMESPACE", "Key": "awswaf:clientip:geo:"}}, countAction),
		ruleOf(207, byteStatement(path, "STARTS_WITH", "/prod"), countAction, "prod"),
	)
	a := w.compile(t, document)
	in := requestOf(t, ordinary+"\nX-Forwarded-For: 192.0.2.5, 10.0.0.9")
	now := second
	for name, source := range map[string]string{"a stranger": "198.51.100.7", "a trusted proxy": "10.0.0.1", "IPv6": "2001:db8::1"} {
		in.Source = netip.AddrPortFrom(netip.MustParseAddr(source), 1)
		if v := a.Inspect(in, now); v.Outcome != Allowed {
			t.Fatalf("%s: %s", name, said(a, &v))
		}
		n := testing.AllocsPerRun(100, func() {
			now += second / 1000
			if v := a.Inspect(in, now); v.Outcome != Allowed {
				t.Fatal(said(a, &v))
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	// Neither does a block.
	in.Request = requestOf(t, "GET /prod/x?q=union").Request
	if n := testing.AllocsPerRun(100, func() {
		if v := a.Inspect(in, now); v.Outcome != Blocked {
			t.Fatal(said(a, &v))
		}
	}); n != 0 {
		t.Errorf("blocked: %v allocations", n)
	}
}

func BenchmarkInspect100Rules(b *testing.B) {
	w := newWorld()
	w.Store = NewStore(Settings{Shards: 1})
	a := w.compile(b, hundredRules(b, w))
	in := requestOf(b, ordinary)
	addrs := make([]netip.AddrPort, 4096)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range addrs { // of none of the sets
		addrs[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(200 + r.IntN(20)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}), 1)
	}
	now, i := second, 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		now += 50_000
		in.Source = addrs[i%len(addrs)]
		if v := a.Inspect(in, now); v.Outcome != Allowed {
			b.Fatal(said(a, &v))
		}
	}
}

// What each kind of rule costs: 10 of them, on the ordinary request.
func BenchmarkTenRules(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	w := newWorld()
	w.Store = NewStore(Settings{Shards: 1})
	for i := range 10 {
		addresses, _ := definition.NewPrefixes(randomPrefixes(r, 100_000))
		id := fmt.Sprint("large", i)
		w.ipSets[id] = &definition.IPSet{ID: id, Name: id, Addresses: addresses}
	}
	for _, kind := range []struct {
		name      string
		statement func(i int) obj
	}{
		{"none", nil},
		{"sets-of-100000", func(i int) obj { return setStatement(fmt.Sprint("large", i)) }},
		{"rates", func(i int) obj { return rateStatement(1_000_000+i, 60, "IP", nil) }},
		{"strings-in-one-view", func(i int) obj { return byteStatement(query, "CONTAINS", needles[i], "URL_DECODE", "LOWERCASE") }},
		{"strings-in-ten-views", func(i int) obj { return byteStatement(single(fmt.Sprint("X-", i)), "CONTAINS", needles[i]) }},
		{"expressions", func(i int) obj { return regexStatement(path, fmt.Sprintf(`^/prod/(internal|private)%d/`, i)) }},
		{"free-expressions", func(i int) obj {
			return regexStatement(single("User-Agent"), fmt.Sprintf(`(?i)(bot|crawler|spider)%d`, i))
		}},
		{"labels", func(i int) obj { return obj{"LabelMatchStatement": obj{"Scope": "LABEL", "Key": "x"}} }},
	} {
		var all []any
		for i := range 10 {
			if kind.statement != nil {
				all = append(all, ruleOf(i, kind.statement(i), blockAction))
			}
		}
		a := w.compile(b, rules(all...))
		in := requestOf(b, ordinary)
		b.Run(kind.name, func(b *testing.B) {
			now := second
			for b.Loop() {
				now += 50_000
				a.Inspect(in, now)
			}
		})
	}
}

// A look-up among 100,000 prefixes, of addresses that are spread.
func BenchmarkLookup100000(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	table := new(bart.Lite)
	for _, p := range randomPrefixes(r, 100_000) {
		table.Insert(p.Masked())
	}
	addrs := make([]netip.Addr, 1<<14)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{byte(1 + r.IntN(200)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
	}
	i := 0
	for b.Loop() {
		table.Contains(addrs[i%len(addrs)])
		i++
	}
}

// Forty strings looked for in a query, one after the other or as one expression.
func BenchmarkStrings(b *testing.B) {
	text := []byte("page=2&limit=50&sort=-created_at&filter=price")
	b.Run("index", func(b *testing.B) {
		all := make([][]byte, len(needles))
		for i, n := range needles {
			all[i] = []byte(n)
		}
		for b.Loop() {
			for _, n := range all {
				if bytes.Contains(text, n) {
					b.Fatal(n)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(all)), "ns/string")
	})
	b.Run("expression", func(b *testing.B) {
		quoted := make([]string, len(needles))
		for i, n := range needles {
			quoted[i] = regexp.QuoteMeta(n)
		}
		re := regexp.MustCompile(strings.Join(quoted, "|"))
		for b.Loop() {
			re.Match(text)
		}
	})
}

// The rules of the Core Rule Set by way of an ACL, as a ratio to their engine
// alone: in turns, since a machine is not always as fast.
func BenchmarkManagedRules(b *testing.B) {
	a := newWorld().compile(b, rules(managedRule(1, "OWASP", "CoreRuleSet", "None", nil)))
	body := `{"customer":{"name":"Ada Lovelace","email":"ada@example.com"},"items":[` + strings.Repeat(`{"sku":"A-1001","quantity":2,"price":19.99},`, 20) + `{"sku":"Z"}]}`
	in := requestOf(b, "POST /prod/orders\nUser-Agent: Mozilla/5.0\nAccept: */*\nContent-Type: application/json\n\n"+body)
	engine := a.engines[0]
	a.Inspect(in, second)
	alone := in.forEngine()
	var byACL, byEngine time.Duration
	for b.Loop() {
		start := time.Now()
		if v := a.Inspect(in, second); v.Outcome != Allowed {
			b.Fatal(said(a, &v))
		}
		between := time.Now()
		if r, err := engine.Inspect(context.Background(), alone); err != nil || r.Blocked {
			b.Fatal(r, err)
		}
		byACL += between.Sub(start)
		byEngine += time.Since(between)
	}
	b.ReportMetric(float64(byACL)/float64(byEngine), "of-engine")
}
