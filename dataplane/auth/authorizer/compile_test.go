package authorizer

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestCompileAccepts(t *testing.T) {
	set := func(f func(*definition.Authorizer)) *definition.Authorizer { return definitionOf("http://h/x", f) }
	for name, d := range map[string]*definition.Authorizer{
		"defaults":          definitionOf("http://h"),
		"https":             definitionOf("https://user-service.example:8443/a?b=c"),
		"function":          definitionOf(functionURI),
		"variable":          definitionOf(strings.Replace(functionURI, "guard", "${stageVariables.function}", 1)),
		"variable in a URL": definitionOf("http://${stageVariables.tenant}.example/"),
		"token": set(func(d *definition.Authorizer) {
			d.IdentitySource, d.IdentityValidation = " method.request.header.X-Token ", `Bearer [-0-9a-zA-Z._]+`
		}),
		"ttl 0":                  set(func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(0) }),
		"ttl 3600":               set(func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(3600) }),
		"request by certificate": set(byRequest("context.identity.clientCert.clientCertPem,context.identity.clientCert.subjectDN,context.identity.clientCert.validity.notAfter")),
		"request":                set(byRequest("method.request.header.A,method.request.querystring.b, stageVariables.tenant ,context.path,context.identity.sourceIp,context.stage")),
		"many values":            set(byRequest("method.request.multivalueheader.A,method.request.multivaluequerystring.b")),
		"request, no source":     set(func(d *definition.Authorizer) { byRequest("")(d); d.ResultTTLSeconds = seconds(0) }),
		"a variable without one": set(byRequest("stageVariables.none")),
	} {
		for _, store := range []*Store{nil, newStore(t, Options{Lambda: functions{}})} {
			if _, err := Compile(d, scope, store); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	set := func(f func(*definition.Authorizer)) *definition.Authorizer { return definitionOf("http://h/x", f) }
	source := func(text string) *definition.Authorizer { return set(byRequest(text)) }
	token := func(text string) *definition.Authorizer {
		return set(func(d *definition.Authorizer) { d.IdentitySource = text })
	}
	for _, row := range []struct {
		d    *definition.Authorizer
		want string
	}{
		{set(func(d *definition.Authorizer) { d.Type = definition.AuthorizerJWT }), `type "JWT": a custom authorizer is of type TOKEN or REQUEST`},
		{set(func(d *definition.Authorizer) { d.ID = "" }), "has no id"},
		{set(func(d *definition.Authorizer) { d.Credentials = "arn:aws:iam::1:role/r" }), "authorizerCredentials: roles are not assumed"},
		{set(func(d *definition.Authorizer) { d.ProviderARNs = []string{"x"} }), "not of type TOKEN"},
		{set(func(d *definition.Authorizer) { d.Issuer = "x" }), "not of type TOKEN"},
		{set(func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(3601) }), "authorizerResultTtlInSeconds: 3601"},
		{set(func(d *definition.Authorizer) { d.ResultTTLSeconds = seconds(-1) }), "authorizerResultTtlInSeconds: -1"},

		{token("method.request.querystring.a"), "type TOKEN takes one header field"},
		{token("method.request.header.a,method.request.header.b"), "type TOKEN takes one header field"},
		{token("method.request.header.a,stageVariables.tenant"), "type TOKEN takes one header field"},
		{token("stageVariables.tenant"), "type TOKEN takes one header field"},
		{token("context.path"), "type TOKEN takes one header field"},

		{source(""), "remembered for 300 seconds"},
		{source("method.request.header.a,"), `"" is not an identity source`},
		{source("method.request.header."), "a name has letters"},
		{source("method.request.header.a b"), "a name has letters"},
		{source("method.request.header.a\r\nb"), "a name has letters"},
		{source("method.request.path.id"), "path parameters cannot be identity sources"},
		{source("method.request.body"), "is not an identity source"},
		{source("Authorization"), "write method.request.header.NAME"},
		{source("stageVariables."), "is not an identity source"},
		{source("context.identity.clientCert.none"), "not a context variable that is known before"},
		{source("context.authorizer.principalId"), "not a context variable that is known before"},
		{source("$request.header.Authorization"), "payload format 2.0 and simple responses are not supported"},
		{source("$context.routeKey"), "HTTP API"},
		{source("route.request.header.Auth"), "WebSocket"},

		{set(func(d *definition.Authorizer) { d.IdentityValidation = "(" }), "identityValidationExpression: "},
		{set(func(d *definition.Authorizer) { byRequest("context.path")(d); d.IdentityValidation = "x" }), "it is of type TOKEN"},

		{definitionOf(""), "authorizerUri: "},
		{definitionOf("ftp://h/"), "write http:// or https://"},
		{definitionOf("http:///x"), "write http:// or https://"},
		{definitionOf("http://u:p@h/"), "without user"},
		{definitionOf("http://h/#f"), "fragment"},
		{definitionOf("http://h:x/"), "authorizerUri: "},
		{definitionOf("arn:aws:lambda:us-east-1:123456789012:function:guard"), "not of the form arn:aws:apigateway"},
		{definitionOf("arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/guard/response-streaming-invocations"), "streamed"},
	} {
		for _, store := range []*Store{nil, newStore(t, Options{Lambda: functions{}})} {
			if _, err := Compile(row.d, scope, store); err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), `authorizer "guard": `) {
				t.Errorf("%+v: %v; want %q", row.d, err, row.want)
			}
		}
	}
	if _, err := Compile(definitionOf(functionURI), scope, newStore(t, Options{})); err == nil || !strings.Contains(err.Error(), "the host calls none") {
		t.Error(err)
	}
}

func TestExpressions(t *testing.T) {
	for _, row := range []struct {
		text, token string
		want        bool
	}{
		{`Bearer [^ ]+`, "Bearer abc", true}, {`Bearer [^ ]+`, "Bearer a c", false}, {`Bearer [^ ]+`, " Bearer abc", false},
		{`\w{5}`, "abcde", true}, {`\w{5}`, "abcdef", false}, {`\w{5}`, "abcd\n", false},
		{`a|ab`, "ab", true}, {`^a$`, "a", true}, {`(?i)bearer .*`, "BEARER x", true}, {`(?<n>a)\1?`, "", false},
		{`(?m)^a$`, "a\nb", false}, {`a$`, "a\n", false}, {`\Qa.b\E`, "a.b", true}, {`\Qa[b&&\E`, "a[b&&", true},
		{`[a-z\[\]]+`, "a[]", true}, {`a\\[b]`, `a\b`, true}, {`[&]`, "&", true}, {`(?:U)`, "U", true},
	} {
		re, err := compileExpression(row.text)
		if err != nil {
			if row.text == `(?<n>a)\1?` {
				continue
			}
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if got := re.MatchString(row.token); got != row.want {
			t.Errorf("%s on %q: %t", row.text, row.token, got)
		}
	}
	for text, want := range map[string]string{
		`(?=a)a`: "look-around", `(?!a)b`: "look-around", `(?<=a)b`: "look-around", `(a)\1`: "back-references",
		`a++`: "possessive", `a*+b`: "possessive", `(?>a)`: "atomic groups", `a)|(b`: "RE2 syntax", `(`: "RE2 syntax",
		`[a-z&&[^b]]`: "intersections", `[a-z&&b]`: "intersections", `[a[b]]`: "within character classes", `[[:alpha:]]`: "within character classes",
		`[]a]`: "begin with a bracket", `[^]a]`: "begin with a bracket",
		`(?U)\w`: "Unicode", `(?iU:a)`: "Unicode", `\v`: "vertical", `[\v]`: "vertical", `\Qa`: "quotations", `\h`: "RE2 syntax", `\p{Alnum}`: "RE2 syntax", `(?x)a`: "RE2 syntax",
	} {
		if _, err := compileExpression(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", text, err, want)
		}
	}
}

// A variable that is not set makes no endpoint, until it is.
func TestUnresolved(t *testing.T) {
	s := newStore(t, Options{Lambda: functions{}})
	for _, uri := range []string{strings.Replace(functionURI, "guard", "${stageVariables.none}", 1), "http://${stageVariables.none}/", "${stageVariables.none}"} {
		a := compiled(t, definitionOf(uri), s)
		if a.Unresolved == nil || !strings.Contains(a.Unresolved.Error(), "authorizerUri: ") {
			t.Errorf("%s: %v", uri, a.Unresolved)
		}
		if got := authorize(t, a, told("x"), petARN); got != `500 {"message":null}` {
			t.Errorf("%s: %s", uri, got)
		}
	}
}

// FuzzExpression: what is accepted matches no more than the owner wrote.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{`Bearer [^ ]+`, `a|b`, `a)|(b`, `(?i)[a-z\[\]]*\Q&&\E`, `[a&&b]`, `(?iU)x`, `\`, `[\`, `\Q`} {
		f.Add(text, "Bearer x")
		f.Add(text, "ab")
	}
	f.Fuzz(func(t *testing.T, text, token string) {
		re, err := compileExpression(text)
		if err != nil || re == nil {
			return
		}
		if own := regexp.MustCompile(text); re.MatchString(token) && !own.MatchString(token) {
			t.Fatalf("%q matches %q", text, token)
		}
	})
}
