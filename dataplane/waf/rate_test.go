package waf

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func rateStatement(limit, seconds int, kind string, more obj) obj {
	r := obj{"Limit": limit, "EvaluationWindowSec": seconds, "AggregateKeyType": kind}
	for k, v := range more {
		r[k] = v
	}
	return obj{"RateBasedStatement": r}
}

// passed is how many of n requests at now pass.
func passed(a *ACL, in *Input, now int64, n int) (count int) {
	for range n {
		if v := a.Inspect(in, now); v.Outcome == Allowed {
			count++
		}
	}
	return count
}

func TestRateOfAnAddress(t *testing.T) {
	a := newWorld().compile(t, rules(ruleOf(1, rateStatement(100, 60, "IP", nil), blockAction)))
	client := from(requestOf(t, "GET /"), "192.0.2.1")
	if n := passed(a, client, 100*second, 150); n != 100 {
		t.Errorf("%d passed", n)
	}
	if n := passed(a, from(requestOf(t, "GET /"), "192.0.2.2"), 100*second, 150); n != 100 {
		t.Errorf("%d of another passed", n)
	}
	if n := passed(a, client, 159*second, 1); n != 0 {
		t.Errorf("%d passed within the window", n)
	}
	// Those that were blocked have counted too.
	v := a.Inspect(client, 160*second)
	if v.Outcome != Blocked || v.Until <= 160*second || v.Until > 170*second {
		t.Errorf("%s until %d s", said(a, &v), v.Until/second)
	}
	if n := passed(a, client, 165*second, 150); n != 98 {
		t.Errorf("%d passed after the window, want 100 less the two since", n)
	}
}

func TestRateOfANetwork(t *testing.T) {
	a := newWorld().compile(t, rules(ruleOf(1, rateStatement(10, 60, "IP", nil), blockAction)))
	n := 0
	for i := range 100 {
		n += passed(a, from(requestOf(t, "GET /"), fmt.Sprintf("2001:db8:1:2::%x", i+1)), second, 1)
	}
	if n != 10 {
		t.Errorf("%d of one /64 passed", n)
	}
	if n := passed(a, from(requestOf(t, "GET /"), "2001:db8:1:3::1"), second, 100); n != 10 {
		t.Errorf("%d of the next /64 passed", n)
	}
}

func TestRateKeys(t *testing.T) {
	none := transformations()
	for _, tc := range []struct {
		name     string
		rate     obj
		requests []string // each takes one of the limit of 10, or not
		want     int      // that pass of 20 of each
	}{
		{"header", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"Header": obj{"Name": "X-Key", "TextTransformations": transformations("LOWERCASE")}}}}),
			[]string{"GET /\nX-Key: a", "GET /a\nX-Key: A", "GET /\nX-Key: b"}, 10 + 0 + 10},
		{"without the header", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"Header": obj{"Name": "X-Key", "TextTransformations": none}}}}),
			[]string{"GET /", "GET /\nX-Key: a"}, 20 + 10},
		{"cookie", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"Cookie": obj{"Name": "sid", "TextTransformations": none}}}}),
			[]string{"GET /\nCookie: a=1; sid=2", "GET /\nCookie: sid=2; b=3", "GET /\nCookie: sid=3", "GET /\nCookie: SID=2"}, 10 + 0 + 10 + 20},
		{"argument", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"QueryArgument": obj{"Name": "city", "TextTransformations": none}}}}),
			[]string{"GET /?city=x", "GET /?a=1&City=x", "GET /?city=y", "GET /"}, 10 + 0 + 10 + 20},
		{"query", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"QueryString": obj{"TextTransformations": none}}}}),
			[]string{"GET /?a", "GET /b?a", "GET /?b"}, 10 + 0 + 10},
		{"method and path", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"HTTPMethod": obj{}}, obj{"UriPath": obj{"TextTransformations": none}}}}),
			[]string{"GET /a", "GET /b", "PUT /a", "GET /a?x"}, 10 + 10 + 10 + 0},
		{"parts do not run together", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{
			obj{"Header": obj{"Name": "A", "TextTransformations": none}}, obj{"Header": obj{"Name": "B", "TextTransformations": none}}}}),
			[]string{"GET /\nA: xy\nB: z", "GET /\nA: x\nB: yz"}, 10 + 10},
		{"address and method", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"IP": obj{}}, obj{"HTTPMethod": obj{}}}}),
			[]string{"GET /a", "GET /b", "PUT /a"}, 10 + 0 + 10},
		{"forwarded address and method", rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"ForwardedIP": obj{}}, obj{"HTTPMethod": obj{}}},
			"ForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH"}}),
			[]string{"GET /\nX-Forwarded-For: 1.2.3.4", "GET /\nX-Forwarded-For: 1.2.3.5", "PUT /"}, 10 + 0 + 10},
		{"all that match", rateStatement(10, 60, "CONSTANT", obj{"ScopeDownStatement": byteStatement(path, "STARTS_WITH", "/a")}),
			[]string{"GET /a", "GET /ab", "GET /b"}, 10 + 0 + 20},
		{"scope", rateStatement(10, 60, "IP", obj{"ScopeDownStatement": byteStatement(method, "EXACTLY", "POST")}),
			[]string{"GET /", "POST /"}, 20 + 10},
	} {
		a := newWorld().compile(t, rules(ruleOf(1, tc.rate, blockAction)))
		got := 0
		for _, r := range tc.requests {
			got += passed(a, requestOf(t, r), second, 20)
		}
		if got != tc.want {
			t.Errorf("%s: %d passed, want %d", tc.name, got, tc.want)
		}
	}
}

func TestRateOfLabels(t *testing.T) {
	namespace := "awswaf:" + account + ":webacl:shop:tenant:"
	a := newWorld().compile(t, rules(
		ruleOf(1, byteStatement(path, "STARTS_WITH", "/a"), countAction, "tenant:a"),
		ruleOf(2, byteStatement(path, "STARTS_WITH", "/b"), countAction, "tenant:b"),
		ruleOf(3, rateStatement(10, 60, "CUSTOM_KEYS", obj{"CustomKeys": arr{obj{"LabelNamespace": obj{"Namespace": namespace}}}}), blockAction),
	))
	for _, tc := range []struct {
		target string
		want   int
	}{{"/a1", 10}, {"/a2", 0}, {"/b", 10}, {"/c", 20}} {
		if got := passed(a, requestOf(t, "GET "+tc.target), second, 20); got != tc.want {
			t.Errorf("%s: %d passed, want %d", tc.target, got, tc.want)
		}
	}
}

func TestRateOfForwardedAddresses(t *testing.T) {
	w := newWorld()
	w.TrustedProxies = ipPrefixes("10.0.0.0/8")
	config := func(fallback string) obj {
		return obj{"ForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": fallback}}
	}
	a := w.compile(t, rules(ruleOf(1, rateStatement(10, 60, "FORWARDED_IP", config("NO_MATCH")), blockAction)))
	behind := func(fields, source string) int {
		return passed(a, from(requestOf(t, "GET /\n"+fields), source), second, 20)
	}
	for _, tc := range []struct {
		fields, source string
		want           int
	}{
		{"X-Forwarded-For: 192.0.2.1", "10.0.0.1", 10},
		{"X-Forwarded-For: 198.51.100.1, 192.0.2.1", "10.0.0.2", 0}, // the same client, and a claim of it
		{"X-Forwarded-For: 192.0.2.2", "10.0.0.1", 10},
		{"X-Forwarded-For: 192.0.2.2", "203.0.113.7", 10}, // a stranger counts as itself
		{"X-Forwarded-For: 192.0.2.3", "203.0.113.7", 0},
		{"X-A: b", "10.0.0.1", 20},                // no field: not counted
		{"X-Forwarded-For: junk", "10.0.0.1", 20}, // no address: fallback
	} {
		if got := behind(tc.fields, tc.source); got != tc.want {
			t.Errorf("%s from %s: %d passed, want %d", tc.fields, tc.source, got, tc.want)
		}
	}
	b := w.compile(t, rules(ruleOf(2, rateStatement(10, 60, "FORWARDED_IP", config("MATCH")), blockAction)))
	if got := passed(b, from(requestOf(t, "GET /\nX-Forwarded-For: junk"), "10.0.0.1"), second, 1); got != 0 {
		t.Error("without an address the fallback does not match")
	}
}

// To deploy again keeps what was counted, also under another limit, and forgets
// it where something else is counted.
func TestRatesOutliveDeployments(t *testing.T) {
	w := newWorld()
	deployed := func(name int, r obj) *ACL { return w.compile(t, rules(ruleOf(name, r, blockAction))) }
	client := from(requestOf(t, "GET /"), "192.0.2.1")
	first := deployed(1, rateStatement(10, 60, "IP", nil))
	passed(first, client, second, 8)
	for _, tc := range []struct {
		name string
		acl  *ACL
		want int
	}{
		{"the same", deployed(1, rateStatement(10, 60, "IP", nil)), 2},
		{"a higher limit", deployed(1, rateStatement(30, 60, "IP", nil)), 2}, // 28 have been counted
		{"another window", deployed(1, rateStatement(10, 300, "IP", nil)), 10},
		{"another scope", deployed(1, rateStatement(10, 60, "IP", obj{"ScopeDownStatement": byteStatement(path, "STARTS_WITH", "/")})), 10},
		{"another rule", deployed(2, rateStatement(10, 60, "IP", nil)), 10},
	} {
		if got := passed(tc.acl, client, second, 20); got != tc.want {
			t.Errorf("%s: %d passed, want %d", tc.name, got, tc.want)
		}
	}
	live := deployed(1, rateStatement(10, 60, "IP", nil))
	w.Store.Retain([]*ACL{live})
	if got := passed(live, client, second, 20); got != 0 {
		t.Errorf("%d passed after the others were forgotten", got)
	}
	if len(w.Store.rates) != 1 || len(w.Store.tallies) != 2 || len(w.Store.samples) != 1 {
		t.Errorf("%d rates, %d tallies, %d samplers are kept", len(w.Store.rates), len(w.Store.tallies), len(w.Store.samples))
	}
	w.Store.Retain(nil)
	if got := passed(deployed(1, rateStatement(10, 60, "IP", nil)), client, second, 20); got != 10 {
		t.Errorf("%d passed after all was forgotten", got)
	}
}

// Never more than the limit in any window, for many clients that come as they
// like, and nobody is blocked who keeps to it.
func TestRateHoldsInAnyWindow(t *testing.T) {
	seeds := uint64(5)
	if underRace {
		seeds = 1
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(2, seed))
		const limit, length = 20, 60 * second
		a := newWorld().compile(t, rules(ruleOf(1, rateStatement(limit, 60, "IP", nil), blockAction)))
		all, within := map[netip.Addr][]int64{}, map[netip.Addr][]int64{}
		in := requestOf(t, "GET /")
		now := second
		for range 20_000 {
			now += r.Int64N(second / 4)
			addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8) * r.IntN(3))})
			in.Source = netip.AddrPortFrom(addr, 1)
			all[addr] = append(all[addr], now)
			v := a.Inspect(in, now)
			lately := 0
			for _, at := range slices.Backward(all[addr]) {
				if at <= now-length*16/15-int64(time.Microsecond) {
					break
				}
				lately++
			}
			if v.Outcome == Allowed {
				within[addr] = append(within[addr], now)
			} else if lately <= limit {
				t.Fatalf("blocked after %d", lately)
			}
		}
		for _, times := range within {
			for i := limit; i < len(times); i++ {
				if times[i]-times[i-limit] < length {
					t.Fatalf("more than %d passed within a window", limit)
				}
			}
		}
	}
}
