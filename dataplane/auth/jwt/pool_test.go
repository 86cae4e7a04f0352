package jwt

import (
	"fmt"
	"testing"
)

// TestUserPools: ID tokens where a method asks for no scope, access tokens where
// it does.
func TestUserPools(t *testing.T) {
	s := newSigner(t, "k", "RS256", "RSA 2048")
	r := newPoolRig(t, "", s)
	id := func(changes ...string) string {
		return s.token(t, r.claims(append([]string{"token_use", `"id"`}, changes...)...))
	}
	access := func(changes ...string) string {
		return s.token(t, r.claims(append([]string{"aud", "", "client_id", `"app"`, "token_use", `"access"`, "scope", `"openid orders/read"`}, changes...)...))
	}
	for _, c := range []struct {
		name   string
		token  string
		scopes []string
		want   Result
	}{
		{"ID", id(), nil, Valid},
		{"ID of any client", id("aud", `"whoever"`), nil, Valid},
		{"ID with scopes asked for", id(), []string{"orders/read"}, WrongUse},
		{"ID with the scope, asked for", id("scope", `"orders/read"`), []string{"orders/read"}, WrongUse},
		{"access with the scope", access(), []string{"orders/read"}, Valid},
		{"access with one of the scopes", access(), []string{"orders/write", "openid"}, Valid},
		{"access without the scope", access(), []string{"orders/write"}, WrongScope},
		{"access with a part of the scope", access(), []string{"orders"}, WrongScope},
		{"access where no scope is asked for", access(), nil, WrongUse},
		{"access that also has aud", access("aud", `"app"`), []string{"openid"}, Valid},
		{"no token_use", s.token(t, r.claims()), nil, WrongUse},
		{"unknown token_use", id("token_use", `"refresh"`), nil, WrongUse},
		{"token_use of another case", id("token_use", `"ID"`), nil, WrongUse},
		{"token_use with a space", id("token_use", `"id "`), nil, WrongUse},
		{"token_use both", id("token_use", `"id access"`), nil, WrongUse},
		{"token_use empty", id("token_use", `""`), nil, WrongUse},
		{"token_use a list", id("token_use", `["id"]`), nil, WrongClaims},
		{"token_use null", id("token_use", `null`), nil, WrongClaims},
		{"token_use twice", s.token(t, r.claims("token_use", `"access","token_use":"id"`)), nil, Malformed},
		{"ID that has expired", id("exp", fmt.Sprint(epoch-1)), nil, Expired},
		{"access that has expired", access("exp", fmt.Sprint(epoch)), []string{"openid"}, Expired},
		{"ID of another pool", id("iss", `"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other"`), nil, WrongIssuer},
		{"ID of Cognito, which the host has mapped", id("iss", `"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi"`), nil, WrongIssuer},
		{"ID with aud a number", id("aud", "7"), nil, WrongClaims},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			r.expect(c.want, c.token, c.scopes...)
			r.expect(c.want, c.token, c.scopes...)
		})
	}
}

func TestIdentityValidation(t *testing.T) {
	s := newSigner(t, "k", "RS256", "RSA 2048")
	for _, c := range []struct {
		expression, aud string
		want            Result
	}{
		{"app-[0-9]+", `"app-12"`, Valid},
		{"app-[0-9]+", `"my-app-12"`, WrongAudience},
		{"app-[0-9]+", `"app-12x"`, WrongAudience},
		{"app-[0-9]+", `"app-12\n"`, WrongAudience},
		{"app-[0-9]+", `"app-"`, WrongAudience},
		{"app-[0-9]+", "", WrongAudience},
		{"app-[0-9]+", `["others","app-1"]`, Valid},
		{"app-[0-9]+", `["others"]`, WrongAudience},
		{"a|b", `"ab"`, WrongAudience},
		{"a|b", `"b"`, Valid},
		{"(?i)app", `"APP"`, Valid},
	} {
		r := newPoolRig(t, c.expression, s)
		r.expect(c.want, s.token(t, r.claims("token_use", `"id"`, "aud", c.aud)))
		// client_id is nothing to an ID token.
		if c.aud == "" {
			r.expect(c.want, s.token(t, r.claims("token_use", `"id"`, "aud", "", "client_id", `"app-1"`)))
		}
		// An access token names the client in client_id, and aud does not count.
		if c.aud == "" || c.aud[0] == '"' {
			r.expect(c.want, s.token(t, r.claims("token_use", `"access"`, "scope", `"x"`, "client_id", c.aud, "aud", `"app-1"`)), "x")
		}
	}
}
