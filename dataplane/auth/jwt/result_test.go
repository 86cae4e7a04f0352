package jwt

import "testing"

// TestAnswers has the text of each outcome, for both kinds of authorizer.
func TestAnswers(t *testing.T) {
	pools, jwt := &Authorizer{pools: true}, &Authorizer{}
	scopes, err := CompileScopes([]string{"orders/read", "https://api.example/write"})
	if err != nil {
		t.Fatal(err)
	}
	invalid := func(description string) string {
		return `Bearer scope="" error="invalid_token" error_description="` + description + `"`
	}
	rows := map[Result]struct {
		pools, jwt Answer
		challenge  string
	}{
		NeedKeys:        {unauthorized, unauthorized, invalid("JWKS communication error")},
		Missing:         {unauthorized, unauthorized, "Bearer"},
		NotThreeParts:   {unauthorized, unauthorized, invalid("token contains an invalid number of segments")},
		Malformed:       {unauthorized, unauthorized, invalid("token is malformed")},
		WrongAlgorithm:  {unauthorized, unauthorized, invalid("signing method is invalid")},
		WrongIssuer:     {unauthorized, unauthorized, invalid("issuer does not match")},
		UnknownKey:      {unauthorized, unauthorized, invalid("the token's kid does not match a key of the issuer")},
		BadSignature:    {unauthorized, unauthorized, invalid("signature is invalid")},
		WrongClaims:     {unauthorized, unauthorized, invalid("token has invalid claims")},
		WrongAudience:   {unauthorized, unauthorized, invalid("the token does not have a valid audience")},
		WrongUse:        {unauthorized, unauthorized, invalid("the token is not of the right use")},
		Expired:         {Answer{401, "The incoming token has expired"}, unauthorized, invalid("the token has expired")},
		NotYetValid:     {unauthorized, unauthorized, invalid("the token is not valid yet")},
		IssuedInFuture:  {unauthorized, unauthorized, invalid("the token was issued in the future")},
		WrongScope:      {unauthorized, Answer{403, "Forbidden"}, `Bearer scope="" error="insufficient_scope" error_description="the token does not have a required scope"`},
		DiscoveryFailed: {unauthorized, unauthorized, invalid("OIDC discovery endpoint communication error")},
		KeysFailed:      {unauthorized, unauthorized, invalid("JWKS communication error")},
	}
	for r := NeedKeys; r < results; r++ {
		row, ok := rows[r]
		if !ok {
			t.Errorf("result %d has no row", r)
			continue
		}
		if got := pools.Answer(r); got != row.pools {
			t.Errorf("result %d of user pools: %v", r, got)
		}
		if got := jwt.Answer(r); got != row.jwt {
			t.Errorf("result %d: %v", r, got)
		}
		if got := string(jwt.AppendChallenge([]byte("x "), r, Scopes{})); got != "x "+row.challenge {
			t.Errorf("result %d: %s", r, got)
		}
		if got := pools.AppendChallenge(nil, r, scopes); got != nil {
			t.Errorf("result %d: user pools challenge %q", r, got)
		}
	}
	if (unauthorized != Answer{401, "Unauthorized"}) {
		t.Error(unauthorized)
	}
	for r := range results + 2 {
		if r.String() == "" {
			t.Errorf("result %d has no name", r)
		}
	}
	const want = `Bearer scope="orders/read https://api.example/write" error="insufficient_scope" error_description="the token does not have a required scope"`
	if got := string(jwt.AppendChallenge(nil, WrongScope, scopes)); got != want {
		t.Error(got)
	}
	if got := (&Authorizer{}).Answer(0); got != unauthorized {
		t.Errorf("no result at all: %v", got)
	}
}

func TestCompileScopes(t *testing.T) {
	for _, bad := range [][]string{{""}, {"a b"}, {`a"b`}, {`a\b`}, {"a\r\nb"}, {"ä"}, {"a", "b", "a"}} {
		if _, err := CompileScopes(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	names := []string{"a"}
	s, err := CompileScopes(names)
	if names[0] = "b"; err != nil || s.names[0] != "a" {
		t.Error("the scopes are not a copy")
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]bool{}
	for r := Valid; r < results; r++ {
		label := Labels()[r.Index()]
		if label == "" || seen[label] {
			t.Errorf("%s: label %q", r, label)
		}
		seen[label] = true
	}
}
