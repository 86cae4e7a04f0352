package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
)

// guardedStage is a gateway whose API has authorizers of the owner's.
type guardedStage struct {
	*daemon
	owner   *owner
	backend *told
	log     *logged
}

func startGuarded(t testing.TB, more string) *guardedStage {
	t.Helper()
	g := &guardedStage{owner: startOwner(t), backend: startTold(t)}
	g.daemon = start(t, host{more: fmt.Sprintf("lambda: {endpoint: \"http://%s\"}\n%s", g.owner.addr, more), logged: "[authorizer.tenant]"})
	g.log = &logged{d: g.daemon}
	return g
}

// Whatever an authorizer answers, of either type, as an HTTP endpoint or as a
// function, the caller gets what it gets on AWS, and the log says why.
func TestAuthorizerOutcomes(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, "authorizers: {timeout: 1s}")
	sources := "method.request.header.X-User"
	g.deploy("prod", callersAPI(g.backend.addr, "", []string{
		tokenScheme("token", g.owner.http(), ""), tokenScheme("function", functionURI, ""),
		requestScheme("request", g.owner.http(), sources, ""), requestScheme("event", functionURI, sources, ""),
	}, map[string]string{"/token": "[{token: []}]", "/function": "[{function: []}]", "/request": "[{request: []}]", "/event": "[{event: []}]"}), nil)
	const (
		failure  = `{"message":"Internal server error"}`
		null     = `{"message":null}`
		silent   = `{"Message":"User is not authorized to access this resource"}`
		explicit = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
		unknown  = `{"message":"Unauthorized"}`
	)
	type want struct {
		status       int
		body         string
		errorType    string
		responseType string
		logged       string // authorizer.status
		calls        int    // of two requests
		wrong        string // in the log
	}
	allowed := want{200, "id=user|allow tenant=blue level=7 admin=true", "", "-", "200", 1, ""}
	invalid := func(wrong string) want {
		return want{500, null, "AuthorizerConfigurationException", "AUTHORIZER_CONFIGURATION_ERROR", "500", 2, wrong}
	}
	broken := func(wrong string) want {
		return want{500, failure, "AuthorizerFailureException", "AUTHORIZER_FAILURE", "500", 2, wrong}
	}
	for token, wants := range map[string][2]want{ // of an endpoint, and of a function where that differs
		"allow":   {allowed},
		"deny":    {{403, explicit, "AccessDeniedException", "ACCESS_DENIED", "200", 1, ""}},
		"silent":  {{403, silent, "AccessDeniedException", "ACCESS_DENIED", "200", 1, ""}},
		"unknown": {{401, unknown, "UnauthorizedException", "UNAUTHORIZED", "401", 2, ""}},
		"throws":  {broken("answered with status 500"), invalid(`failed: "no idea"`)},
		"objects": {invalid("context.tenant: must be a string, a number or a boolean")},
		"nobody":  {invalid("the answer has no principalId")},
		"simple":  {invalid("simple response")},
		"huge":    {invalid("more than 65536 bytes")},
		"text":    {invalid("is not JSON")},
		"slow":    {broken("deadline exceeded")},
	} {
		for path, field := range map[string]string{"/token": "Authorization", "/function": "Authorization", "/request": "X-User", "/event": "X-User"} {
			w, what := wants[0], strings.TrimPrefix(path, "/")+": "+token
			if path == "/function" || path == "/event" {
				if wants[1].status != 0 {
					w = wants[1]
				}
			}
			if token == "slow" && path != "/token" && path != "/event" {
				continue // each takes a second
			}
			before, _ := g.owner.calls(0)
			for n := range 2 {
				a := g.ask("GET", "/prod"+path, "", field+": "+token)
				a.expect(t, what, w.status, w.body)
				if a.errorType() != w.errorType || a.header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s: %v", what, a.header)
				}
				members := map[string]string{"error.responseType": w.responseType, "authorizer.status": w.logged, "identity.user": "-"}
				if w.status == 200 {
					members["authorizer.principalId"], members["authorizer.tenant"] = "user|allow", "blue"
				}
				if w.wrong == "" {
					members["authorizer.error"] = "-"
				}
				if n == 1 && w.calls == 1 { // remembered
					members["authorizer.latency"], members["authorizer.integrationLatency"] = "0", "0"
				}
				g.log.expect(what, a, members)
			}
			g.owner.expectCalls(t, what, before, w.calls)
			if w.wrong == "" {
				continue
			}
			if s := g.authorizer(t, strings.TrimPrefix(path, "/")); !strings.Contains(s.LastError, w.wrong) || s.FailedAt == nil {
				t.Errorf("%s: the status says %q at %v", what, s.LastError, s.FailedAt)
			}
		}
	}
	g.log.check()
	if n := g.backend.requests.Load(); n != 8 {
		t.Errorf("%d requests reached the backend, want those that were allowed", n)
	}
	if n, err := readMetric(g.admin, "tidegate_authorizer_lookups_total", `result="hit"`); err != nil || n != 12 {
		t.Errorf("%v hits, %v", n, err)
	}
	for outcome, want := range map[string]float64{"decided": 12, "unauthorized": 8} {
		if n, err := readMetric(g.admin, "tidegate_authorizer_calls_total", `outcome="`+outcome+`"`); err != nil || n != want {
			t.Errorf("%s: %v, %v", outcome, n, err)
		}
	}
}

// authorizer is what the status says of one.
func (g *guardedStage) authorizer(t *testing.T, name string) control.AuthorizerStatus {
	t.Helper()
	status, err := g.client.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range status.Authorizers {
		if a.Name == name && a.Stage == "prod" && a.APIName == "test" {
			return a
		}
	}
	t.Fatalf("no authorizer %s in %+v", name, status.Authorizers)
	return control.AuthorizerStatus{}
}

// A request that does not say who calls, in every source and in the form that is
// asked for, is refused, and nobody is asked.
func TestIdentitySources(t *testing.T) {
	g := startGuarded(t, "")
	sources := "method.request.header.X-User, method.request.querystring.tenant, context.httpMethod, stageVariables.env"
	api := callersAPI(g.backend.addr, "", []string{
		tokenScheme("token", g.owner.http(), `, identityValidationExpression: "Bearer [a-z]+(-[0-9]+)?"`),
		requestScheme("request", g.owner.http(), sources, ""),
		requestScheme("each", g.owner.http(), "", ", authorizerResultTtlInSeconds: 0"),
	}, map[string]string{"/token": "[{token: []}]", "/request": "[{request: []}]", "/each": "[{each: []}]"})
	g.deploy("prod", api, map[string]string{"env": "live"})
	g.deploy("bare", api, nil)
	refused := func(target string, fields ...string) {
		t.Helper()
		before, _ := g.owner.calls(0)
		what := fmt.Sprint(target, fields)
		a := g.ask("GET", target, "", fields...)
		a.expectError(t, what, 401, "Unauthorized", "UnauthorizedException")
		g.owner.expectCalls(t, what, before, 0)
		g.log.expect(what, a, map[string]string{"error.responseType": "UNAUTHORIZED", "authorizer.status": "-", "authorizer.latency": "-"})
	}
	served := func(target string, calls int, fields ...string) {
		t.Helper()
		before, _ := g.owner.calls(0)
		what := fmt.Sprint(target, fields)
		if a := g.ask("GET", target, "", fields...); a.status != 200 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
		g.owner.expectCalls(t, what, before, calls)
	}
	refused("/prod/token")
	for _, value := range []string{"", "allow", "Bearer", "Bearer allow1", "xBearer allow", "Bearer allow-1x", "bearer allow"} {
		refused("/prod/token", "Authorization: "+value)
	}
	served("/prod/token", 1, "Authorization: Bearer allow")
	served("/prod/token", 0, "authorization: Bearer allow")
	served("/prod/token", 1, "Authorization: Bearer allow-2")

	const user = "X-User: allow"
	refused("/prod/request?tenant=a")
	refused("/prod/request", user)
	refused("/prod/request?tenant=", user)
	refused("/prod/request?Tenant=a", user)
	refused("/prod/request?tenant=a", "X-User: ")
	refused("/bare/request?tenant=a", user) // where the stage has no such variable
	served("/prod/request?tenant=a", 1, user)
	served("/prod/request?tenant=a&other=b", 0, user)
	served("/prod/request?tenant=b", 1, user)
	served("/prod/request?tenant=a", 1, user, user) // two of them are another caller
	served("/prod/each", 1, user)
	served("/prod/each", 1, user)
	g.log.check()
	if s := g.authorizer(t, "token"); s.Invalid != 6 || s.Hits != 1 || s.Calls != 2 || s.Remembered != 2 {
		t.Errorf("%+v", s)
	}
}

// What the owner's code is told.
func TestAuthorizerEvents(t *testing.T) {
	g := startGuarded(t, "")
	id := g.deploy("prod", callersAPI(g.backend.addr, "", []string{
		tokenScheme("token", g.owner.http(), ""), requestScheme("request", functionURI, "method.request.header.X-User", ""),
	}, map[string]string{"/pets/{pet}": "[{token: []}]", "/pets/{pet}/toys/{toy+}": "[{request: []}]"}), map[string]string{"env": "live"})
	g.ask("GET", "/prod/pets/a%20b", "", "Authorization: allow").expect(t, "token", 200, "id=user|allow tenant=blue level=7 admin=true")
	if _, events := g.owner.calls(0); len(events) != 1 || events[0] != `{"type":"TOKEN","authorizationToken":"allow","methodArn":"arn:aws:execute-api:us-east-1:000000000000:`+id+`/prod/GET/pets/a%20b"}` {
		t.Errorf("%v", events)
	}
	a := g.ask("POST", "/prod/pets/6/toys/a/b?q=1&q=2&e=%C3%A9", "a body", "X-User: allow", "X-Two: 1", "x-two: 2", "Host: Some.Example", "User-Agent: test")
	a.expect(t, "request", 200, "id=user|allow tenant=blue level=7 admin=true")
	_, events := g.owner.calls(1)
	if len(events) != 1 || strings.Contains(events[0], "a body") {
		t.Fatalf("%v", events)
	}
	var e struct {
		Type, MethodARN, Resource, Path, HTTPMethod string
		Headers, QueryStringParameters              map[string]string
		MultiValueHeaders                           map[string][]string
		MultiValueQueryStringParameters             map[string][]string
		PathParameters, StageVariables              map[string]string
		RequestContext                              struct {
			ResourcePath, HTTPMethod, Path, AccountID, Stage, RequestID, ExtendedRequestID, DomainName, APIID, Protocol string
			Identity                                                                                                    struct{ SourceIP, UserAgent string }
		}
	}
	if err := json.Unmarshal([]byte(events[0]), &e); err != nil {
		t.Fatal(err)
	}
	c := e.RequestContext
	for what, pair := range map[string][2]any{
		"type": {e.Type, "REQUEST"}, "methodArn": {e.MethodARN, "arn:aws:execute-api:us-east-1:000000000000:" + id + "/prod/POST/pets/6/toys/a/b"},
		"resource": {e.Resource, "/pets/{pet}/toys/{toy+}"}, "path": {e.Path, "/pets/6/toys/a/b"}, "httpMethod": {e.HTTPMethod, "POST"},
		"headers": {e.Headers["X-Two"], "2"}, "multiValueHeaders": {fmt.Sprint(e.MultiValueHeaders["X-Two"]), "[1 2]"},
		"queryStringParameters":           {e.QueryStringParameters["q"] + e.QueryStringParameters["e"], "2é"},
		"multiValueQueryStringParameters": {fmt.Sprint(e.MultiValueQueryStringParameters["q"]), "[1 2]"},
		"pathParameters":                  {fmt.Sprint(e.PathParameters), "map[pet:6 toy:a/b]"}, "stageVariables": {fmt.Sprint(e.StageVariables), "map[env:live]"},
		"requestContext": {fmt.Sprint(c.ResourcePath, " ", c.HTTPMethod, " ", c.Path, " ", c.AccountID, " ", c.Stage, " ", c.DomainName, " ", c.APIID, " ", c.Protocol),
			"/pets/{pet}/toys/{toy+} POST /prod/pets/6/toys/a/b 000000000000 prod some.example " + id + " HTTP/1.1"},
		"ids":      {c.RequestID + c.ExtendedRequestID, a.header.Get("x-amzn-RequestId") + a.header.Get("x-amz-apigw-id")},
		"identity": {c.Identity.SourceIP + c.Identity.UserAgent, "127.0.0.1test"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	g.log.expect("request", a, map[string]string{"authorizer.latency": g.backend.latency.Load().(string), "authorizer.principalId": "user|allow"})
	g.log.check()
	if _, err := strconv.Atoi(g.backend.latency.Load().(string)); err != nil {
		t.Errorf("the backend was told of a latency of %q", g.backend.latency.Load())
	}
}

// A policy is remembered for who calls and whatever is called, as on AWS: until it
// is flushed, or the authorizer is another.
func TestRememberedPolicies(t *testing.T) {
	g := startGuarded(t, "")
	document := func(more string) string {
		return callersAPI(g.backend.addr, "", []string{tokenScheme("token", g.owner.http(), more)},
			map[string]string{"/a": "[{token: []}]", "/b": "[{token: []}]"})
	}
	id := g.deploy("prod", document(""), nil)
	g.deploy("test", document(""), nil)
	total := 0
	ask := func(what, target string, calls, status int) {
		t.Helper()
		if a := g.ask("GET", target, "", "Authorization: allow"); a.status != status {
			t.Errorf("%s: %s: %d %s", what, target, a.status, a.body)
		}
		total = g.owner.expectCalls(t, what, total, calls)
	}
	ask("first", "/prod/a", 1, 200)
	ask("another method", "/prod/b", 0, 200)
	ask("another stage", "/test/a", 1, 200)
	g.deploy("prod", document(""), nil)
	ask("deployed again", "/prod/a", 0, 200)
	client, ctx, stage := g.sdk(), context.Background(), "prod"
	if _, err := client.FlushStageAuthorizersCache(ctx, &apigateway.FlushStageAuthorizersCacheInput{RestApiId: &id, StageName: &stage}); err != nil {
		t.Fatal(err)
	}
	ask("flushed", "/prod/a", 1, 200)
	ask("and remembered anew", "/prod/b", 0, 200)
	ask("another stage is not", "/test/a", 0, 200)
	g.deploy("prod", document(", authorizerResultTtlInSeconds: 60"), nil)
	ask("another authorizer", "/prod/a", 1, 200)

	// As UpdateAuthorizer changes it: with the next deployment, and never before.
	list, err := client.GetAuthorizers(ctx, &apigateway.GetAuthorizersInput{RestApiId: &id})
	if err != nil || len(list.Items) != 1 {
		t.Fatal(list, err)
	}
	if _, err := client.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: &id, AuthorizerId: list.Items[0].Id,
		PatchOperations: replace("/authorizerResultTtlInSeconds", "0")}); err != nil {
		t.Fatal(err)
	}
	ask("changed and not deployed", "/prod/a", 0, 200)
	if _, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: &id, StageName: &stage}); err != nil {
		t.Fatal(err)
	}
	ask("deployed", "/prod/a", 1, 200)
	ask("and nothing is remembered", "/prod/a", 1, 200)
	var notFound *types.NotFoundException
	none := "none"
	if _, err := client.FlushStageAuthorizersCache(ctx, &apigateway.FlushStageAuthorizersCacheInput{RestApiId: &id, StageName: &none}); !errors.As(err, &notFound) {
		t.Errorf("a stage that is not: %v", err)
	}
}

// TestChecklist20Authorizer: a TOKEN authorizer without its field, and a second
// path with a policy for the first, which is remembered.
func TestChecklist20Authorizer(t *testing.T) {
	g := startGuarded(t, "")
	g.deploy("prod", callersAPI(g.backend.addr, "", []string{tokenScheme("token", functionURI, "")},
		map[string]string{"/first": "[{token: []}]", "/second": "[{token: []}]"}), nil)
	g.ask("GET", "/prod/first", "").expectError(t, "no field", 401, "Unauthorized", "UnauthorizedException")
	g.owner.expectCalls(t, "no field", 0, 0)
	const narrow = "Authorization: narrow"
	g.ask("GET", "/prod/first", "", narrow).expect(t, "the path that it was asked for", 200, "id=user|narrow")
	a := g.ask("GET", "/prod/second", "", narrow)
	a.expect(t, "another path", 403, `{"Message":"User is not authorized to access this resource"}`)
	if a.errorType() != "AccessDeniedException" {
		t.Error(a.errorType())
	}
	g.ask("GET", "/prod/first", "", narrow).expect(t, "the first again", 200, "id=user|narrow")
	g.owner.expectCalls(t, "all", 0, 1)
}

// TestChecklist21AuthorizerAndPolicy: what the authorizer allows counts together
// with a resource policy: silent, it is allowed; what that denies is denied before
// anybody is asked.
func TestChecklist21AuthorizerAndPolicy(t *testing.T) {
	g := startGuarded(t, "")
	with := func(effect, resource string) (id string) {
		policy := fmt.Sprintf(`x-amazon-apigateway-policy: {Version: "2012-10-17", Statement: [{Effect: %s, Principal: "*", Action: "execute-api:Invoke", Resource: %q}]}`, effect, resource)
		return g.deploy("prod", callersAPI(g.backend.addr, policy, []string{tokenScheme("token", g.owner.http(), "")}, map[string]string{"/pets": "[{token: []}]"}), nil)
	}
	const silent, explicit = `{"Message":"User is not authorized to access this resource"}`, `{"Message":"User is not authorized to access this resource with an explicit deny"}`
	expect := func(what, token string, status int, body string) {
		t.Helper()
		g.ask("GET", "/prod/pets", "", "Authorization: "+token).expect(t, what, status, body)
	}
	const me = "id=user|allow tenant=blue level=7 admin=true"
	with("Allow", "execute-api:/prod/GET/else")
	expect("both: allow, silent", "allow", 200, me)
	expect("both: silent, silent", "silent", 403, silent)
	expect("both: deny, silent", "deny", 403, explicit)
	with("Allow", "execute-api:/*")
	expect("both: allow, allow", "allow", 200, me)
	expect("both: silent, allow", "silent", 200, "id=user|silent")
	expect("both: deny, allow", "deny", 403, explicit)
	id := with("Deny", "execute-api:/prod/GET/pets")
	before, _ := g.owner.calls(0)
	denied := `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:` + id + `/prod/GET/pets with an explicit deny"}`
	expect("both: allow, deny", "allow", 403, denied)
	expect("both: new, deny", "allow-2", 403, denied)
	expect("nobody, deny", "", 403, denied)
	g.ask("GET", "/prod/pets/", "", "Authorization: allow").expect(t, "by another path", 403, denied)
	g.owner.expectCalls(t, "what the resource policy denies", before, 0)
}
