package waf

import (
	"strings"
	"testing"
)

func TestCompileRefuses(t *testing.T) {
	w := newWorld()
	w.ipSets["named"] = ipSetOf("named", "10.0.0.0/8")
	with := func(statement any) obj { return rules(ruleOf(0, statement, blockAction)) }
	match := func(change func(m obj)) obj {
		s := byteStatement(path, "CONTAINS", "x")
		change(s["ByteMatchStatement"].(obj))
		return with(s)
	}
	rule := func(change func(r obj)) obj {
		r := ruleOf(0, byteStatement(path, "CONTAINS", "x"), blockAction)
		change(r)
		return rules(r)
	}
	rate := func(change func(r obj)) obj {
		s := rateStatement(10, 60, "IP", nil)
		change(s["RateBasedStatement"].(obj))
		return with(s)
	}
	managed := func(change func(m obj)) obj {
		m := obj{"VendorName": "OWASP", "Name": "CoreRuleSet"}
		change(m)
		return rules(obj{"Name": "m", "Priority": 0, "Statement": obj{"ManagedRuleGroupStatement": m}, "OverrideAction": obj{"None": obj{}}})
	}
	deep := any(byteStatement(path, "CONTAINS", "x"))
	for range 20 {
		deep = negate(deep)
	}
	response := func(r obj) obj {
		return obj{"DefaultAction": obj{"Block": obj{"CustomResponse": r}}, "CustomResponseBodies": obj{"b": obj{"ContentType": "TEXT_PLAIN", "Content": "x"}}}
	}
	const statement = "Rules[0].Statement."
	for name, tc := range map[string]struct {
		document any
		want     string
	}{
		"no JSON":            {`{`, `byte 1 of the document: unexpected end of JSON input`},
		"not UTF-8":          {"{\"a\":\"\xff\"}", `the document is not UTF-8`},
		"too long":           {strings.Repeat(" ", MaxDocumentBytes+1), `the document has 1048577 bytes, more than 1048576`},
		"too deep":           {strings.Repeat("[", 200) + strings.Repeat("]", 200), `nested too deeply`},
		"list":               {`[]`, `the document: must be an object`},
		"given twice":        {`{"DefaultAction":{"Allow":{}},"Rules":[{"Name":"a","Name":"b"}]}`, `Rules[0].Name: given twice`},
		"unknown member":     {`{"DefaultAction":{"Allow":{}},"Rule":[]}`, `Rule: is not supported here; what can be is DefaultAction, Rules,`},
		"no default":         {`{}`, `DefaultAction: is missing`},
		"two defaults":       {`{"DefaultAction":{"Allow":{},"Block":{}}}`, `DefaultAction: must have exactly one of Allow, Block`},
		"handling":           {`{"DefaultAction":{"Allow":{"CustomRequestHandling":{}}}}`, `DefaultAction.Allow.CustomRequestHandling: is not supported: requests go on as they came; leave it out`},
		"null":               {`{"DefaultAction":null}`, `DefaultAction: must be an object`},
		"rules":              {`{"DefaultAction":{"Allow":{}},"Rules":{}}`, `Rules: must be a list`},
		"no name":            {rule(func(r obj) { delete(r, "Name") }), `Rules[0].Name: is missing`},
		"bad name":           {rule(func(r obj) { r["Name"] = "a b" }), `Rules[0].Name: "a b" may have letters, digits, '_' and '-' only`},
		"no priority":        {rule(func(r obj) { delete(r, "Priority") }), `Rules[0].Priority: is missing`},
		"bad priority":       {rule(func(r obj) { r["Priority"] = 1.5 }), `Rules[0].Priority: must be a whole number from 0 to 2147483647`},
		"no statement":       {rule(func(r obj) { delete(r, "Statement") }), `Rules[0].Statement: is missing`},
		"no action":          {rule(func(r obj) { delete(r, "Action") }), `Rules[0].Action: is missing`},
		"captcha":            {rule(func(r obj) { r["Action"] = obj{"Captcha": obj{}} }), `Rules[0].Action.Captcha: is not supported: there are no tokens of browsers here; write Block or Count`},
		"challenge":          {rule(func(r obj) { r["Action"] = obj{"Challenge": obj{}} }), `Rules[0].Action.Challenge: is not supported`},
		"count with headers": {rule(func(r obj) { r["Action"] = obj{"Count": obj{"CustomRequestHandling": obj{}}} }), `Rules[0].Action.Count.CustomRequestHandling: is not supported`},
		"override":           {rule(func(r obj) { r["OverrideAction"] = obj{"None": obj{}} }), `Rules[0].OverrideAction: is for a ManagedRuleGroupStatement; write Action`},
		"reserved label":     {rule(func(r obj) { r["RuleLabels"] = arr{obj{"Name": "a:waf:b"}} }), `Rules[0].RuleLabels[0].Name: "waf" is a word that AWS reserves`},
		"empty label":        {rule(func(r obj) { r["RuleLabels"] = arr{obj{"Name": "a::b"}} }), `Rules[0].RuleLabels[0].Name: "a::b" must be names`},
		"deep label":         {rule(func(r obj) { r["RuleLabels"] = arr{obj{"Name": "a:b:c:d:e:f:g"}} }), `more than 5 namespaces`},
		"visibility":         {rule(func(r obj) { r["VisibilityConfig"] = obj{"SampledRequestsEnabled": "yes"} }), `Rules[0].VisibilityConfig.SampledRequestsEnabled: must be true or false`},
		"same name":          {rules(ruleOf(1, setStatement("bad"), blockAction), obj{"Name": "rule1", "Priority": 2, "Statement": setStatement("bad"), "Action": blockAction}), `Rules[1].Name: "rule1" is given twice`},
		"same priority":      {rules(ruleOf(1, setStatement("bad"), blockAction), obj{"Name": "x", "Priority": 1, "Statement": setStatement("bad"), "Action": blockAction}), `Rules[1].Priority: 1 is given twice`},
		"two statements":     {with(obj{"NotStatement": obj{}, "AndStatement": obj{}}), `Rules[0].Statement: must have exactly one of`},
		"unknown statement":  {with(obj{"FooStatement": obj{}}), statement + `FooStatement: is not supported here`},
		"sqli":               {with(obj{"SqliMatchStatement": obj{}}), statement + `SqliMatchStatement: is not supported; use a ManagedRuleGroupStatement of VendorName AWS and Name AWSManagedRulesSQLiRuleSet`},
		"xss":                {with(obj{"XssMatchStatement": obj{}}), statement + `XssMatchStatement: is not supported; use`},
		"rule group":         {with(obj{"RuleGroupReferenceStatement": obj{}}), statement + `RuleGroupReferenceStatement: is not supported; write the rules of the group into the web ACL`},
		"nested rate":        {with(negate(rateStatement(10, 60, "IP", nil))), statement + `NotStatement.Statement.RateBasedStatement: cannot be within another statement`},
		"nested managed":     {with(and(obj{"ManagedRuleGroupStatement": obj{}}, setStatement("bad"))), `Statements[0].ManagedRuleGroupStatement: cannot be within another statement`},
		"one of and":         {with(and(setStatement("bad"))), statement + `AndStatement.Statements: must have 2 to 100 items, and has 1`},
		"deep statement":     {with(deep), `is more than 16 statements deep`},
		"not base64":         {match(func(m obj) { m["SearchString"] = "bad bot" }), statement + `ByteMatchStatement.SearchString: "bad bot" is not in base64, as the AWS API has it; write "YmFkIGJvdA=="`},
		"long needle":        {match(func(m obj) { m["SearchString"] = b64(strings.Repeat("x", 201)) }), statement + `ByteMatchStatement.SearchString: has 201 bytes, more than 200`},
		"no word":            {match(func(m obj) { m["PositionalConstraint"], m["SearchString"] = "CONTAINS_WORD", b64("a-b") }), `"a-b" is no word`},
		"constraint":         {match(func(m obj) { m["PositionalConstraint"] = "INSIDE" }), statement + `ByteMatchStatement.PositionalConstraint: must be CONTAINS or CONTAINS_WORD or EXACTLY or STARTS_WITH or ENDS_WITH`},
		"no transformation":  {match(func(m obj) { m["TextTransformations"] = arr{} }), statement + `ByteMatchStatement.TextTransformations: must have 1 to 10 items, and has 0`},
		"unknown transform":  {match(func(m obj) { m["TextTransformations"] = arr{obj{"Priority": 0, "Type": "ROT13"}} }), `TextTransformations[0].Type: "ROT13" is no text transformation; there are NONE, BASE64_DECODE,`},
		"same transform prio": {match(func(m obj) {
			m["TextTransformations"] = arr{obj{"Priority": 1, "Type": "NONE"}, obj{"Priority": 1, "Type": "LOWERCASE"}}
		}), `TextTransformations[1].Priority: 1 is given twice`},
		"no field":        {match(func(m obj) { delete(m, "FieldToMatch") }), statement + `ByteMatchStatement.FieldToMatch: is missing`},
		"two fields":      {match(func(m obj) { m["FieldToMatch"] = obj{"UriPath": obj{}, "Method": obj{}} }), `FieldToMatch: must have exactly one of SingleHeader, Headers,`},
		"fingerprint":     {match(func(m obj) { m["FieldToMatch"] = obj{"JA3Fingerprint": obj{}} }), `FieldToMatch.JA3Fingerprint: is not supported here`},
		"field with more": {match(func(m obj) { m["FieldToMatch"] = obj{"UriPath": obj{"x": 1}} }), `FieldToMatch.UriPath.x: is not supported here; nothing is: write {}`},
		"oversize": {match(func(m obj) {
			m["FieldToMatch"] = obj{"Headers": obj{"MatchPattern": obj{"All": obj{}}, "MatchScope": "ALL"}}
		}), `FieldToMatch.Headers.OversizeHandling: must be CONTINUE or MATCH or NO_MATCH`},
		"pointer":            {match(func(m obj) { m["FieldToMatch"] = jsonField("ALL", nil, "a/b") }), `IncludedPaths[0]: "a/b" is no JSON Pointer; write it like "/dogs/0/name"`},
		"tilde":              {match(func(m obj) { m["FieldToMatch"] = jsonField("ALL", nil, "/a~2") }), `neither "~0" nor "~1"`},
		"lookahead":          {with(regexStatement(path, "a(?=b)")), statement + `RegexMatchStatement.RegexString: "a(?=b)":`},
		"large regex":        {with(regexStatement(path, "((a{1,100}){1,100}){1,10}")), `RegexMatchStatement.RegexString`},
		"long regex":         {with(regexStatement(path, strings.Repeat("a", 513))), statement + `RegexMatchStatement.RegexString: must have 1 to 512 bytes, and has 513`},
		"no pattern set":     {with(obj{"RegexPatternSetReferenceStatement": obj{"ARN": "nope", "FieldToMatch": path, "TextTransformations": transformations()}}), `ARN: there is no regex pattern set nope`},
		"no IP set":          {with(setStatement("nope")), statement + `IPSetReferenceStatement.ARN: there is no IP set nope`},
		"IP set of another":  {with(setStatement("arn:aws:wafv2:eu-west-1:000000000000:regional/ipset/name-named/named")), `is not arn:aws:wafv2:us-east-1:000000000000:regional/ipset/NAME/ID`},
		"IP set, wrong name": {with(setStatement("arn:aws:wafv2:us-east-1:000000000000:regional/ipset/other/named")), `there is no IP set named`},
		"IP set of patterns": {with(setStatement("arn:aws:wafv2:us-east-1:000000000000:regional/regexpatternset/name-words/words")), `is not arn:aws`},
		"size":               {with(sizeStatement(path, "GT", -1)), statement + `SizeConstraintStatement.Size: must be a whole number that is at least 0`},
		"operator":           {with(sizeStatement(path, "ABOUT", 1)), `ComparisonOperator: must be EQ or NE or LE or LT or GE or GT`},
		"no geo":             {with(obj{"GeoMatchStatement": obj{"CountryCodes": arr{"DE"}}}), statement + `GeoMatchStatement: takes a geo database, and this host has none; give it a MaxMind file`},
		"label key":          {with(obj{"LabelMatchStatement": obj{"Scope": "LABEL", "Key": "a b"}}), `Key: may have letters, digits, '_', '-' and ':' only`},
		"label namespace":    {with(obj{"LabelMatchStatement": obj{"Scope": "LABEL", "Key": "a:"}}), `Key: "a:" is a namespace`},
		"low limit":          {rate(func(r obj) { r["Limit"] = 9 }), statement + `RateBasedStatement.Limit: must be a whole number from 10 to 2000000000`},
		"window":             {rate(func(r obj) { r["EvaluationWindowSec"] = 90 }), statement + `RateBasedStatement.EvaluationWindowSec: must be 60, 120, 300 or 600`},
		"key type":           {rate(func(r obj) { delete(r, "AggregateKeyType") }), `AggregateKeyType: must be IP or FORWARDED_IP or CUSTOM_KEYS or CONSTANT`},
		"forwarded":          {rate(func(r obj) { r["AggregateKeyType"] = "FORWARDED_IP" }), `RateBasedStatement.ForwardedIPConfig: is missing`},
		"constant":           {rate(func(r obj) { r["AggregateKeyType"] = "CONSTANT" }), `RateBasedStatement.ScopeDownStatement: is missing`},
		"custom":             {rate(func(r obj) { r["AggregateKeyType"] = "CUSTOM_KEYS" }), `RateBasedStatement.CustomKeys: is missing`},
		"useless keys":       {rate(func(r obj) { r["CustomKeys"] = arr{} }), `RateBasedStatement.CustomKeys: does nothing with AggregateKeyType IP; leave it out`},
		"address alone":      {rate(func(r obj) { r["AggregateKeyType"], r["CustomKeys"] = "CUSTOM_KEYS", arr{obj{"IP": obj{}}} }), `CustomKeys: must have another key beside an address`},
		"fingerprints":       {rate(func(r obj) { r["AggregateKeyType"], r["CustomKeys"] = "CUSTOM_KEYS", arr{obj{"ASN": obj{}}} }), `CustomKeys[0].ASN: is not supported here`},
		"label of a later rule": {rate(func(r obj) {
			r["AggregateKeyType"], r["CustomKeys"] = "CUSTOM_KEYS", arr{obj{"LabelNamespace": obj{"Namespace": "x:"}}}
		}), `Namespace: no rule before this one adds a label with "x:"`},
		"allow":         {rules(ruleOf(0, rateStatement(10, 60, "IP", nil), allowAction)), `Rules[0].Action: cannot be Allow for a RateBasedStatement`},
		"vendor":        {managed(func(m obj) { m["VendorName"] = "Acme" }), `ManagedRuleGroupStatement.VendorName: must be AWS or OWASP`},
		"group":         {managed(func(m obj) { m["Name"] = "X" }), `ManagedRuleGroupStatement.Name: must be CoreRuleSet`},
		"version":       {managed(func(m obj) { m["Version"] = "1.0" }), `ManagedRuleGroupStatement.Version: must be "4.25.0"`},
		"level":         {managed(func(m obj) { m["ManagedRuleGroupConfigs"] = arr{obj{"OWASPCoreRuleSet": obj{"ParanoiaLevel": 5}}} }), `OWASPCoreRuleSet.ParanoiaLevel: must be a whole number from 1 to 4`},
		"excluded name": {managed(func(m obj) { m["ExcludedRules"] = arr{obj{"Name": "NoUserAgent_HEADER"}} }), `ExcludedRules[0].Name: must have 1 to 16 bytes`},
		"excluded rule": {managed(func(m obj) { m["ExcludedRules"] = arr{obj{"Name": "1234"}} }), `ExcludedRules[0].Name: the OWASP Core Rule Set 4.25.0 has no rule 1234`},
		"excluded, other": {managed(func(m obj) {
			m["VendorName"], m["Name"], m["ExcludedRules"] = "AWS", "AWSManagedRulesSQLiRuleSet", arr{obj{"Name": "941100"}}
		}), `rule 941100 is not in this group of rules`},
		"override to block":    {managed(func(m obj) { m["RuleActionOverrides"] = arr{obj{"Name": "942100", "ActionToUse": obj{"Block": obj{}}}} }), `RuleActionOverrides[0].ActionToUse.Block: is not supported here`},
		"status":               {response(obj{"ResponseCode": 418}), `DefaultAction.Block.CustomResponse.ResponseCode: 418 is none of those that AWS has`},
		"no body":              {response(obj{"ResponseCode": 403, "CustomResponseBodyKey": "x"}), `CustomResponseBodyKey: "x" is not in CustomResponseBodies`},
		"body of none":         {response(obj{"ResponseCode": 204, "CustomResponseBodyKey": "b"}), `a response with status 204 has no body`},
		"framing":              {response(obj{"ResponseCode": 403, "ResponseHeaders": arr{obj{"Name": "Content-Length", "Value": "1"}}}), `ResponseHeaders[0].Name: "Content-Length" is written by the gateway`},
		"injected header":      {response(obj{"ResponseCode": 403, "ResponseHeaders": arr{obj{"Name": "X", "Value": "a\r\nB: c"}}}), `ResponseHeaders[0].Value: may have printable ASCII characters only`},
		"injected name":        {response(obj{"ResponseCode": 403, "ResponseHeaders": arr{obj{"Name": "X: y", "Value": "a"}}}), `ResponseHeaders[0].Name: "X: y" is no name of a field`},
		"header twice":         {response(obj{"ResponseCode": 403, "ResponseHeaders": arr{obj{"Name": "X", "Value": "a"}, obj{"Name": "x", "Value": "a"}}}), `"x" is given twice`},
		"body is no JSON":      {obj{"DefaultAction": allowAction, "CustomResponseBodies": obj{"b": obj{"ContentType": "APPLICATION_JSON", "Content": "x"}}}, `CustomResponseBodies.b.Content: is no JSON`},
		"body limit":           {obj{"DefaultAction": allowAction, "AssociationConfig": obj{"RequestBody": obj{"API_GATEWAY": obj{"DefaultSizeInspectionLimit": "KB_8"}}}}, `DefaultSizeInspectionLimit: must be KB_16 or KB_32 or KB_48 or KB_64`},
		"body limit of others": {obj{"DefaultAction": allowAction, "AssociationConfig": obj{"RequestBody": obj{"CLOUDFRONT": obj{}}}}, `AssociationConfig.RequestBody.CLOUDFRONT: is not supported here`},
	} {
		a, err := Compile(definitionOf(t, tc.document), w.ipSets, w.patterns, w.Options)
		if err == nil || a != nil || !strings.HasPrefix(err.Error(), `web ACL "shop": `) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v\nwant %s", name, err, tc.want)
		}
	}
}

func TestTooManyRules(t *testing.T) {
	var all []any
	for i := range MaxRules + 1 {
		all = append(all, ruleOf(i, setStatement("bad"), countAction, "l"+strings.Repeat("x", i%100)))
	}
	w := newWorld()
	if _, err := Compile(definitionOf(t, rules(all...)), w.ipSets, nil, w.Options); err == nil || !strings.Contains(err.Error(), "Rules: must have 0 to 512 items, and has 513") {
		t.Errorf("error %v", err)
	}
	a := w.compile(t, rules(all[:MaxRules]...))
	n := 0
	v := a.Inspect(from(requestOf(t, "GET /"), "192.0.2.1"), second)
	if a.Counted(&v, func(string) { n++ }); n != MaxRules {
		t.Errorf("%d rules counted", n)
	}
}

// After four billion requests nothing of an old one is taken for new.
func TestNumbersOfRequestsComeAgain(t *testing.T) {
	a := newWorld().compile(t, rules(ruleOf(1, byteStatement(path, "EXACTLY", "/a"), blockAction), ruleOf(2, setStatement("bad"), countAction)))
	in := requestOf(t, "GET /a")
	in.work.request = 0 // the next is 1
	if v := a.Inspect(in, second); v.Outcome != Blocked {
		t.Errorf("%s", said(a, &v))
	}
	in.work.request = 1<<32 - 1
	in.Request = requestOf(t, "GET /b").Request
	if v := a.Inspect(in, second); v.Outcome != Allowed || in.work.request != 1 {
		t.Errorf("%s, number %d", said(a, &v), in.work.request)
	}
}

// Rules that look at the same thing share a view of it.
func TestViewsAreShared(t *testing.T) {
	a := newWorld().compile(t, rules(
		ruleOf(1, byteStatement(single("User-Agent"), "CONTAINS", "a", "LOWERCASE"), countAction),
		ruleOf(2, byteStatement(single("user-agent"), "CONTAINS", "b", "LOWERCASE"), countAction),
		ruleOf(3, byteStatement(single("user-agent"), "CONTAINS", "c"), countAction),
		ruleOf(4, and(setStatement("bad"), negate(setStatement("bad"))), countAction),
	))
	if len(a.views) != 2 || len(a.sets) != 1 {
		t.Errorf("%d views, %d sets", len(a.views), len(a.sets))
	}
}
