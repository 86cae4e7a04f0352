package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// The items of AWS compatibility, each under its number.

// mocks is an API of mocks: POST /test, GET /pets, and OPTIONS on everything.
const mocks = `openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /test:
    post: {responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: 'test'}}}}}
  /pets:
    get: {responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: 'pets'}}}}}
  /{proxy+}:
    options: {parameters: [{name: proxy, in: path, required: true, schema: {type: string}}],
      responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: 'proxy'}}}}}
`

func startMocks(t *testing.T) *daemon {
	t.Helper()
	d := start(t, host{})
	d.deploy("prod", mocks, nil)
	return d
}

const missingToken, missingTokenType = "Missing Authentication Token", "MissingAuthenticationTokenException"

func TestChecklist1UnknownPath(t *testing.T) {
	d := startMocks(t)
	for _, path := range []string{"/prod/nothing", "/prod/pets/1", "/prod/Pets", "/prod"} {
		d.ask("GET", path, "").expectError(t, path, 403, missingToken, missingTokenType)
	}
	for _, path := range []string{"/", "/nothing", "/prods/pets", "/Prod/pets"} { // no such stage
		d.ask("GET", path, "").expectError(t, path, 403, "Forbidden", "ForbiddenException")
	}
	a := d.ask("GET", "/prod/nothing", "", "Authorization: Bearer abc")
	a.expectError(t, "bearer", 403, "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.",
		"IncompleteSignatureException")
}

func TestChecklist2WrongVerb(t *testing.T) {
	d := startMocks(t)
	for _, verb := range []string{"POST", "HEAD", "DELETE", "TRACE", "BREW"} {
		a := d.ask(verb, "/prod/pets", "")
		if verb == "HEAD" { // no body to look at
			if a.status != 403 || a.errorType() != missingTokenType {
				t.Errorf("HEAD: %d %s", a.status, a.errorType())
			}
			continue
		}
		a.expectError(t, verb, 403, missingToken, missingTokenType)
	}
	d.ask("GET", "/prod/test", "").expectError(t, "GET /test", 403, missingToken, missingTokenType)
	d.ask("POST", "/prod/pets", "", "X-HTTP-Method-Override: GET").expect(t, "override", 200, "pets")
}

func TestChecklist3BacktracksToProxy(t *testing.T) {
	d := startMocks(t)
	d.ask("OPTIONS", "/prod/test", "").expect(t, "OPTIONS /test", 200, "proxy")
	d.ask("POST", "/prod/test", "").expect(t, "POST /test", 200, "test")
	d.ask("OPTIONS", "/prod/pets/1/2", "").expect(t, "OPTIONS /pets/1/2", 200, "proxy")
}

func TestChecklist12EditWithoutDeploy(t *testing.T) {
	d := startMocks(t)
	ctx := context.Background()
	apis, err := d.client.APIs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(mocks, "'pets'", "'edited'", 1)
	if _, err := d.client.Put(ctx, apis[0].ID, []byte(edited), "overwrite", control.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "before the deployment", 200, "pets")
	if _, err := d.client.Deploy(ctx, apis[0].ID, control.DeployInput{Stage: "prod"}); err != nil {
		t.Fatal(err)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "after the deployment", 200, "edited")
}

func TestChecklist13DeletePointedDeployment(t *testing.T) {
	d := startMocks(t)
	client, ctx := d.sdk(), context.Background()
	apis, err := client.GetRestApis(ctx, &apigateway.GetRestApisInput{})
	if err != nil {
		t.Fatal(err)
	}
	id := apis.Items[0].Id
	deployments, err := client.GetDeployments(ctx, &apigateway.GetDeploymentsInput{RestApiId: id})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: id, DeploymentId: deployments.Items[0].Id})
	var bad *types.BadRequestException
	if !errors.As(err, &bad) || bad.ErrorMessage() != "Active stages pointing to this deployment must be moved or deleted" {
		t.Errorf("delete: %v", err)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "afterwards", 200, "pets")
	if _, err := client.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: id, StageName: aws.String("prod")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: id, DeploymentId: deployments.Items[0].Id}); err != nil {
		t.Errorf("delete without a stage: %v", err)
	}
}

func TestChecklist17RemappedHeader(t *testing.T) {
	const challenge = `Basic realm="x"`
	b := gatetest.Answering(t, func(*http.Request) string {
		return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + challenge + "\r\nServer: s/1\r\nContent-Length: 2\r\n\r\nno"
	})
	d := start(t, host{})
	d.deploy("prod", fmt.Sprintf(`openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /http:
    get:
      responses: {"401": {description: no, headers: {WWW-Authenticate: {schema: {type: string}}}}}
      x-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: "http://%[1]s/", responses: {"401": {statusCode: "401",
        responseParameters: {method.response.header.WWW-Authenticate: integration.response.header.WWW-Authenticate}}}}
  /proxy:
    get:
      responses: {"401": {description: no}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://%[1]s/"}
`, b.Addr), nil)
	for _, path := range []string{"/prod/http", "/prod/proxy"} {
		a := d.ask("GET", path, "")
		a.expect(t, path, 401, "no")
		if a.header.Get("WWW-Authenticate") != "" || a.header.Get("x-amzn-Remapped-WWW-Authenticate") != challenge {
			t.Errorf("%s: %v", path, a.header)
		}
		if traced := strings.HasPrefix(a.header.Get("X-Amzn-Trace-Id"), "Root=1-"); traced != (path == "/prod/http") {
			t.Errorf("%s: X-Amzn-Trace-Id is %q", path, a.header.Get("X-Amzn-Trace-Id"))
		}
	}
}

// TestChecklist18UpstreamHangs takes the 29 seconds that it is about, beside
// the other slow tests.
func TestChecklist18UpstreamHangs(t *testing.T) {
	t.Parallel()
	b := gatetest.NewBackend(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	d := start(t, host{})
	d.deploy("prod", fmt.Sprintf(`openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /default:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://%[1]s/"}
  /short:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://%[1]s/", timeoutInMillis: 300}
`, b.Addr), nil)
	for path, timeout := range map[string]time.Duration{"/prod/short": 300 * time.Millisecond, "/prod/default": 29 * time.Second} {
		began := time.Now()
		c, err := dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		_ = c.conn.SetDeadline(began.Add(35 * time.Second))
		a, err := c.ask("GET", path, "")
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		a.expectError(t, path, 504, "Endpoint request timed out", "InternalServerErrorException")
		if took < timeout || took > timeout+2*time.Second {
			t.Errorf("%s: after %s, want %s", path, took, timeout)
		}
	}
}

func TestChecklist28RequestID(t *testing.T) {
	d := startMocks(t)
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	chosen := d.ask("GET", "/prod/pets", "", "x-amzn-RequestId: "+id).header.Get("x-amzn-RequestId")
	if chosen != id {
		t.Errorf("a UUID: %q", chosen)
	}
	replaced := d.ask("GET", "/prod/pets", "", "x-amzn-RequestId: not-uuid").header.Get("x-amzn-RequestId")
	if !uuid.MatchString(replaced) {
		t.Errorf("not a UUID: %q", replaced)
	}
	eventually(t, 5*time.Second, func() error {
		log, err := os.ReadFile(d.log)
		if err != nil {
			return err
		}
		var ids []string
		for line := range strings.Lines(string(log)) {
			var entry map[string]string
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				return err
			}
			ids = append(ids, entry["requestId"])
		}
		for _, want := range []string{id, replaced + "_REPLACED_INVALID_REQUEST_ID"} {
			if !strings.Contains(strings.Join(ids, " ")+" ", want+" ") {
				return fmt.Errorf("%s is not among %v", want, ids)
			}
		}
		return nil
	})
}

func TestChecklist30BasePathSplit(t *testing.T) {
	d := start(t, host{})
	ctx := context.Background()
	based := strings.Replace(mocks, "paths:", "servers: [{url: \"https://example.com/first/second\"}]\npaths:", 1)
	for basePath, path := range map[string]string{"ignore": "/pets", "prepend": "/first/second/pets", "split": "/second/pets"} {
		api, err := d.client.Import(ctx, []byte(based), control.ImportOptions{BasePath: basePath})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.client.Deploy(ctx, api.ID, control.DeployInput{Stage: "prod"}); err != nil {
			t.Fatal(err)
		}
		name := "Host: " + api.ID + ".execute-api.localhost"
		d.ask("GET", "/prod"+path, "", name).expect(t, basePath, 200, "pets")
		if basePath != "ignore" {
			d.ask("GET", "/prod/pets", "", name).expectError(t, basePath, 403, missingToken, missingTokenType)
		}
	}
}
