package waf

import (
	"context"
	"strings"
	"testing"
)

func managedRule(priority int, vendor, name, override string, more obj) obj {
	m := obj{"VendorName": vendor, "Name": name}
	for k, v := range more {
		m[k] = v
	}
	return obj{"Name": "managed", "Priority": priority, "Statement": obj{"ManagedRuleGroupStatement": m}, "OverrideAction": obj{override: obj{}}}
}

// finish inspects as the pipeline does.
func finish(t testing.TB, a *ACL, text string) Verdict {
	t.Helper()
	in, body := onLoop(t, text)
	v := a.Inspect(in, second)
	if v.Outcome != Unfinished {
		return v
	}
	if len(body) > 0 {
		in.HaveBody, in.Body = true, body
		if n := a.BodyBytes(); len(body) > n {
			in.Body, in.BodyCut = body[:n], true
		}
	}
	w := newWaiter()
	if !a.Go(in, v, w) {
		t.Fatal("refused")
	}
	return <-w.got
}

const (
	browser = "\nUser-Agent: Mozilla/5.0\nAccept: */*"
	attack  = "GET /pets?id=-1+UNION+SELECT+username,password+FROM+users--" + browser
	benign  = "POST /pets" + browser + "\nContent-Type: application/json\n\n{\"type\":\"dog\",\"price\":249.99}"
)

func TestManagedRules(t *testing.T) {
	w := newWorld()
	label := func(scope, key string) obj { return obj{"LabelMatchStatement": obj{"Scope": scope, "Key": key}} }
	config := func(c obj) obj { return obj{"ManagedRuleGroupConfigs": arr{obj{"OWASPCoreRuleSet": c}}} }
	padded := "POST /pets" + browser + "\nContent-Type: text/plain\n\n" + strings.Repeat("lorem ipsum ", 2000)
	small := func(r obj) obj {
		return obj{"DefaultAction": allowAction, "Rules": arr{r}, "AssociationConfig": obj{"RequestBody": obj{"API_GATEWAY": obj{"DefaultSizeInspectionLimit": "KB_16"}}}}
	}
	for _, tc := range []struct {
		name     string
		document obj
		request  string
		want     string
	}{
		{"attack", rules(managedRule(1, "OWASP", "CoreRuleSet", "None", nil)), attack, "blocked by managed labels managed:owasp:core-rule-set:sqli"},
		{"benign", rules(managedRule(1, "OWASP", "CoreRuleSet", "None", nil)), benign, "allowed by "},
		{"detection", rules(managedRule(1, "OWASP", "CoreRuleSet", "Count", nil)), attack, "allowed by  counted managed labels managed:owasp:core-rule-set:sqli"},
		{"labels are seen", rules(managedRule(1, "OWASP", "CoreRuleSet", "Count", nil), ruleOf(2, label("NAMESPACE", "awswaf:managed:owasp:core-rule-set:"), blockAction)), attack,
			"blocked by rule2 counted managed labels managed:owasp:core-rule-set:sqli"},
		{"an earlier rule decides", rules(ruleOf(0, byteStatement(path, "EXACTLY", "/pets"), allowAction), managedRule(1, "OWASP", "CoreRuleSet", "None", nil)), attack, "allowed by rule0"},
		{"scope", rules(managedRule(1, "OWASP", "CoreRuleSet", "None", obj{"ScopeDownStatement": byteStatement(path, "STARTS_WITH", "/admin")})), attack, "allowed by "},
		{"threshold", rules(managedRule(1, "OWASP", "CoreRuleSet", "None", config(obj{"AnomalyScoreThreshold": 1000}))), attack, "allowed by  labels managed:owasp:core-rule-set:sqli"},
		{"AWS's name", rules(managedRule(1, "AWS", "AWSManagedRulesSQLiRuleSet", "None", nil)), attack, "blocked by managed labels managed:aws:sql-database:sqli"},
		{"another of AWS's", rules(managedRule(1, "AWS", "AWSManagedRulesPHPRuleSet", "None", nil)), attack, "allowed by "},
		{"excluded", rules(managedRule(1, "AWS", "AWSManagedRulesSQLiRuleSet", "None", obj{
			"ExcludedRules":       arr{obj{"Name": "942100"}, obj{"Name": "942190"}, obj{"Name": "942270"}},
			"RuleActionOverrides": arr{obj{"Name": "942360", "ActionToUse": obj{"Count": obj{}}}}})), attack, "allowed by "},
		{"large body", small(managedRule(1, "AWS", "AWSManagedRulesPHPRuleSet", "None", nil)), padded, "allowed by "},
		{"large body matches", small(managedRule(1, "AWS", "AWSManagedRulesPHPRuleSet", "None", config(obj{"OversizeHandling": "MATCH"}))), padded, "blocked by managed"},
		{"large body does not", small(managedRule(1, "OWASP", "CoreRuleSet", "None", config(obj{"OversizeHandling": "NO_MATCH"}))), strings.Replace(padded, "/pets", "/pets?id=-1+UNION+SELECT+username,password+FROM+users--", 1), "allowed by "},
	} {
		a := w.compile(t, tc.document)
		if !a.NeedsGoroutine() || a.BodyBytes() == 0 {
			t.Errorf("%s: needs a goroutine: %v", tc.name, a.NeedsGoroutine())
		}
		v := finish(t, a, tc.request)
		if got := said(a, &v); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if v.OwnAddress {
			t.Errorf("%s: by the address", tc.name)
		}
	}
}

// What the engine does not get to see does not pass.
func TestAnEngineThatFailsLetsNothingPass(t *testing.T) {
	a := newWorld().compile(t, rules(managedRule(1, "AWS", "AWSManagedRulesSQLiRuleSet", "None", nil)))
	in := requestOf(t, benign)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in.context = ctx
	if v := a.Inspect(in, second); v.Outcome != Unavailable {
		t.Errorf("%s", said(a, &v))
	}
}

// The engine of a configuration is made once, and kept as long as it is used.
func TestEnginesOutliveDeployments(t *testing.T) {
	w := newWorld()
	document := rules(managedRule(1, "AWS", "AWSManagedRulesSQLiRuleSet", "None", nil))
	first, again := w.compile(t, document), w.compile(t, document)
	if first.engines[0] != again.engines[0] || w.Store.engines.Len() != 1 {
		t.Error("the same configuration has two engines")
	}
	other := w.compile(t, rules(managedRule(1, "AWS", "AWSManagedRulesPHPRuleSet", "None", nil)))
	w.Store.Retain([]*ACL{other})
	if w.Store.engines.Len() != 1 {
		t.Errorf("%d engines are kept", w.Store.engines.Len())
	}
	if v := finish(t, first, attack); v.Outcome != Blocked {
		t.Error("an ACL that no longer serves lets an attack pass")
	}
}
