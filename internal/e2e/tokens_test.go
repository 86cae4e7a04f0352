package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// shop is an issuer over https with two keys, whose tokens a JWT authorizer and a
// user pool ask for, at a running gateway.
type shop struct {
	*daemon
	issuer  *gatetest.Issuer
	rs, es  *gatetest.SigningKey
	backend *told
	log     *logged
}

const userPool = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_shop"

func startShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{rs: gatetest.NewSigningKey(t, "rs", "RS256"), es: gatetest.NewSigningKey(t, "es", "ES256"), backend: startTold(t)}
	s.issuer = gatetest.NewIssuer(t, true, s.rs, s.es)
	s.daemon = start(t, host{
		more: fmt.Sprintf("tokens: {allow_private: true, ca_file: %q, user_pools: [{pool: us-east-1_shop, issuer: %q}]}",
			s.issuer.CAFile(t, t.TempDir()), s.issuer.URL),
		logged: "[authorizer.claims.sub, authorizer.claims.token_use]",
	})
	s.log = &logged{d: s.daemon}
	s.deploy("prod", s.document(""), nil)
	return s
}

// document is the API; more goes to its top.
func (s *shop) document(more string) string {
	return callersAPI(s.backend.addr, more, []string{
		fmt.Sprintf(`jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {issuer: %q, audience: [shop, till]}}}`, s.issuer.URL),
		fmt.Sprintf(`pool: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: cognito_user_pools, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [%q]}}`, userPool),
		fmt.Sprintf(`clients: {type: apiKey, in: header, name: X-Token, x-amazon-apigateway-authorizer: {type: cognito_user_pools, identityValidationExpression: "web|app", providerARNs: [%q]}}`, userPool),
	}, map[string]string{
		"/jwt": "[{jwt: []}]", "/jwt/scoped": "[{jwt: [orders/read, orders/write]}]",
		"/id": "[{pool: []}]", "/access": "[{pool: [orders/read]}]", "/clients": "[{clients: []}]", "/open": "[]",
	})
}

// token is one of the issuer's, signed by key.
func (s *shop) token(key *gatetest.SigningKey, changes gatetest.Claims) string {
	return key.Token(s.issuer.Claims(changes))
}

// tokens of the kinds that the API asks for.
func (s *shop) id(changes ...gatetest.Claims) string {
	return s.token(s.rs, merged(gatetest.Claims{"aud": "web", "token_use": "id", "cognito:groups": []string{"a", "b"}}, changes...))
}

func (s *shop) access(changes ...gatetest.Claims) string {
	return s.token(s.rs, merged(gatetest.Claims{"client_id": "web", "token_use": "access", "scope": "openid orders/read"}, changes...))
}

func (s *shop) jwt(changes ...gatetest.Claims) string {
	return s.token(s.es, merged(gatetest.Claims{"aud": "shop"}, changes...))
}

func merged(c gatetest.Claims, changes ...gatetest.Claims) gatetest.Claims {
	for _, change := range changes {
		for name, value := range change {
			c[name] = value
		}
	}
	return c
}

// Whoever has a token that the method asks for is served, the backend is told what
// it says, and the log has it.
func TestTokens(t *testing.T) {
	s := startShop(t)
	const groups = "groups=a,b"
	for _, c := range []struct{ name, path, field, body string }{
		{"JWT, ES256", "/jwt", "Authorization: Bearer " + s.jwt(), "sub=user-1"},
		{"JWT, RS256", "/jwt", "Authorization: Bearer " + s.token(s.rs, gatetest.Claims{"aud": "shop"}), "sub=user-1"},
		{"JWT without Bearer", "/jwt", "authorization: " + s.jwt(), "sub=user-1"},
		{"JWT of several audiences", "/jwt", "Authorization: bearer " + s.jwt(gatetest.Claims{"aud": []string{"x", "till"}}), "sub=user-1"},
		{"JWT of a client", "/jwt", "Authorization: Bearer " + s.jwt(gatetest.Claims{"aud": nil, "client_id": "shop"}), "sub=user-1"},
		{"JWT with a scope", "/jwt/scoped", "Authorization: Bearer " + s.jwt(gatetest.Claims{"scope": "a orders/write"}), "sub=user-1"},
		{"JWT with scp", "/jwt/scoped", "Authorization: Bearer " + s.jwt(gatetest.Claims{"scp": []string{"orders/read"}}), "sub=user-1"},
		{"ID token", "/id", "Authorization: " + s.id(), "sub=user-1 use=id " + groups},
		{"ID token with Bearer", "/id", "Authorization: Bearer " + s.id(), "sub=user-1 use=id " + groups},
		{"access token", "/access", "Authorization: " + s.access(), "sub=user-1 use=access"},
		{"another field", "/clients", "x-token: " + s.id(gatetest.Claims{"aud": "app"}), "sub=user-1 use=id " + groups},
		{"nobody is asked", "/open", "X-Told-Sub: me", ""}, // nor believed
	} {
		for range 2 { // the second time it is remembered
			a := s.ask("GET", "/prod"+c.path, "", c.field)
			a.expect(t, c.name, 200, c.body)
			if c.path == "/open" {
				s.log.expect(c.name, a, map[string]string{"authorizer.claims.sub": "-", "authorizer.status": "-", "authorizer.error": "-"})
				continue
			}
			use := "-"
			for _, kind := range []string{"id", "access"} {
				if strings.Contains(c.body, "use="+kind) {
					use = kind
				}
			}
			s.log.expect(c.name, a, map[string]string{
				"authorizer.claims.sub": "user-1", "authorizer.claims.token_use": use, "authorizer.status": "200", "authorizer.error": "-", "identity.user": "-",
			})
		}
	}
	// A claim cannot make field lines of its own, nor can a client tell the backend
	// what only the gateway can know.
	a := s.ask("GET", "/prod/jwt", "", "Authorization: Bearer "+s.jwt(gatetest.Claims{"sub": "a\r\nX-Told-Tenant: x"}), "X-Told-Tenant: y", "X-Told-Id: z")
	if a.status != 200 || strings.Contains(a.body, "tenant=x") || strings.Contains(a.body, "sub=") {
		t.Errorf("a claim with a line break: %d %q", a.status, a.body)
	}
	s.log.check()
	if s.metric("tidegate_token_key_fetches_total") != 1 || s.metric("tidegate_token_key_fetch_failures_total") != 0 {
		t.Error("the keys were not fetched once")
	}
	if n, err := readMetric(s.admin, "tidegate_token_checks_total", `result="valid"`); err != nil || n != 23 {
		t.Errorf("%v valid tokens, %v", n, err)
	}
	status, err := s.client.Status(context.Background())
	if err != nil || len(status.Issuers) != 1 {
		t.Fatalf("%+v, %v", status, err)
	}
	i := status.Issuers[0]
	if i.Issuer != s.issuer.URL || i.JWKSURI != s.issuer.URL+"/keys" || len(i.Keys) != 2 || i.FetchedAt == nil || i.LastError != "" {
		t.Errorf("%+v", i)
	}
}

// Every refusal has AWS's status, body and fields, the log says what is wrong, and
// nothing reaches the backend.
func TestTokenRefusals(t *testing.T) {
	s := startShop(t)
	stranger, nobody := gatetest.NewSigningKey(t, "es", "ES256"), gatetest.NewSigningKey(t, "other", "ES256")
	now := time.Now().Unix()
	// Signed with the public key, as if that were a secret.
	hs256 := func(key *gatetest.SigningKey) string {
		text := strings.Split(key.Sign(fmt.Sprintf(`{"alg":"HS256","kid":%q}`, key.ID), s.issuer.Claims(gatetest.Claims{"aud": "shop", "token_use": "id"})), ".")
		mac := hmac.New(sha256.New, key.Public())
		mac.Write([]byte(text[0] + "." + text[1]))
		return text[0] + "." + text[1] + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	none := func(key *gatetest.SigningKey, end string) string {
		text := key.Sign(fmt.Sprintf(`{"alg":"none","kid":%q}`, key.ID), s.issuer.Claims(gatetest.Claims{"aud": "shop", "token_use": "id"}))
		return text[:strings.LastIndexByte(text, '.')+1] + end
	}
	changed := func(token, from, to string) string {
		parts := strings.Split(token, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || !strings.Contains(string(payload), from) {
			t.Fatal(err, string(payload))
		}
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), from, to, 1)))
		return strings.Join(parts, ".")
	}
	const (
		segments = "token contains an invalid number of segments"
		expired  = "The incoming token has expired"
	)
	// What is wrong, with which token for a JWT authorizer and for a user pool, and
	// what the log says; the pool's message is Unauthorized where it is empty.
	for _, c := range []struct {
		name, jwt, id string
		message       string
		wrong         string
	}{
		{"none", "", "", "", "token not provided"},
		{"garbage", "abc", "abc", "", segments},
		{"random segments", "a.b.c", "a.b.c", "", "token is malformed"},
		{"four segments", s.jwt() + ".x", s.id() + ".x", "", segments},
		{"expired", s.jwt(gatetest.Claims{"exp": now - 1}), s.id(gatetest.Claims{"exp": now - 1}), expired, "the token has expired"},
		{"not yet", s.jwt(gatetest.Claims{"nbf": now + 60}), s.id(gatetest.Claims{"nbf": now + 60}), "", "the token is not valid yet"},
		{"issued tomorrow", s.jwt(gatetest.Claims{"iat": now + 86400}), s.id(gatetest.Claims{"iat": now + 86400}), "", "the token was issued in the future"},
		{"without an end", s.jwt(gatetest.Claims{"exp": nil}), s.id(gatetest.Claims{"exp": nil}), "", "token has invalid claims"},
		{"another issuer", s.jwt(gatetest.Claims{"iss": "https://evil.example"}), s.id(gatetest.Claims{"iss": "https://evil.example"}), "", "issuer does not match"},
		{"alg none", none(s.es, ""), none(s.rs, ""), "", "token is malformed"},
		{"alg none, signed", none(s.es, "AAAA"), none(s.rs, "AAAA"), "", "signing method is invalid"},
		{"HS256 with the public key", hs256(s.es), hs256(s.rs), "", "signing method is invalid"},
		{"another algorithm of the key", s.es.Sign(`{"alg":"RS256","kid":"es"}`, s.issuer.Claims(nil)), s.rs.Sign(`{"alg":"PS256","kid":"rs"}`, s.issuer.Claims(nil)), "", "signing method is invalid"},
		{"unknown kid", s.token(nobody, gatetest.Claims{"aud": "shop"}), s.token(nobody, gatetest.Claims{"aud": "web", "token_use": "id"}), "", "the token's kid does not match a key of the issuer"},
		{"no kid", s.es.Sign(`{"alg":"ES256"}`, s.issuer.Claims(nil)), s.rs.Sign(`{"alg":"RS256"}`, s.issuer.Claims(nil)), "", "the token's kid does not match a key of the issuer"},
		{"a stranger's key of the same kid", s.token(stranger, gatetest.Claims{"aud": "shop"}), s.token(stranger, gatetest.Claims{"aud": "web", "token_use": "id"}), "", "signature is invalid"},
		{"changed", changed(s.jwt(), "user-1", "user-2"), changed(s.id(), "user-1", "user-2"), "", "signature is invalid"},
		{"crit", s.es.Sign(`{"alg":"ES256","kid":"es","crit":["x"],"x":1}`, s.issuer.Claims(nil)), s.rs.Sign(`{"alg":"RS256","kid":"rs","crit":["x"],"x":1}`, s.issuer.Claims(nil)), "", "token is malformed"},
		{"too long", s.jwt(gatetest.Claims{"x": strings.Repeat("x", 6200)}), s.id(gatetest.Claims{"x": strings.Repeat("x", 6200)}), "", "token is malformed"},
	} {
		for range 2 {
			var jwtField, idField []string
			if c.name != "none" {
				jwtField, idField = []string{"Authorization: Bearer " + c.jwt}, []string{"Authorization: " + c.id}
			}
			challenge := `Bearer scope="" error="invalid_token" error_description="` + c.wrong + `"`
			if c.name == "none" {
				challenge = "Bearer"
			}
			s.refused(t, "JWT: "+c.name, "/jwt", jwtField, 401, "Unauthorized", "UnauthorizedException", challenge, "UNAUTHORIZED", c.wrong)
			if c.message == "" {
				c.message = "Unauthorized"
			}
			s.refused(t, "pool: "+c.name, "/id", idField, 401, c.message, "UnauthorizedException", "", "UNAUTHORIZED", c.wrong)
		}
	}
	for _, c := range []struct {
		name, path   string
		fields       []string
		status       int
		kind, answer string
		wrong        string
	}{
		{"another audience", "/jwt", []string{"Authorization: Bearer " + s.jwt(gatetest.Claims{"aud": "x"})}, 401, "UnauthorizedException", `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`, "the token does not have a valid audience"},
		{"a client beside another audience", "/jwt", []string{"Authorization: Bearer " + s.jwt(gatetest.Claims{"aud": "x", "client_id": "shop"})}, 401, "UnauthorizedException", `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`, "the token does not have a valid audience"},
		{"no scope", "/jwt/scoped", []string{"Authorization: Bearer " + s.jwt()}, 403, "ForbiddenException", `Bearer scope="orders/read orders/write" error="insufficient_scope" error_description="the token does not have a required scope"`, "the token does not have a required scope"},
		{"another scope", "/jwt/scoped", []string{"Authorization: Bearer " + s.jwt(gatetest.Claims{"scope": "orders/readers orders"})}, 403, "ForbiddenException", `Bearer scope="orders/read orders/write" error="insufficient_scope" error_description="the token does not have a required scope"`, "the token does not have a required scope"},
		{"two tokens", "/jwt", []string{"Authorization: Bearer " + s.jwt(), "Authorization: Bearer " + s.jwt()}, 401, "UnauthorizedException", `Bearer scope="" error="invalid_token" error_description="token is malformed"`, "token is malformed"},
		{"access for ID", "/id", []string{"Authorization: " + s.access()}, 401, "UnauthorizedException", "", "the token is not of the right use"},
		{"ID for access", "/access", []string{"Authorization: " + s.id(gatetest.Claims{"scope": "orders/read"})}, 401, "UnauthorizedException", "", "the token is not of the right use"},
		{"no scope for a pool", "/access", []string{"Authorization: " + s.access(gatetest.Claims{"scope": "openid"})}, 401, "UnauthorizedException", "", "the token does not have a required scope"},
		{"no use at all", "/id", []string{"Authorization: " + s.token(s.rs, gatetest.Claims{"aud": "web"})}, 401, "UnauthorizedException", "", "the token is not of the right use"},
		{"another client", "/clients", []string{"X-Token: " + s.id(gatetest.Claims{"aud": "webs"})}, 401, "UnauthorizedException", "", "the token does not have a valid audience"},
		{"in the wrong field", "/clients", []string{"Authorization: " + s.id()}, 401, "UnauthorizedException", "", "token not provided"},
	} {
		message, kind := "Unauthorized", "UNAUTHORIZED"
		if c.status == 403 {
			message, kind = "Forbidden", "ACCESS_DENIED"
		}
		s.refused(t, c.name, c.path, c.fields, c.status, message, c.kind, c.answer, kind, c.wrong)
	}
	s.log.check()
	if n := s.backend.requests.Load(); n != 0 {
		t.Errorf("%d requests reached the backend", n)
	}
	s.ask("GET", "/prod/id", "", "Authorization: "+s.id()).expect(t, "afterwards", 200, "sub=user-1 use=id groups=a,b")
}

// refused asks and checks all that a client and the log see of a refusal.
func (s *shop) refused(t *testing.T, what, path string, fields []string, status int, message, errorType, challenge, responseType, wrong string) {
	t.Helper()
	a := s.ask("GET", "/prod"+path, "", fields...)
	a.expectError(t, what, status, message, errorType)
	if got := strings.Join(a.header.Values("WWW-Authenticate"), "|"); got != challenge {
		t.Errorf("%s: WWW-Authenticate %q, want %q", what, got, challenge)
	}
	want := map[string]string{"error.responseType": responseType, "error.message": message, "authorizer.error": wrong, "authorizer.claims.sub": "-", "authorizer.status": "401"}
	if strings.Contains(wrong, "required scope") {
		want["authorizer.status"] = "200"
	}
	s.log.expect(what, a, want)
}

// TestR33KeysRotateUnderTraffic: the issuer changes its keys, of either kind, while
// requests with tokens of the old and the new ones come: none is refused.
func TestR33KeysRotateUnderTraffic(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	old := s.jwt()
	s.ask("GET", "/prod/jwt", "", "Authorization: "+old).expect(t, "before", 200, "sub=user-1")
	time.Sleep(6 * time.Second) // keys that have just been fetched are not asked for again within five seconds
	next := gatetest.NewSigningKey(t, "next", "ES256")
	nextRSA := gatetest.NewSigningKey(t, "next-rs", "RS256")
	published := make(chan struct{})
	tr := newTraffic(16, s.addr, 5*time.Millisecond, func(c *client, turn int) error {
		keys := []*gatetest.SigningKey{s.es, s.rs}
		select {
		case <-published:
			keys = append(keys, next, nextRSA)
		default:
		}
		key := keys[turn%len(keys)]
		token := s.token(key, gatetest.Claims{"aud": "shop", "jti": fmt.Sprint(turn)})
		if turn%3 == 0 {
			token = old
		}
		a, err := c.ask("GET", "/prod/jwt", "", "Authorization: Bearer "+token)
		if err != nil {
			return err
		}
		if a.status != 200 || a.body != "sub=user-1" {
			return fmt.Errorf("a token of key %s: %d %s %s", key.ID, a.status, a.body, a.header.Get("WWW-Authenticate"))
		}
		return nil
	})
	time.Sleep(500 * time.Millisecond)
	before := s.issuer.Fetches.Load()
	s.issuer.Publish(s.rs, s.es, next, nextRSA)
	close(published)
	time.Sleep(1500 * time.Millisecond)
	tr.Stop(t)
	if n := s.issuer.Fetches.Load() - before; n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
	status, err := s.client.Status(context.Background())
	if err != nil || len(status.Issuers) != 1 || len(status.Issuers[0].Keys) != 4 {
		t.Errorf("%+v, %v", status.Issuers, err)
	}
}

// A resource policy counts for itself once the token is known: see checklist 22.
// Its refusals are those of anybody.
func TestChecklist22UserPoolAndSilentPolicy(t *testing.T) {
	s := startShop(t)
	policy := func(resource string) string {
		text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": resource}}})
		if err != nil {
			t.Fatal(err)
		}
		return "x-amazon-apigateway-policy: " + string(text)
	}
	id := s.deploy("prod", s.document(policy("execute-api:/prod/GET/else")), nil)
	for path, token := range map[string]string{"/id": s.id(), "/access": s.access(), "/jwt": s.jwt()} {
		a := s.ask("GET", "/prod"+path, "", "Authorization: "+token)
		a.expect(t, path, 403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:`+id+`/prod/GET`+path+`"}`)
		if a.errorType() != "AccessDeniedException" {
			t.Errorf("%s: %s", path, a.errorType())
		}
		s.log.expect(path, a, map[string]string{"error.responseType": "ACCESS_DENIED", "authorizer.status": "200", "authorizer.claims.sub": "user-1"})
		s.ask("GET", "/prod"+path, "", "Authorization: x").expectError(t, path+" without a token", 401, "Unauthorized", "UnauthorizedException")
	}
	s.log.check()
	if n := s.backend.requests.Load(); n != 0 {
		t.Errorf("%d requests reached the backend", n)
	}
	s.deploy("prod", s.document(policy("execute-api:/*/GET/id")), nil)
	s.ask("GET", "/prod/id", "", "Authorization: "+s.id()).expect(t, "allowed", 200, "sub=user-1 use=id groups=a,b")
	s.ask("GET", "/prod/id/", "", "Authorization: "+s.id()).expect(t, "another path to the method", 403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:`+id+`/prod/GET/id/"}`)
}
