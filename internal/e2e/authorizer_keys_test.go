package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// The API key that an authorizer names is charged, with its plan's throttle and
// quota, whatever key the client sends; without one, or with one that is in no plan
// of the stage, a request is refused.
func TestKeysOfAuthorizers(t *testing.T) {
	awayFromMidnight()
	g := startGuarded(t, "")
	id := g.deploy("prod", callersAPI(g.backend.addr, "x-amazon-apigateway-api-key-source: AUTHORIZER", []string{
		tokenScheme("token", g.owner.http(), ""), requestScheme("each", functionURI, "method.request.header.X-User", ", authorizerResultTtlInSeconds: 0"),
		"key: {type: apiKey, in: header, name: x-api-key}",
	}, map[string]string{"/pets": "[{token: [], key: []}]", "/each": "[{each: [], key: []}]", "/free": "[{token: []}]"}), nil)
	a := g.account(t)
	slow := a.plan(throttle(0.0001, 2), nil, id+":prod")
	few := a.plan(nil, quota(3, types.QuotaPeriodTypeDay), id+":prod")
	_, first := a.key(slow)
	secondID, second := a.key(few)
	_, planless := a.key()
	for token, key := range map[string]string{"allow-1": first, "allow-2": second, "allow-3": planless, "allow-4": "0123456789012345678901234567890123456789", "deny-1": first} {
		g.owner.named(token, key)
	}
	me := func(token string) string { return "id=user|" + token + " tenant=blue level=7 admin=true" }
	ask := func(what, path, token string, status int, body string, fields ...string) {
		t.Helper()
		answer := g.ask("GET", "/prod"+path, "", append(fields, "Authorization: "+token, "X-User: "+token)...)
		answer.expect(t, what, status, body)
		responseType := map[string]string{forbidden: "INVALID_API_KEY", tooManyRequests: "THROTTLED", limitExceeded: "QUOTA_EXCEEDED"}[body]
		if responseType != "" {
			g.log.expect(what, answer, map[string]string{"error.responseType": responseType, "authorizer.status": "200", "authorizer.principalId": "user|" + token})
		}
	}
	ask("no key", "/pets", "allow", 403, forbidden)
	ask("no key, and the client sends one", "/pets", "allow", 403, forbidden, "X-API-Key: "+first)
	ask("a key of no plan", "/pets", "allow-3", 403, forbidden)
	ask("a key that is none", "/pets", "allow-4", 403, forbidden)
	ask("no key asked for", "/free", "allow", 200, me("allow"))
	for range 3 { // what is denied is not charged
		ask("denied", "/pets", "deny-1", 403, `{"Message":"User is not authorized to access this resource with an explicit deny"}`)
	}
	ask("throttled plan", "/pets", "allow-1", 200, me("allow-1"))
	ask("throttled plan, another method", "/each", "allow-1", 200, me("allow-1"))
	ask("throttled", "/pets", "allow-1", 429, tooManyRequests)
	ask("throttled, each asks", "/each", "allow-1", 429, tooManyRequests)
	for range 3 {
		ask("plan with a quota", "/each", "allow-2", 200, me("allow-2"))
	}
	ask("quota", "/pets", "allow-2", 429, limitExceeded)
	ask("quota, and the client sends another's key", "/pets", "allow-2", 429, limitExceeded, "X-API-Key: "+first)
	g.log.check()
	if used, remaining := a.used(few, secondID); used != 3 || remaining != 0 {
		t.Errorf("used %d, remaining %d", used, remaining)
	}
}
