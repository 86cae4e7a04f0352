package waf

import (
	"encoding/json"
	"testing"
)

// TestRatesGoOver: a Store with the same secret goes on with what another's rules
// have counted; one with another secret counts from zero.
func TestRatesGoOver(t *testing.T) {
	document := rules(
		ruleOf(1, rateStatement(10, 60, "IP", nil), blockAction),
		ruleOf(2, rateStatement(20, 60, "CONSTANT", obj{"ScopeDownStatement": byteStatement(path, "STARTS_WITH", "/all")}), blockAction))
	in := func(secret byte) (*Store, *ACL) {
		w := newWorld()
		w.Store = NewStore(Settings{Shards: 2, RateKeys: 64, Secret: [16]byte{secret}})
		return w.Store, w.compile(t, document)
	}
	before, old := in(1)
	client := from(requestOf(t, "GET /"), "192.0.2.1")
	passed(old, client, 1000*second, 7)
	passed(old, from(requestOf(t, "GET /all"), "192.0.2.2"), 1000*second, 5)
	text, err := json.Marshal(before.Rates(1000 * second))
	if err != nil {
		t.Fatal(err)
	}
	passed(old, client, 1000*second, 1)
	late := before.LateRates(1000 * second)
	for secret, want := range map[byte][2]int{1: {2, 5}, 2: {10, 10}} {
		var rates []Rate
		if err := json.Unmarshal(text, &rates); err != nil {
			t.Fatal(err)
		}
		if len(rates) != 2 || len(late) != 1 {
			t.Fatalf("%d rules have counted, %d late", len(rates), len(late))
		}
		after, next := in(secret)
		after.AddRates(2*second, append(append(rates, late...), Rate{ACL: "gone"}))
		if n := passed(next, client, 2*second, 20); n != want[0] {
			t.Errorf("secret %d: %d passed, want %d", secret, n, want[0])
		}
		if n := passed(next, from(requestOf(t, "GET /all"), "192.0.2.2"), 2*second, 20); n != want[1] {
			t.Errorf("secret %d: %d of another passed, want %d", secret, n, want[1])
		}
	}
	if late := before.LateRates(1000 * second); late != nil {
		t.Errorf("told twice: %v", late)
	}
}
