package telemetry

import "testing"

func TestWebACLMetrics(t *testing.T) {
	r := NewRegistry(1, "")
	counts := []RuleCount{{WebACL: "shop", Rule: "rate", Blocked: 3}, {WebACL: "shop", Rule: DefaultActionRule, Allowed: 7}}
	r.RulesFunc(func() []RuleCount { return counts })
	want := `tidegate_allowed_requests_total{rule="Default_Action",web_acl="shop"} 7
tidegate_allowed_requests_total{rule="rate",web_acl="shop"} 0
`
	if got := scrape(t, r, "tidegate_allowed"); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	counts = []RuleCount{{WebACL: "other", Rule: "bots", Counted: 1}}
	if got, want := scrape(t, r, "tidegate_counted"), `tidegate_counted_requests_total{rule="bots",web_acl="other"} 1`+"\n"; got != want {
		t.Errorf("got %swant %s", got, want)
	}
}
