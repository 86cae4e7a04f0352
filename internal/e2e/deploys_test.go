package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// revision is an API every answer of which names its revision twice: GET /http
// in the body, which echoes the path that the backend got, and in a header that
// is mapped when the answer comes; GET /mock in body and header.
func revision(n int) string {
	return strings.NewReplacer("REVISION", strconv.Itoa(n)).Replace(`openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /http:
    get:
      responses: {"200": {description: ok, headers: {X-Revision: {schema: {type: string}}, X-Variable: {schema: {type: string}}}}}
      x-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: "http://${stageVariables.backend}/REVISION", responses: {default: {statusCode: "200",
        responseParameters: {method.response.header.X-Revision: "'REVISION'", method.response.header.X-Variable: stageVariables.revision}}}}
  /mock:
    get:
      responses: {"200": {description: ok, headers: {X-Revision: {schema: {type: string}}, X-Variable: {schema: {type: string}}}}}
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200",
        responseParameters: {method.response.header.X-Revision: "'REVISION'", method.response.header.X-Variable: stageVariables.revision},
        responseTemplates: {application/json: 'REVISION'}}}}
`)
}

// oneRevision asks both methods and checks that each answer has one revision,
// and none older than the last.
func oneRevision() func(*client, int) error {
	return func(c *client, turn int) error {
		last := 0
		for _, path := range []string{"/prod/http", "/prod/mock", "/prod/http"} {
			a, err := c.ask("GET", path, "")
			if err != nil {
				return err
			}
			body := strings.TrimPrefix(a.body, "/")
			if a.status != 200 || body != a.header.Get("X-Revision") || body != a.header.Get("X-Variable") {
				return fmt.Errorf("%s: %d %q, X-Revision %q, X-Variable %q", path, a.status, a.body, a.header.Get("X-Revision"), a.header.Get("X-Variable"))
			}
			n, err := strconv.Atoi(body)
			if err != nil || n < last {
				return fmt.Errorf("%s: revision %q after %d", path, body, last)
			}
			last = n
		}
		return nil
	}
}

// echoPath is a backend that answers with the path it was asked for.
func echoPath(t *testing.T) (addr string) {
	t.Helper()
	server := &http.Server{Addr: freeAddr(t), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}), ErrorLog: discardLog}
	go func() { _ = server.ListenAndServe() }()
	t.Cleanup(func() { _ = server.Close() })
	eventually(t, 5*time.Second, func() error {
		c, err := dial(server.Addr)
		if err == nil {
			_ = c.conn.Close()
		}
		return err
	})
	return server.Addr
}

// TestHundredDeploymentsUnderLoad changes document, variables and backend a
// hundred times, while the requests are so many that some wait for a backend
// connection.
func TestHundredDeploymentsUnderLoad(t *testing.T) {
	backends := []string{echoPath(t), echoPath(t), echoPath(t)}
	d := start(t, host{more: "upstream: {idle_timeout: 1s, max_connections: 8}"})
	variables := func(n int) map[string]string {
		return map[string]string{"backend": backends[n%len(backends)], "revision": strconv.Itoa(n)}
	}
	id := d.deploy("prod", revision(1), variables(1))
	// The first load finds what the steady state takes.
	warm := newTraffic(32, d.addr, 0, oneRevision())
	time.Sleep(500 * time.Millisecond)
	warm.Stop(t)
	quiet := func() (int, float64) {
		d.client.Close()
		eventually(t, 10*time.Second, func() error {
			if n := d.metric("tidegate_upstream_connections_open"); n != 0 {
				return fmt.Errorf("%g upstream connections are open", n)
			}
			return nil
		})
		return d.descriptors(), d.metric("go_goroutines")
	}
	descriptors, goroutines := quiet()

	tr := newTraffic(32, d.addr, 0, oneRevision())
	ctx := context.Background()
	for n := 2; n <= 101; n++ {
		if _, err := d.client.Put(ctx, id, []byte(revision(n)), "overwrite", control.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.client.Deploy(ctx, id, control.DeployInput{Stage: "prod", Variables: variables(n)}); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 { // acknowledged is served
			a := d.ask("GET", "/prod/mock", "")
			a.expect(t, "after the deployment", 200, strconv.Itoa(n))
		}
	}
	tr.Stop(t)
	t.Logf("%d rounds of requests during 100 deployments", tr.requests.Load())
	eventually(t, 5*time.Second, func() error {
		if after, g := quiet(); after > descriptors || g > goroutines {
			return fmt.Errorf("%d descriptors and %g goroutines, %d and %g before", after, g, descriptors, goroutines)
		}
		return nil
	})
	deployments, err := d.client.Deployments(ctx, id)
	if err != nil || len(deployments) != 101 || deployments[100].Number != 101 {
		t.Errorf("%d deployments, %v", len(deployments), err)
	}
}
