package waf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

const (
	second  = int64(1e9)
	region  = "us-east-1"
	account = "000000000000"
)

// Documents are written in short.
type (
	obj map[string]any
	arr []any
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func transformations(names ...string) arr {
	if len(names) == 0 {
		names = []string{"NONE"}
	}
	var all arr
	for i, name := range names {
		all = append(all, obj{"Priority": i, "Type": name})
	}
	return all
}

func byteStatement(field obj, where, needle string, chain ...string) obj {
	return obj{"ByteMatchStatement": obj{
		"SearchString": b64(needle), "PositionalConstraint": where, "FieldToMatch": field, "TextTransformations": transformations(chain...),
	}}
}

func regexStatement(field obj, pattern string, chain ...string) obj {
	return obj{"RegexMatchStatement": obj{"RegexString": pattern, "FieldToMatch": field, "TextTransformations": transformations(chain...)}}
}

func sizeStatement(field obj, operator string, size int, chain ...string) obj {
	return obj{"SizeConstraintStatement": obj{"ComparisonOperator": operator, "Size": size, "FieldToMatch": field, "TextTransformations": transformations(chain...)}}
}

func setStatement(set string) obj { return obj{"IPSetReferenceStatement": obj{"ARN": set}} }

func and(all ...any) obj { return obj{"AndStatement": obj{"Statements": arr(all)}} }
func or(all ...any) obj  { return obj{"OrStatement": obj{"Statements": arr(all)}} }
func negate(one any) obj { return obj{"NotStatement": obj{"Statement": one}} }

var (
	blockAction = obj{"Block": obj{}}
	allowAction = obj{"Allow": obj{}}
	countAction = obj{"Count": obj{}}
)

// ruleOf is a rule whose name says its priority.
func ruleOf(priority int, statement any, action obj, labels ...string) obj {
	r := obj{"Name": fmt.Sprintf("rule%d", priority), "Priority": priority, "Statement": statement, "Action": action}
	if len(labels) > 0 {
		var list arr
		for _, l := range labels {
			list = append(list, obj{"Name": l})
		}
		r["RuleLabels"] = list
	}
	return r
}

func rules(all ...any) obj { return obj{"DefaultAction": allowAction, "Rules": append(arr{}, all...)} }

func definitionOf(t testing.TB, document any) *definition.WebACL {
	t.Helper()
	text, ok := document.(string)
	if !ok {
		b, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	return &definition.WebACL{ID: "acl-id", Name: "shop", Document: text}
}

func ipSetOf(id string, prefixes ...string) *definition.IPSet {
	var list []netip.Prefix
	for _, p := range prefixes {
		list = append(list, netip.MustParsePrefix(p))
	}
	addresses, err := definition.NewPrefixes(list)
	if err != nil {
		panic(err)
	}
	return &definition.IPSet{ID: id, Name: "name-" + id, IPAddressVersion: definition.IPv4, Addresses: addresses}
}

// world is what ACLs of a test are compiled with.
type world struct {
	ipSets   map[string]*definition.IPSet
	patterns map[string]*definition.RegexPatternSet
	Options
}

func newWorld() *world {
	return &world{
		ipSets: map[string]*definition.IPSet{
			"bad":  ipSetOf("bad", "192.0.2.0/24", "2001:db8:bad::/48"),
			"good": ipSetOf("good", "198.51.100.0/24", "2001:db8:900d::/48"),
		},
		patterns: map[string]*definition.RegexPatternSet{
			"words": {ID: "words", Name: "name-words", RegularExpressions: []string{`\bevil\b`, `^/admin`}},
		},
		Options: Options{Store: NewStore(Settings{Shards: 2, RateKeys: 1024}), Region: region, Account: account},
	}
}

func (w *world) compile(t testing.TB, document any) *ACL {
	t.Helper()
	a, err := Compile(definitionOf(t, document), w.ipSets, w.patterns, w.Options)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// requestOf parses a request: the request line without version, fields, an empty
// line, the body. Content-Length is added.
func requestOf(t testing.TB, text string) *Input {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	raw := lines[0] + " HTTP/1.1\r\n"
	if !strings.Contains(strings.ToLower(head), "\nhost:") {
		raw += "Host: api.example.com\r\n"
	}
	for _, line := range lines[1:] {
		raw += line + "\r\n"
	}
	if body != "" {
		raw += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	raw += "\r\n"
	in, fault := parsed([]byte(raw), []byte(body))
	if fault != 0 {
		t.Fatalf("%q: %v", text, fault)
	}
	return in
}

var limits = http1.Limits{Target: 1 << 20, Header: 1 << 20, Count: 1000}

func parsed(head, body []byte) (*Input, http1.Fault) {
	r := &http1.Request{}
	fault := r.Parse(head, limits)
	in := &Input{Request: r, Method: r.Method, Source: netip.MustParseAddrPort("203.0.113.7:50000")}
	if len(body) > 0 {
		in.HaveBody, in.MayBlock = true, true
		in.Body = body
		if len(body) > DefaultBodyBytes {
			in.Body, in.BodyCut = body[:DefaultBodyBytes], true
		}
	}
	return in, fault
}

func from(in *Input, addr string) *Input {
	in.Source = netip.AddrPortFrom(netip.MustParseAddr(addr), 50000)
	return in
}

// blocks says whether a statement matches, as that of the only rule.
func (w *world) blocks(t testing.TB, statement any, in *Input) bool {
	t.Helper()
	v := w.compile(t, rules(ruleOf(0, statement, blockAction))).Inspect(in, second)
	if v.Outcome != Allowed && v.Outcome != Blocked {
		t.Fatalf("outcome %d", v.Outcome)
	}
	return v.Outcome == Blocked
}

// said is a verdict in one line.
func said(a *ACL, v *Verdict) string {
	var b bytes.Buffer
	fmt.Fprint(&b, [...]string{"unfinished", "allowed", "blocked", "unavailable"}[v.Outcome], " by ", a.Rule(v))
	var counted, labels []string
	a.Counted(v, func(name string) { counted = append(counted, name) })
	a.Labels(v, func(label []byte) { labels = append(labels, strings.TrimPrefix(string(label), "awswaf:")) })
	slices.Sort(labels)
	if len(counted) > 0 {
		fmt.Fprint(&b, " counted ", strings.Join(counted, ","))
	}
	if len(labels) > 0 {
		fmt.Fprint(&b, " labels ", strings.Join(labels, ","))
	}
	return b.String()
}
