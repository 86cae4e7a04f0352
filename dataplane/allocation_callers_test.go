package dataplane_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// guarded is an API whose methods ask for callers in every way, and whose backend
// is told of them.
const guarded = `openapi: 3.0.1
info: {title: test, version: "1"}
components:
  securitySchemes:
    pool: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: cognito_user_pools, providerARNs: ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a"]}}
    jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, identitySource: $request.header.Authorization, jwtConfiguration: {issuer: "ISSUER", audience: [shop]}}}
    token: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authorizer: {type: token, authorizerUri: "http://AUTHORIZER/"}}
    request: {type: apiKey, in: header, name: Unused, x-amazon-apigateway-authorizer: {type: request, authorizerUri: "http://AUTHORIZER/", identitySource: "method.request.header.X-Who, context.path"}}
x-amazon-apigateway-policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*"}]}
paths:
`

func TestCallersAllocateNothing(t *testing.T) {
	key := gatetest.NewSigningKey(t, "1", "ES256")
	issuer := gatetest.NewIssuer(t, false, key)
	backend := gatetest.NewBackend(t, sayOK)
	authorizer := gatetest.Answering(t, func(*http.Request) string {
		const policy = `{"principalId":"me","policyDocument":{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]},"context":{"tenant":"blue"}}`
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(policy), policy)
	})
	g := gatetest.Start(t, func(h *configs.Host) {
		h.Workers = 1
		h.AccessLog.Context = []string{"authorizer.claims.sub", "authorizer.tenant"}
		h.Tokens = configs.Tokens{AllowHTTP: true, AllowPrivate: true, UserPools: []configs.UserPool{{Pool: "us-east-1_a", Issuer: issuer.URL}}}
	})
	document := bytes.ReplaceAll(bytes.ReplaceAll([]byte(guarded), []byte("AUTHORIZER"), []byte(authorizer.Addr)), []byte("ISSUER"), []byte(issuer.URL))
	for _, scheme := range []string{"pool", "jwt", "token", "request"} {
		document = fmt.Appendf(document, `  /%s: {get: {security: [{%s: []}], responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://%s/",
      requestParameters: {integration.request.header.X-Sub: context.authorizer.claims.sub, integration.request.header.X-Tenant: context.authorizer.tenant, integration.request.header.X-Id: context.authorizer.principalId}}}}
`, scheme, scheme, backend.Addr)
	}
	id := g.Deploy("prod", string(document))
	g.Deploy("cached", string(document))
	replace := func(path, value string) control.PatchOperation {
		return control.PatchOperation{Op: "replace", Path: path, Value: value}
	}
	if _, err := g.Client.UpdateStage(context.Background(), id, "cached", replace("/cacheClusterEnabled", "true"), replace("/*/*/caching/enabled", "true")); err != nil {
		t.Fatal(err)
	}
	token := key.Token(issuer.Claims(gatetest.Claims{"aud": "shop", "token_use": "id"}))
	g.Quiet()
	for _, c := range []struct{ path, field, end string }{
		{"/prod/pool", "Authorization: " + token, "ok"},
		{"/prod/jwt", "Authorization: Bearer " + token, "ok"},
		{"/prod/token", "Authorization: x", "ok"},
		{"/prod/request", "X-Who: me", "ok"},
		{"/cached/pool", "Authorization: " + token, "ok"},
		{"/cached/request", "X-Who: me", "ok"},
		{"/prod/jwt", "Authorization: Bearer " + token[:len(token)-2], `{"message":"Unauthorized"}`},
		{"/prod/token", "X-Who: me", `{"message":"Unauthorized"}`},
	} {
		t.Run(c.path+" "+c.end, func(t *testing.T) {
			conn := g.Dial(false)
			defer conn.Close()
			n := allocations(t, conn, counted(8000), "GET "+c.path+" HTTP/1.1\r\nHost: api.example\r\nAccept: */*\r\n"+c.field+"\r\n\r\n", c.end)
			if t.Logf("%.4f allocations per request", n); n >= 0.01 && !underRace {
				t.Errorf("%.4f allocations per request, want none", n)
			}
		})
	}
}

// sayOK answers requests without a body, and allocates nothing for it.
func sayOK(conn net.Conn) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
	buf, n, out := make([]byte, 16<<10), 0, []byte(answer)
	for {
		k, err := conn.Read(buf[n:])
		if err != nil {
			return
		}
		if n += k; !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			continue
		}
		n = 0
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// allocations counts what the whole process allocates for a request, once it has
// been made often. The answer ends with end.
func allocations(t *testing.T, conn net.Conn, count int, text, end string) float64 {
	t.Helper()
	request, last, buf := []byte(text), []byte(end), make([]byte, 16<<10)
	exchange := func() {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], last); {
			k, err := conn.Read(buf[n:])
			if err != nil {
				t.Fatalf("after %q: %v", buf[:n], err)
			}
			n += k
		}
	}
	for range 500 { // buffers grow to their sizes
		exchange()
	}
	return gatetest.Allocations(count, exchange)
}
