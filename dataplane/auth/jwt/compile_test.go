package jwt

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func jwtDef(change ...func(*definition.Authorizer)) *definition.Authorizer {
	d := &definition.Authorizer{Name: "who", Type: definition.AuthorizerJWT, Issuer: "https://id.example", Audience: []string{"a"}}
	for _, c := range change {
		c(d)
	}
	return d
}

func poolDef(change ...func(*definition.Authorizer)) *definition.Authorizer {
	d := &definition.Authorizer{Name: "who", Type: definition.AuthorizerUserPools, ProviderARNs: []string{poolARN}}
	for _, c := range change {
		c(d)
	}
	return d
}

type edit = func(*definition.Authorizer)

func TestCompileRefuses(t *testing.T) {
	issuer := func(text string) edit { return func(d *definition.Authorizer) { d.Issuer = text } }
	source := func(text string) edit { return func(d *definition.Authorizer) { d.IdentitySource = text } }
	arns := func(all ...string) edit { return func(d *definition.Authorizer) { d.ProviderARNs = all } }
	for _, c := range []struct {
		def  *definition.Authorizer
		want string
	}{
		{jwtDef(func(d *definition.Authorizer) { d.Type = definition.AuthorizerToken }), `type "TOKEN" verifies no tokens`},
		{jwtDef(issuer("")), "issuer: "},
		{jwtDef(issuer("id.example")), "not an absolute https URL"},
		{jwtDef(issuer("http://id.example")), "write https"},
		{jwtDef(issuer("ftp://id.example")), "not an absolute https URL"},
		{jwtDef(issuer("https://")), "not an absolute https URL"},
		{jwtDef(issuer("https://id.example?a=b")), "without a query"},
		{jwtDef(issuer("https://id.example?")), "without a query"},
		{jwtDef(issuer("https://id.example#")), "without user name and fragment"},
		{jwtDef(issuer("https://user:secret@id.example")), "without user name and fragment"},
		{jwtDef(issuer("https://id.example/a b")), "not a URL"},
		{jwtDef(issuer("https://id.example/\x00")), "not a URL"},
		{jwtDef(issuer("https://id.example/" + strings.Repeat("x", maxURL))), "not a URL of at most"},
		{jwtDef(func(d *definition.Authorizer) { d.Audience = nil }), "audience: has 0 entries"},
		{jwtDef(func(d *definition.Authorizer) { d.Audience = make([]string, 51) }), "audience: has 51 entries"},
		{jwtDef(func(d *definition.Authorizer) { d.Audience = []string{"a", ""} }), "audience[1]: is empty"},
		{jwtDef(func(d *definition.Authorizer) { d.ProviderARNs = []string{poolARN} }), "providerARNs and identityValidationExpression are of type"},
		{jwtDef(func(d *definition.Authorizer) { d.IdentityValidation = ".*" }), "providerARNs and identityValidationExpression are of type"},
		{jwtDef(func(d *definition.Authorizer) { d.URI = "https://f.example" }), "authorizerUri"},
		{jwtDef(source("Authorization")), "identitySource"},
		{jwtDef(source("$request.header.A, $request.header.B")), "identitySource"},
		{jwtDef(source("$request.header.")), "identitySource"},
		{jwtDef(source("$request.querystring.")), "identitySource"},
		{jwtDef(source("$request.body.token")), "identitySource"},
		{jwtDef(source("$context.identity.sourceIp")), "identitySource"},
		{poolDef(source("$request.header.Authorization")), "write method.request.header.NAME"},
		{poolDef(source("method.request.querystring.token")), "write method.request.header.NAME"},
		{poolDef(source("method.request.header.A,method.request.header.B")), "write method.request.header.NAME"},
		{poolDef(arns()), "has 0 user pools"},
		{poolDef(arns(make([]string, 1001)...)), "has 1001 user pools"},
		{poolDef(arns(poolARN, "arn:aws:iam::123456789012:user/x")), "providerARNs[1]: "},
		{poolDef(arns(strings.Replace(poolARN, ":1", ":", 1))), "not the ARN of a user pool"},
		{poolDef(arns(poolARN + "/../x")), "not the ARN of a user pool"},
		{poolDef(arns(poolARN + "\n")), "not the ARN of a user pool"},
		{poolDef(arns(strings.Replace(poolARN, "eu-west-1:", "evil.example/:", 1))), "not the ARN of a user pool"},
		{poolDef(func(d *definition.Authorizer) { d.Issuer = "https://id.example" }), "issuer and audience are of type"},
		{poolDef(func(d *definition.Authorizer) { d.IdentityValidation = "(" }), "identityValidationExpression: "},
		{poolDef(func(d *definition.Authorizer) { d.IdentityValidation = "a)|(?:b" }), "identityValidationExpression: "},
		{poolDef(func(d *definition.Authorizer) { d.Credentials = "arn:aws:iam::1:role/x" }), "authorizerCredentials"},
	} {
		_, err := Compile(c.def, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), `authorizer "who": `) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

func TestNewKeysRefuses(t *testing.T) {
	for want, o := range map[string]Options{
		"jwks_uri of an issuer: ":                       {JWKSURIs: map[string]string{"id.example": "https://id.example/keys"}},
		"jwks_uri of issuer https://id.example: ":       {JWKSURIs: map[string]string{"https://id.example": "http://id.example/keys"}},
		"user pool x: write the id":                     {Pools: map[string]Pool{"x": {Issuer: "https://id.example"}}},
		"user pool eu-west-1_a: say who":                {Pools: map[string]Pool{"eu-west-1_a": {}}},
		"user pool eu-west-1_a: issuer: ":               {Pools: map[string]Pool{"eu-west-1_a": {Issuer: "id.example"}}},
		"user pool eu-west-1_a: jwks_uri: ":             {Pools: map[string]Pool{"eu-west-1_a": {JWKSURI: "http://id.example"}}},
		"user pool arn:aws:cognito-idp:x: write the id": {Pools: map[string]Pool{"arn:aws:cognito-idp:x": {Issuer: "https://id.example"}}},
	} {
		if _, err := NewKeys(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestIssuersOfPools(t *testing.T) {
	const other = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_x"
	keys, err := NewKeys(Options{
		Pools: map[string]Pool{
			"eu-west-1_byId": {Issuer: "https://id.example/pool"},
			other:            {JWKSURI: "https://id.example/keys"},
		},
		JWKSURIs: map[string]string{"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi": "https://mirror.example/keys"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]place{
		poolARN: {"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi", "https://mirror.example/keys"},
		other:   {"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_x", "https://id.example/keys"},
		"arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_byId":             {"https://id.example/pool", ""},
		"arn:aws-us-gov:cognito-idp:us-gov-west-1:123456789012:userpool/us-gov-west-1_x": {"https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_x", ""},
		"arn:aws-cn:cognito-idp:cn-north-1:123456789012:userpool/cn-north-1_x":           {"https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x", ""},
	} {
		a, err := Compile(poolDef(func(d *definition.Authorizer) { d.ProviderARNs = []string{arn, arn} }), keys)
		if err != nil {
			t.Fatal(err)
		}
		i := a.issuers[want.issuer]
		if len(a.issuers) != 1 || i == nil || (place{i.url, i.jwksURI}) != want {
			t.Errorf("%s: %+v", arn, a.issuers)
		}
	}
	// Two pools, one issuer, two places: which keys would count?
	two, err := NewKeys(Options{Pools: map[string]Pool{
		"eu-west-1_a": {Issuer: "https://id.example", JWKSURI: "https://id.example/a"}, "eu-west-1_b": {Issuer: "https://id.example", JWKSURI: "https://id.example/b"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(poolDef(func(d *definition.Authorizer) {
		d.ProviderARNs = []string{strings.Replace(poolARN, "aBcDeFgHi", "a", 1), strings.Replace(poolARN, "aBcDeFgHi", "b", 1)}
	}), two)
	if err == nil || !strings.Contains(err.Error(), "another user pool has the same issuer") {
		t.Error(err)
	}
}

func TestSource(t *testing.T) {
	for _, c := range []struct {
		text  string
		pools bool
		want  Source
	}{
		{"", true, Source{Name: "Authorization"}},
		{"", false, Source{Name: "Authorization"}},
		{"method.request.header.X-Token", true, Source{Name: "X-Token"}},
		{"$request.header.X-Token", false, Source{Name: "X-Token"}},
		{"method.request.header.X-Token", false, Source{Name: "X-Token"}},
		{"$request.querystring.access_token", false, Source{Query: true, Name: "access_token"}},
		{"method.request.querystring.token", false, Source{Query: true, Name: "token"}},
	} {
		def := jwtDef()
		if c.pools {
			def = poolDef()
		}
		def.IdentitySource = c.text
		a, err := Compile(def, nil)
		if err != nil || a.Source() != c.want {
			t.Errorf("%q: %v, %v", c.text, a, err)
		}
	}
	for value, want := range map[string]string{
		"a.b.c": "a.b.c", "Bearer a.b.c": "a.b.c", "bearer a.b.c": "a.b.c", "BEARER   a.b.c": "a.b.c", "Bearer": "Bearer", "Bearer ": "", "": "",
		"Bearera.b.c": "Bearera.b.c", "Basic a.b.c": "Basic a.b.c", "Bearer\ta.b.c": "Bearer\ta.b.c", "Bearer Bearer a": "Bearer a", " Bearer a": " Bearer a",
	} {
		if got := string(Token([]byte(value))); got != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}

// TestConfigurations: verdicts are shared by authorizers that would come to the
// same ones, and by no others.
func TestConfigurations(t *testing.T) {
	keys, err := NewKeys(Options{})
	if err != nil {
		t.Fatal(err)
	}
	ttl := 60
	audiences := func(all ...string) edit { return func(d *definition.Authorizer) { d.Audience = all } }
	seen := map[*verdicts]int{}
	for n, def := range []*definition.Authorizer{
		jwtDef(), jwtDef(func(d *definition.Authorizer) { d.Issuer = "https://id.example/" }), jwtDef(audiences("b")), jwtDef(audiences("a", "b")), jwtDef(audiences("a b")), jwtDef(audiences(`a" "b`)),
		jwtDef(func(d *definition.Authorizer) { d.ResultTTLSeconds = &ttl }),
		poolDef(), poolDef(func(d *definition.Authorizer) { d.IdentityValidation = "a" }), poolDef(func(d *definition.Authorizer) {
			d.ProviderARNs = append(d.ProviderARNs, strings.Replace(poolARN, "aBc", "x", 1))
		}),
	} {
		a, err := Compile(def, keys)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[a.verdicts]; ok {
			t.Errorf("%d shares the verdicts of %d", n, other)
		}
		seen[a.verdicts] = n
	}
	a, err := Compile(jwtDef(audiences("b", "a"), func(d *definition.Authorizer) { d.Name, d.ID = "else", "x" }), keys)
	if err != nil {
		t.Fatal(err)
	}
	if seen[a.verdicts] != 3 {
		t.Error("another name and order, and other verdicts")
	}
}

// A TTL bounds how long a verdict is remembered; 0 remembers none.
func TestTTL(t *testing.T) {
	s := newSigner(t, "k", "ES256", "P-256")
	for _, c := range []struct {
		ttl            int
		atOnce, beyond int64
	}{{0, 2, 3}, {60, 1, 2}, {7200, 1, 1}} {
		r := newRig(t, s)
		r.Authorizer = r.compile(&definition.Authorizer{
			Name: "a", Type: definition.AuthorizerJWT, Issuer: r.idp.issuer, Audience: []string{audience}, ResultTTLSeconds: &c.ttl,
		})
		token := s.token(t, r.long())
		r.expect(Valid, token)
		r.expect(Valid, token)
		if got := r.keys.Counts().Verified; got != c.atOnce {
			t.Errorf("TTL %d: verified %d times", c.ttl, got)
		}
		r.clock.pass(61e9)
		r.expect(Valid, token)
		if got := r.keys.Counts().Verified; got != c.beyond {
			t.Errorf("TTL %d: verified %d times after a minute", c.ttl, got)
		}
	}
}
