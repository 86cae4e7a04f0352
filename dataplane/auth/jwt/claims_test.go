package jwt

import (
	"fmt"
	"maps"
	"testing"
)

// TestClaims: what AWS makes of claims, by kind of authorizer. Of user pools,
// dates and lists look as they were seen in its events.
func TestClaims(t *testing.T) {
	s := newSigner(t, "k", "RS256", "RSA 2048")
	rows := []struct{ name, json, pools, jwt string }{
		{"email", `"a@example.com"`, "a@example.com", "a@example.com"},
		{"custom:role", `"admin"`, "admin", "admin"},
		{"escaped", `"a\u00e9\n\"\ud83d\ude00"`, "aé\n\"😀", "aé\n\"😀"},
		{"empty", `""`, "", ""},
		{"email_verified", "true", "true", "true"},
		{"banned", "false", "false", "false"},
		{"nothing", "null", "null", "null"},
		{"auth_time", "1676312777", "1676312777", "1676312777"},
		{"ratio", "-1.50e+3", "-1.50e+3", "-1.50e+3"},
		{"large", "12345678901234567890", "12345678901234567890", "12345678901234567890"},
		{"iat", "1469811173", "Fri Jul 29 16:52:53 UTC 2016", "1469811173"},
		{"nbf", "1680629979.9", "Tue Apr 04 17:39:39 UTC 2023", "1680629979.9"},
		{"cognito:groups", `["admin","users"]`, "admin,users", "[admin users]"},
		{"one", `["admin"]`, "admin", "[admin]"},
		{"none", `[]`, "", "[]"},
		{"mixed", `[ 1, true, null, "a b", {"x": 1}, ["y"] ]`, `1,true,null,a b,{"x": 1},["y"]`, `[1 true null a b {"x": 1} ["y"]]`},
		{"address", `{"street": "1", "lines": [1, 2]}`, `{"street": "1", "lines": [1, 2]}`, `{"street": "1", "lines": [1, 2]}`},
	}
	changes := []string{"token_use", `"id"`, "iat", "", "exp", fmt.Sprint(epoch + 600)}
	for _, row := range rows {
		changes = append(changes, row.name, row.json)
	}
	for _, r := range []*rig{newPoolRig(t, "", s), newRig(t, s)} {
		got, claims := r.check(s.token(t, r.claims(changes...)))
		if got != Valid {
			t.Fatalf("result %d", got)
		}
		for _, row := range rows {
			want := row.jwt
			if r.pools {
				want = row.pools
			}
			if text, ok := claims.Get(row.name); !ok || text != want {
				t.Errorf("%s: %q, want %q", row.name, text, want)
			}
		}
		wantExp := fmt.Sprint(epoch + 600)
		if r.pools {
			wantExp = "Fri Jan 15 08:10:00 UTC 2027"
		}
		if text, _ := claims.Get("exp"); text != wantExp {
			t.Errorf("exp: %s", text)
		}
		if _, ok := claims.Get("Email"); ok {
			t.Error("names of claims have capitals of their own")
		}
		if all := maps.Collect(claims.All()); len(all) != len(rows)+5 || all["sub"] != "user-1" {
			t.Errorf("%d claims: %v", len(all), all)
		}
		for range claims.All() { // may be left early
			break
		}
	}
}

func TestPrincipal(t *testing.T) {
	s := newSigner(t, "k", "RS256", "RSA 2048")
	r := newRig(t, s)
	seen := map[string]string{}
	for name, c := range map[string]struct {
		changes []string
		want    string
	}{
		"a subject":          {nil, " sub user-1"},
		"another":            {[]string{"sub", `"user-2"`}, " sub user-2"},
		"a client":           {[]string{"sub", "", "client_id", `"user-1"`}, " client user-1"},
		"a client's subject": {[]string{"client_id", `"app"`, "sub", `"client user-1"`}, " sub client user-1"},
		"nobody":             {[]string{"sub", ""}, ""},
	} {
		_, claims := r.check(s.token(t, r.claims(c.changes...)))
		want := c.want
		if want != "" {
			want = r.idp.issuer + want
		}
		if claims.Principal() != want {
			t.Errorf("%s: %q", name, claims.Principal())
		}
		if other, ok := seen[claims.Principal()]; ok {
			t.Errorf("%s is the same as %s", name, other)
		}
		seen[claims.Principal()] = name
	}
}
