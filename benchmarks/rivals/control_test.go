package rivals

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// The calls are those of the Amazon API Gateway REST-JSON API.
func TestControl(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "control.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, r.Method+" "+r.URL.String()+" "+string(body))
		switch {
		case strings.Contains(r.URL.Path, "broken"):
			http.Error(w, `{"message":"no such API"}`, http.StatusNotFound)
		case r.URL.Path == "/apikeys":
			_, _ = io.WriteString(w, `{"id":"key1"}`)
		case r.URL.Path == "/usageplans":
			_, _ = io.WriteString(w, `{"id":"plan1"}`)
		case r.URL.Path == "/tidegate/websocketapis":
			_, _ = io.WriteString(w, `{"apiId":"sock"}`)
		case strings.HasSuffix(r.URL.Path, "/accesskeys"):
			_, _ = io.WriteString(w, `{"accessKeyId":"AKIA1","secretAccessKey":"hidden"}`)
		case r.URL.RawQuery == "mode=import":
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"abc","name":"bench"}`)
		}
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()

	c, ctx := dialControl(socket), context.Background()
	id, err := c.importAPI(ctx, []byte("{}"))
	if err != nil || id != "abc" {
		t.Errorf("import: %q, %v", id, err)
	}
	if err := c.putAPI(ctx, id, []byte(`{"a":1}`)); err != nil {
		t.Error(err)
	}
	if err := c.deploy(ctx, id); err != nil {
		t.Error(err)
	}
	if err := c.deploy(ctx, "broken"); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no such API") {
		t.Errorf("a refused call: %v", err)
	}
	limited := API{Name: "bench", Key: "value", Routes: []Route{{Method: "GET", Path: "/a/b"}}}
	if err := c.limit(ctx, id, limited); err != nil {
		t.Error(err)
	}
	if err := c.cache(ctx, id); err != nil {
		t.Error(err)
	}
	if id, err := c.importWebSocketAPI(ctx, "name: x"); id != "sock" || err != nil {
		t.Errorf("import a WebSocket API: %q, %v", id, err)
	}
	if p, err := c.newPusher(ctx, "http://u", "h"); err != nil || p.signer.AccessKeyID != "AKIA1" || p.signer.SecretAccessKey != "hidden" {
		t.Errorf("a pusher: %+v, %v", p, err)
	}
	if err := c.deny(ctx, id); err != nil {
		t.Error(err)
	}
	want := []string{
		`POST /restapis?mode=import {}`,
		`PUT /restapis/abc?mode=overwrite {"a":1}`,
		`POST /restapis/abc/deployments {"stageName":"prod"}`,
		`POST /restapis/broken/deployments {"stageName":"prod"}`,
		`PATCH /restapis/abc/stages/prod {"patchOperations":[` +
			`{"op":"replace","path":"/*/*/throttling/rateLimit","value":"10000000"},{"op":"replace","path":"/*/*/throttling/burstLimit","value":"10000000"},` +
			`{"op":"replace","path":"/~1a~1b/GET/throttling/rateLimit","value":"10000000"},{"op":"replace","path":"/~1a~1b/GET/throttling/burstLimit","value":"10000000"}]}`,
		`POST /apikeys {"enabled":true,"name":"bench","value":"value"}`,
		`POST /usageplans {"apiStages":[{"apiId":"abc","stage":"prod"}],"name":"bench","quota":{"limit":1000000000,"period":"MONTH"},"throttle":{"burstLimit":10000000,"rateLimit":10000000}}`,
		`POST /usageplans/plan1/keys {"keyId":"key1","keyType":"API_KEY"}`,
		`PATCH /restapis/abc/stages/prod {"patchOperations":[` +
			`{"op":"replace","path":"/cacheClusterEnabled","value":"true"},{"op":"replace","path":"/cacheClusterSize","value":"0.5"},` +
			`{"op":"replace","path":"/*/*/caching/enabled","value":"true"},{"op":"replace","path":"/*/*/caching/ttlInSeconds","value":"3600"}]}`,
		`POST /tidegate/websocketapis name: x`,
		`POST /v2/apis/sock/deployments {"stageName":"prod"}`,
		`POST /tidegate/iam/users {"userName":"bench"}`,
		`PUT /tidegate/iam/users/bench/policies/push {"policyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"execute-api:ManageConnections\",\"Resource\":\"*\"}}"}`,
		`POST /tidegate/iam/users/bench/accesskeys `,
		`PATCH /restapis/abc/stages/prod {"patchOperations":[` +
			`{"op":"replace","path":"/*/*/throttling/rateLimit","value":"0"},{"op":"replace","path":"/*/*/throttling/burstLimit","value":"0"}]}`,
	}
	if got := strings.Join(calls, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("calls:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}
