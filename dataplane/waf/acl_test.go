package waf

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestRulesDecideInTheirOrder(t *testing.T) {
	pets, red := byteStatement(path, "CONTAINS", "pets"), byteStatement(query, "CONTAINS", "red")
	label := func(scope, key string) obj { return obj{"LabelMatchStatement": obj{"Scope": scope, "Key": key}} }
	const prefix = "000000000000:webacl:shop:"
	for _, tc := range []struct {
		name     string
		document obj
		want     string
	}{
		{"no rules", rules(), "allowed by "},
		{"default block", obj{"DefaultAction": blockAction}, "blocked by "},
		{"lowest priority first", rules(ruleOf(9, pets, allowAction), ruleOf(2, red, blockAction)), "blocked by rule2"},
		{"the first that matches ends it", rules(ruleOf(1, pets, allowAction), ruleOf(2, red, blockAction)), "allowed by rule1"},
		{"count goes on", rules(ruleOf(1, pets, countAction), ruleOf(2, red, countAction), ruleOf(3, red, blockAction)), "blocked by rule3 counted rule1,rule2"},
		{"count to the default", rules(ruleOf(1, pets, countAction)), "allowed by  counted rule1"},
		{"allow over a default block", obj{"DefaultAction": blockAction, "Rules": arr{ruleOf(1, pets, allowAction)}}, "allowed by rule1"},
		{"labels of what matched", rules(ruleOf(1, pets, countAction, "animal", "kind:pet"), ruleOf(2, byteStatement(path, "CONTAINS", "cars"), countAction, "car")),
			"allowed by  counted rule1 labels " + prefix + "animal," + prefix + "kind:pet"},
		{"labels of who decides", rules(ruleOf(1, pets, blockAction, "animal")), "blocked by rule1 labels " + prefix + "animal"},
		{"label is seen later", rules(ruleOf(1, pets, countAction, "ns:animal"), ruleOf(2, label("LABEL", "animal"), blockAction)), "blocked by rule2 counted rule1 labels " + prefix + "ns:animal"},
		{"label is not seen earlier", rules(ruleOf(3, pets, countAction, "animal"), ruleOf(2, label("LABEL", "animal"), blockAction)), "allowed by  counted rule3 labels " + prefix + "animal"},
		{"label and something else", rules(ruleOf(1, pets, countAction, "animal"), ruleOf(2, and(label("LABEL", "animal"), negate(red)), blockAction)), "allowed by  counted rule1 labels " + prefix + "animal"},
	} {
		a := newWorld().compile(t, tc.document)
		v := a.Inspect(requestOf(t, "GET /pets?color=red"), second)
		if got := said(a, &v); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// AWS's examples of what label match statements match, and more of the kind.
func TestLabelMatch(t *testing.T) {
	const local = "awswaf:111122223333:webacl:testWebACL:"
	for _, tc := range []struct {
		scope, key, label string
		want              bool
	}{
		{"LABEL", "header:encoding:utf8", local + "header:encoding:utf8", true},
		{"LABEL", "header:encoding:utf8", local + "testNS1:testNS2:header:encoding:utf8", true},
		{"LABEL", "header:encoding:utf8", local + "header:encoding2:utf8", false},
		{"LABEL", "header:encoding:utf8", "awswaf:111122223333:rulegroup:productionRules:header:encoding:utf8", false},
		{"LABEL", "awswaf:111122223333:rulegroup:testRules:header:encoding:utf8", "awswaf:111122223333:rulegroup:testRules:header:encoding:utf8", true},
		{"LABEL", "awswaf:managed:aws:managed-rule-set:header:encoding:utf8", "awswaf:managed:aws:managed-rule-set:header:encoding:utf8", true},
		{"LABEL", "awswaf:managed:aws:managed-rule-set:encoding:utf8", "awswaf:managed:aws:managed-rule-set:header:encoding:utf8", false},
		{"LABEL", "utf8", local + "header:encoding:utf8", true},
		{"LABEL", "tf8", local + "header:encoding:utf8", false},
		{"LABEL", "header", local + "header:encoding:utf8", false},
		{"NAMESPACE", "header:encoding:", local + "header:encoding:utf8", true},
		{"NAMESPACE", "header:encoding", local + "header:encoding:utf8", true},
		{"NAMESPACE", "encoding:", local + "header:encoding:utf8", true},
		{"NAMESPACE", "header:", local + "header:encoding:utf8", true},
		{"NAMESPACE", "eader:", local + "header:encoding:utf8", false},
		{"NAMESPACE", "utf8:", local + "header:encoding:utf8", false},
		{"NAMESPACE", "header:encoding:", "awswaf:444455556666:webacl:testWebACL:header:encoding:utf8", false},
		{"NAMESPACE", "header:encoding:", "awswaf:managed:aws:managed-rule-set:header:encoding:utf8", false},
		{"NAMESPACE", "awswaf:managed:aws:managed-rule-set:header:", "awswaf:managed:aws:managed-rule-set:header:encoding:unicode", true},
		{"NAMESPACE", "awswaf:managed:aws:managed-rule-set:header:", "awswaf:managed:aws:managed-rule-set:query:badstring", false},
	} {
		c := &compiler{acl: &ACL{labelPrefix: local}}
		m := c.labelMatch(value{kind: isObject, members: map[string]value{"Scope": {kind: isString, text: tc.scope}, "Key": {kind: isString, text: tc.key}}}).(*labelMatch)
		if c.err != nil {
			t.Fatal(c.err)
		}
		if got := m.matchesLabel(tc.label); got != tc.want {
			t.Errorf("%s %s of %s: %v, want %v", tc.scope, tc.key, tc.label, got, tc.want)
		}
	}
}

func TestCustomResponse(t *testing.T) {
	a := newWorld().compile(t, obj{
		"DefaultAction":        obj{"Block": obj{"CustomResponse": obj{"ResponseCode": 404}}},
		"CustomResponseBodies": obj{"sorry": obj{"ContentType": "APPLICATION_JSON", "Content": `{"sorry":true}`}},
		"Rules": arr{
			ruleOf(1, byteStatement(path, "CONTAINS", "pets"), obj{"Block": obj{"CustomResponse": obj{
				"ResponseCode": 429, "CustomResponseBodyKey": "sorry", "ResponseHeaders": arr{obj{"Name": "X-Why", "Value": "pets"}, obj{"Name": "Retry-After", "Value": "60"}},
			}}}),
			ruleOf(2, byteStatement(path, "CONTAINS", "cars"), blockAction),
		},
	})
	v := a.Inspect(requestOf(t, "GET /pets"), second)
	if r := v.Response; r == nil || r.Status != 429 || string(r.Fields) != "X-Why: pets\r\nRetry-After: 60\r\n" || r.ContentType != "application/json" || string(r.Body) != `{"sorry":true}` {
		t.Errorf("%+v", v.Response)
	}
	if v = a.Inspect(requestOf(t, "GET /cars"), second); v.Response != nil {
		t.Errorf("%+v", v.Response)
	}
	if v = a.Inspect(requestOf(t, "GET /"), second); v.Response == nil || v.Response.Status != 404 || v.Response.Body != nil || a.Rule(&v) != "" {
		t.Errorf("%+v", v.Response)
	}
}

// What the kernel gate may be told of.
func TestOwnAddress(t *testing.T) {
	forwarded := obj{"IPSetReferenceStatement": obj{"ARN": "bad", "IPSetForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "ANY"}}}
	rate := func(kind string) obj {
		r := obj{"Limit": 10, "AggregateKeyType": kind}
		if kind == "FORWARDED_IP" {
			r["ForwardedIPConfig"] = obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}
		}
		if kind == "CUSTOM_KEYS" {
			r["CustomKeys"] = arr{obj{"IP": obj{}}, obj{"HTTPMethod": obj{}}}
		}
		if kind == "CONSTANT" {
			r["ScopeDownStatement"] = byteStatement(path, "STARTS_WITH", "/")
		}
		return obj{"RateBasedStatement": r}
	}
	everything := byteStatement(path, "STARTS_WITH", "/")
	for _, tc := range []struct {
		name      string
		statement obj
		source    string
		want      bool
	}{
		{"IP set", setStatement("bad"), "192.0.2.1", true},
		{"one of two IP sets", or(setStatement("good"), setStatement("bad")), "192.0.2.1", true},
		{"IP set of a proxy", setStatement("bad"), "192.0.2.99", false},
		{"IP set and the path", and(setStatement("bad"), everything), "192.0.2.1", false},
		{"IP set or the path", or(setStatement("bad"), everything), "192.0.2.1", false},
		{"not in an IP set", negate(setStatement("good")), "192.0.2.1", false},
		{"forwarded IP set", forwarded, "192.0.2.99", false},
		{"path", everything, "192.0.2.1", false},
		{"rate by IP", rate("IP"), "192.0.2.1", true},
		{"rate by IP of a proxy", rate("IP"), "192.0.2.99", false},
		{"rate by forwarded IP", rate("FORWARDED_IP"), "192.0.2.1", false},
		{"rate by IP and method", rate("CUSTOM_KEYS"), "192.0.2.1", false},
		{"rate of all", rate("CONSTANT"), "192.0.2.1", false},
	} {
		w := newWorld()
		w.TrustedProxies = ipPrefixes("192.0.2.99/32")
		a := w.compile(t, rules(ruleOf(1, tc.statement, blockAction)))
		var v Verdict
		for range 11 {
			v = a.Inspect(from(requestOf(t, "GET /\nX-Forwarded-For: 192.0.2.5"), tc.source), 100*second)
		}
		if v.Outcome != Blocked || v.OwnAddress != tc.want {
			t.Errorf("%s: %s, own address %v, want %v", tc.name, said(a, &v), v.OwnAddress, tc.want)
		}
		if isRate := strings.HasPrefix(tc.name, "rate"); (v.Until > 100*second) != isRate {
			t.Errorf("%s: until %d", tc.name, v.Until)
		}
	}
}

func TestKernelGate(t *testing.T) {
	w := newWorld()
	gate := ipSetOf("gate", "192.0.2.0/25", "10.0.0.0/8")
	gate.KernelGate = true
	w.ipSets["gate"] = gate
	for _, good := range []obj{setStatement("gate"), or(setStatement("bad"), setStatement("gate"))} {
		a := w.compile(t, rules(ruleOf(1, good, blockAction)))
		if v := a.Inspect(from(requestOf(t, "GET /"), "10.1.1.1"), second); v.Outcome != Blocked || !v.OwnAddress {
			t.Errorf("%+v", v.Outcome)
		}
	}
	forwarded := obj{"IPSetReferenceStatement": obj{"ARN": "gate", "IPSetForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH", "Position": "FIRST"}}}
	for name, bad := range map[string]obj{
		"allow":     ruleOf(1, setStatement("gate"), allowAction),
		"count":     ruleOf(1, setStatement("gate"), countAction),
		"not":       ruleOf(1, negate(setStatement("gate")), blockAction),
		"and":       ruleOf(1, and(setStatement("gate"), setStatement("bad")), blockAction),
		"forwarded": ruleOf(1, forwarded, blockAction),
		"rate": ruleOf(1, obj{"RateBasedStatement": obj{"Limit": 10, "AggregateKeyType": "IP",
			"ScopeDownStatement": setStatement("gate")}}, blockAction),
	} {
		_, err := Compile(definitionOf(t, rules(bad)), w.ipSets, nil, w.Options)
		if err == nil || !strings.Contains(err.Error(), "the IP set name-gate keeps its addresses out of the whole host") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	denied := Denied(w.ipSets)
	if len(denied) != 1 || denied[0].Set != gate || !slices.Equal(denied[0].Prefixes, ipPrefixes("10.0.0.0/8", "192.0.2.0/25")) {
		t.Errorf("denied %+v", denied)
	}
}

func TestStatsAndSamples(t *testing.T) {
	w := newWorld()
	quiet := ruleOf(3, byteStatement(path, "EXACTLY", "/quiet"), blockAction)
	quiet["VisibilityConfig"] = obj{"SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": true, "MetricName": "Quiet"}
	document := rules(ruleOf(1, byteStatement(path, "CONTAINS", "pets"), countAction), ruleOf(2, byteStatement(path, "EXACTLY", "/pets/1"), blockAction), quiet,
		ruleOf(4, byteStatement(path, "EXACTLY", "/vip"), allowAction))
	a := w.compile(t, document)
	now := second
	for shard, targets := range [][]string{{"/pets/1", "/pets/2", "/quiet"}, {"/vip", "/", "/pets/3?x=" + strings.Repeat("y", 300)}} {
		for _, target := range targets {
			in := requestOf(t, "GET "+target)
			in.Shard = shard
			now += second
			a.Inspect(in, now)
		}
	}
	in := requestOf(t, "GET /pets/1")
	in.MayBlock = true // counted beside the event loops
	a.Inspect(in, now)

	want := []RuleStats{
		{Name: "rule1", Metric: "rule1", Counted: 4}, {Name: "rule2", Metric: "rule2", Blocked: 2}, {Name: "rule3", Metric: "Quiet", Blocked: 1},
		{Name: "rule4", Metric: "rule4", Allowed: 1}, {Allowed: 3},
	}
	if got := a.Stats(); !slices.Equal(got, want) {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if got := w.compile(t, document).Stats(); !slices.Equal(got, want) {
		t.Errorf("stats after a deployment %+v", got)
	}
	samples := a.Samples()
	if len(samples) != 10 || !slices.IsSortedFunc(samples, func(a, b Sample) int { return int(b.At - a.At) }) {
		t.Fatalf("%d samples: %+v", len(samples), samples)
	}
	s := samples[len(samples)-1]
	if first := samples[len(samples)-2:]; !slices.ContainsFunc(first, func(s Sample) bool { return s.Rule == "rule2" && s.Action == "BLOCK" && s.URI == "/pets/1" }) {
		t.Errorf("oldest samples %+v", first)
	}
	if s.At != 2*second || s.Method != "GET" || s.Host != "api.example.com" || s.Source.String() != "203.0.113.7" {
		t.Errorf("sample %+v", s)
	}
	for _, s := range samples {
		if s.Rule == "rule3" || len(s.URI) > 256 {
			t.Errorf("sample %+v", s)
		}
	}
	for range 1000 { // a moment later, all at once
		a.Inspect(requestOf(t, "GET /pets/1"), now+1)
	}
	if n := len(a.Samples()); n > len(samples)+2 {
		t.Errorf("%d samples more", n-len(samples))
	}
}

// An ACL is compiled again when one of the sets that it names is another.
func TestMadeOf(t *testing.T) {
	w := newWorld()
	w.ipSets["other"] = ipSetOf("other", "10.0.0.0/8")
	w.patterns["p"] = &definition.RegexPatternSet{ID: "p", Name: "p", RegularExpressions: []string{"a+"}}
	w.patterns["q"] = &definition.RegexPatternSet{ID: "q", Name: "q", RegularExpressions: []string{"b+"}}
	def := definitionOf(t, rules(ruleOf(1, setStatement("bad"), blockAction), ruleOf(2, setStatement("bad"), countAction),
		ruleOf(3, obj{"RegexPatternSetReferenceStatement": obj{"ARN": "p", "FieldToMatch": path, "TextTransformations": transformations()}}, countAction)))
	a, err := Compile(def, w.ipSets, w.patterns, w.Options)
	if err != nil {
		t.Fatal(err)
	}
	if a.ARN() != "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/acl-id" || len(a.IPSets()) != 1 || len(a.RegexPatternSets()) != 1 {
		t.Errorf("%s, %d and %d sets", a.ARN(), len(a.IPSets()), len(a.RegexPatternSets()))
	}
	again := *def
	for name, c := range map[string]struct {
		change func()
		want   bool
	}{
		"as it was":             {func() {}, true},
		"another set":           {func() { w.ipSets["other"] = ipSetOf("other", "10.1.0.0/16") }, true},
		"another pattern set":   {func() { delete(w.patterns, "q") }, true},
		"the definition":        {func() { def = &again }, false},
		"the IP set":            {func() { w.ipSets["bad"] = ipSetOf("bad", "192.0.2.0/24") }, false},
		"no IP set any more":    {func() { delete(w.ipSets, "bad") }, false},
		"the regex pattern set": {func() { p := *w.patterns["p"]; w.patterns["p"] = &p }, false},
	} {
		d, ipSets, patterns := def, maps.Clone(w.ipSets), maps.Clone(w.patterns)
		c.change()
		if got := a.MadeOf(def, w.ipSets, w.patterns); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		def, w.ipSets, w.patterns = d, ipSets, patterns
	}
}

func TestCheckPatterns(t *testing.T) {
	for want, expressions := range map[string][]string{
		"": {"a+", "(?i)b"},
		"regularExpressionList: the set s must have 1 to 100 expressions, and has 0":                 nil,
		"regularExpressionList: expression 1 of the set s must have 1 to 512 bytes, and has 0":       {"a", ""},
		"regularExpressionList: expression 0 of the set s must have 1 to 512 bytes, and has 513":     {strings.Repeat("a", 513)},
		"regularExpressionList: \"(?=a)\": error parsing regexp: invalid or unsupported Perl syntax": {"a", "(?=a)"},
	} {
		err := CheckPatterns(&definition.RegexPatternSet{Name: "s", RegularExpressions: expressions})
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%.40q: %v, want %s", expressions, err, want)
		}
	}
}

// A set is named by its ARN, its id or its name.
func TestReferences(t *testing.T) {
	w := newWorld()
	for _, reference := range []string{"bad", "name-bad", "arn:aws:wafv2:us-east-1:000000000000:regional/ipset/name-bad/bad"} {
		a := w.compile(t, rules(ruleOf(1, setStatement(reference), blockAction)))
		if v := a.Inspect(from(requestOf(t, "GET /"), "192.0.2.1"), second); v.Outcome != Blocked || a.IPSets()[0].ID != "bad" {
			t.Errorf("%s: %s", reference, said(a, &v))
		}
	}
}
