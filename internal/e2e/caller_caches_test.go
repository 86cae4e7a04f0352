package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// In either mode of a response cache, an answer that was made for one caller is
// never another's, and what one may not have is not answered from what another has
// got; with x-tidegate-cache-across-callers it is one for all that may call.
func TestCachesOfCallers(t *testing.T) {
	owner := startOwner(t)
	key := gatetest.NewSigningKey(t, "k", "ES256")
	issuer := gatetest.NewIssuer(t, false, key)
	backend := newCounting(t, func(n int64, r *http.Request) string {
		return ok(fmt.Sprintf("%d for %s%s", n, r.Header.Get("X-Told-Id"), r.Header.Get("X-Told-Sub")), "Cache-Control: public, max-age=600")
	})
	d := start(t, host{more: fmt.Sprintf("tokens: {allow_http: true, allow_private: true, user_pools: [{pool: us-east-1_shop, issuer: %q}]}", issuer.URL)})
	document := callersAPI(backend.Addr, "", []string{
		tokenScheme("token", owner.http(), ""), requestScheme("request", owner.http(), "method.request.header.X-User", ""),
		requestScheme("each", owner.http(), "method.request.header.X-User", ", authorizerResultTtlInSeconds: 0"), requestScheme("anybody", owner.http(), "", ", authorizerResultTtlInSeconds: 0"),
		fmt.Sprintf(`pool: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: [%q]}}`, userPool),
	}, map[string]string{"/token": "[{token: []}]", "/request": "[{request: []}]", "/pool": "[{pool: []}]", "/shared": "[{token: []}]", "/each": "[{each: []}]", "/anybody": "[{anybody: []}]"})
	at := strings.Index(document, "  /shared:")
	document = document[:at] + strings.Replace(document[at:], "httpMethod: GET,", "httpMethod: GET, x-tidegate-cache-across-callers: true,", 1)
	id := ""
	for _, mode := range []string{"aws", "standard"} {
		id = d.deploy(mode, document, nil)
		a := d.account(t)
		a.patchStage(id, mode, "/cacheClusterEnabled", "true", "/*/*/caching/enabled", "true", "/x-tidegate-cache-mode", mode)
		for _, path := range []string{"token", "request", "pool", "shared", "each", "anybody"} {
			a.patchStage(id, mode, "/~1"+path+"/ANY/caching/enabled", "true", "/~1"+path+"/ANY/caching/ttlInSeconds", "600")
		}
	}
	user := func(sub, jti string) string {
		return key.Token(issuer.Claims(gatetest.Claims{"sub": sub, "jti": jti, "aud": "web", "token_use": "id"}))
	}
	ann, bob := user("ann", "1"), user("bob", "1")
	for _, mode := range []string{"aws", "standard"} {
		ask := func(path string, fields ...string) string {
			t.Helper()
			answer := d.ask("GET", "/"+mode+path, "", fields...)
			return fmt.Sprint(answer.status, " ", answer.body)
		}
		for _, c := range []struct {
			path       string
			one, other string // fields of two callers
			denied     string // of one that may not call
		}{
			{"/token", "Authorization: allow-1", "Authorization: allow-2", "Authorization: deny"},
			{"/request", "X-User: allow-1", "X-User: allow-2", "X-User: deny"},
			{"/each", "X-User: allow-1", "X-User: allow-2", "X-User: deny"}, // which is asked each time
			{"/pool", "Authorization: " + ann, "Authorization: " + bob, "Authorization: " + ann[:len(ann)-4] + "AAAA"},
		} {
			one, other := ask(c.path, c.one), ask(c.path, c.other)
			if one == other || !strings.HasPrefix(one, "200 ") || !strings.HasPrefix(other, "200 ") {
				t.Errorf("%s%s: %q, then another gets %q", mode, c.path, one, other)
			}
			if again, others := ask(c.path, c.one), ask(c.path, c.other); again != one || others != other {
				t.Errorf("%s%s: %q and %q, then %q and %q", mode, c.path, one, other, again, others)
			}
			for _, field := range []string{c.denied, "X-Nobody: 1"} {
				if got := ask(c.path, field); strings.HasPrefix(got, "200 ") {
					t.Errorf("%s%s: %s gets %q", mode, c.path, field, got)
				}
			}
		}
		// Another token of the same user may say other things of it.
		if first, second := ask("/pool", "Authorization: "+ann), ask("/pool", "Authorization: "+user("ann", "2")); first == second {
			t.Errorf("%s: two tokens: %q", mode, first)
		}
		// Who cannot be told apart is never answered from the cache.
		if first, second := ask("/anybody", "X-User: allow-1"), ask("/anybody", "X-User: allow-1"); first == second {
			t.Errorf("%s: whoever calls gets %q", mode, first)
		}
		one := ask("/shared", "Authorization: allow-1")
		if other := ask("/shared", "Authorization: allow-2"); other != one {
			t.Errorf("%s across callers: %q and %q", mode, one, other)
		}
		if got := ask("/shared", "Authorization: deny"); !strings.HasPrefix(got, "403 ") {
			t.Errorf("%s across callers: who may not gets %q", mode, got)
		}
	}
	// What an authorizer says of a caller may change, and with it what the backend
	// answers.
	before := d.ask("GET", "/aws/token", "", "Authorization: allow-1").body
	owner.named("allow-1", "another-key")
	stage := "aws"
	if _, err := d.sdk().FlushStageAuthorizersCache(t.Context(), &apigateway.FlushStageAuthorizersCacheInput{RestApiId: &id, StageName: &stage}); err != nil {
		t.Fatal(err)
	}
	if after := d.ask("GET", "/aws/token", "", "Authorization: allow-1").body; after == before {
		t.Errorf("the authorizer says something else, and the answer is still %q", after)
	}
}
