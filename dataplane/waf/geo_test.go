package waf

import (
	"strings"
	"testing"
)

func country(code string, regions ...string) obj {
	place := obj{"country": obj{"iso_code": code}}
	if len(regions) > 0 {
		var list arr
		for _, r := range regions {
			list = append(list, obj{"iso_code": r})
		}
		place["subdivisions"] = list
	}
	return place
}

func geoWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld()
	var err error
	w.Geo, err = NewGeo(mmdb(map[string]obj{
		"192.0.2.0/24": country("DE", "BY", "XYZ"), "198.51.100.0/24": country("FR"), "2001:db8::/32": country("US", "CA"),
		"203.0.113.0/25": {"continent": obj{"code": "EU"}}, "203.0.113.128/25": country("LONG"),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestGeoMatch(t *testing.T) {
	w := geoWorld(t)
	label := func(scope, key string) obj { return obj{"LabelMatchStatement": obj{"Scope": scope, "Key": key}} }
	a := w.compile(t, rules(
		ruleOf(1, obj{"GeoMatchStatement": obj{"CountryCodes": arr{"DE", "US"}}}, countAction),
		ruleOf(2, label("LABEL", "awswaf:clientip:geo:country:FR"), countAction),
		ruleOf(3, label("LABEL", "awswaf:clientip:geo:region:US-CA"), countAction),
		ruleOf(4, label("NAMESPACE", "awswaf:clientip:geo:region"), countAction),
		ruleOf(5, label("NAMESPACE", "awswaf:clientip:"), countAction),
		ruleOf(6, label("NAMESPACE", "awswaf:forwardedip:"), countAction),
	))
	for addr, want := range map[string]string{
		"192.0.2.1":     "counted rule1,rule4,rule5 labels clientip:geo:country:DE,clientip:geo:region:DE-BY",
		"198.51.100.1":  "counted rule2,rule5 labels clientip:geo:country:FR",
		"2001:db8::1":   "counted rule1,rule3,rule4,rule5 labels clientip:geo:country:US,clientip:geo:region:US-CA",
		"203.0.113.1":   "",
		"203.0.113.200": "",
		"10.0.0.1":      "",
	} {
		for range 2 { // the second time from what is remembered
			v := a.Inspect(from(requestOf(t, "GET /"), addr), second)
			if got := strings.TrimSpace(strings.TrimPrefix(said(a, &v), "allowed by ")); got != want {
				t.Errorf("%s: %s, want %s", addr, got, want)
			}
		}
	}
	if err := w.Geo.Load(mmdb(map[string]obj{"192.0.2.0/24": country("JP")})); err != nil {
		t.Fatal(err)
	}
	v := a.Inspect(from(requestOf(t, "GET /"), "192.0.2.1"), second)
	if got := said(a, &v); !strings.Contains(got, "country:JP") {
		t.Errorf("after another database was loaded: %s", got)
	}
	if g, err := NewGeo([]byte("junk")); err == nil || g != nil {
		t.Errorf("%v, error %v", g, err)
	}
	if err := w.Geo.Load([]byte("junk")); err == nil || !strings.Contains(err.Error(), "must be a .mmdb file") {
		t.Errorf("error %v", err)
	}
	if v := a.Inspect(from(requestOf(t, "GET /"), "192.0.2.1"), second); !strings.Contains(said(a, &v), "country:JP") {
		t.Error("a database that cannot be read replaced one that could")
	}
}

func TestGeoMatchOfForwardedAddresses(t *testing.T) {
	w := geoWorld(t)
	w.TrustedProxies = ipPrefixes("10.0.0.0/8")
	a := w.compile(t, rules(ruleOf(1, obj{"GeoMatchStatement": obj{"CountryCodes": arr{"DE"}, "ForwardedIPConfig": obj{"HeaderName": "X-Forwarded-For", "FallbackBehavior": "MATCH"}}}, blockAction)))
	for _, tc := range []struct{ fields, source, want string }{
		{"X-Forwarded-For: 192.0.2.1", "10.0.0.1", "blocked by rule1 labels forwardedip:geo:country:DE,forwardedip:geo:region:DE-BY"},
		{"X-Forwarded-For: 198.51.100.1", "10.0.0.1", "allowed by  labels forwardedip:geo:country:FR"},
		{"X-Forwarded-For: 192.0.2.1", "198.51.100.1", "allowed by  labels forwardedip:geo:country:FR"},
		{"X-Forwarded-For: junk", "10.0.0.1", "blocked by rule1"},
		{"X-A: b", "10.0.0.1", "allowed by "},
	} {
		v := a.Inspect(from(requestOf(t, "GET /\n"+tc.fields), tc.source), second)
		if got := said(a, &v); got != tc.want {
			t.Errorf("%s from %s: %s, want %s", tc.fields, tc.source, got, tc.want)
		}
	}
}

func TestPlacesArePacked(t *testing.T) {
	for _, p := range []place{{}, {[2]byte{'D', 'E'}, [3]byte{}}, {[2]byte{'G', 'B'}, [3]byte{'E', 'N', 'G'}}, {[2]byte{'F', 'R'}, [3]byte{'7', '5', 'C'}}} {
		if got := unpackPlace(p.pack()); got != p {
			t.Errorf("%v became %v", p, got)
		}
	}
	if got := unpackPlace(1<<placeBits - 1); got.known() {
		t.Errorf("%v", got)
	}
}
