package e2e

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// document proxies to the backend that a stage variable names.
const document = `openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /pets:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: "http://${stageVariables.backend}/pets"}
`

// toys is a second path of it.
const toys = `  /toys:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: "http://${stageVariables.backend}/toys"}
`

func (d *daemon) sdk() *apigateway.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.socket)
	}}
	d.t.Cleanup(transport.CloseIdleConnections)
	return apigateway.New(apigateway.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://tidegate"), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	})
}

// TestUnmodifiedSDK deploys, patches, rolls back and deletes with the AWS SDK as
// it is, and looks at the traffic after each step.
func TestUnmodifiedSDK(t *testing.T) {
	addrs := nginx(t, "blue", "green")
	d := start(t, host{})
	client := d.sdk()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	served := func(path, name string) {
		t.Helper()
		a := d.ask("GET", "/prod"+path, "")
		a.expect(t, path, 200, name)
		if got := a.header.Get("X-Backend"); got != name {
			t.Errorf("%s: X-Backend %q, want %q", path, got, name)
		}
	}
	refused := func(path, message, errorType string) {
		t.Helper()
		d.ask("GET", "/prod"+path, "").expectError(t, path, 403, message, errorType)
	}

	refused("/pets", "Forbidden", "ForbiddenException")
	api, err := client.ImportRestApi(ctx, &apigateway.ImportRestApiInput{Body: []byte(document)})
	must(err)
	refused("/pets", "Forbidden", "ForbiddenException") // imported is not deployed

	first, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String("prod"),
		Variables: map[string]string{"backend": addrs[0]}})
	must(err)
	served("/pets", "blue")
	refused("/toys", "Missing Authentication Token", "MissingAuthenticationTokenException")
	if a := d.ask("GET", "/prod/pets", "", "Host: "+*api.Id+".execute-api.localhost"); a.body != "blue" {
		t.Errorf("the API's own address answers %d %q", a.status, a.body)
	}

	_, err = client.PutRestApi(ctx, &apigateway.PutRestApiInput{RestApiId: api.Id, Mode: types.PutModeOverwrite, Body: []byte(document + toys)})
	must(err)
	refused("/toys", "Missing Authentication Token", "MissingAuthenticationTokenException")
	second, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String("prod")})
	must(err)
	served("/toys", "blue")

	apis, err := client.GetRestApis(ctx, &apigateway.GetRestApisInput{})
	must(err)
	deployments, err := client.GetDeployments(ctx, &apigateway.GetDeploymentsInput{RestApiId: api.Id})
	must(err)
	stages, err := client.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: api.Id})
	must(err)
	if len(apis.Items) != 1 || *apis.Items[0].Name != "test" || len(deployments.Items) != 2 ||
		len(stages.Item) != 1 || *stages.Item[0].DeploymentId != *second.Id {
		t.Errorf("lists: %+v %+v %+v", apis.Items, deployments.Items, stages.Item)
	}

	patch := func(path, value string) {
		t.Helper()
		_, err := client.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: api.Id, StageName: aws.String("prod"),
			PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String(path), Value: aws.String(value)}}})
		must(err)
	}
	patch("/variables/backend", addrs[1])
	served("/pets", "green")
	served("/toys", "green")
	patch("/deploymentId", *first.Id) // roll back
	served("/pets", "green")          // variables are the stage's
	refused("/toys", "Missing Authentication Token", "MissingAuthenticationTokenException")
	patch("/deploymentId", *second.Id)
	served("/toys", "green")

	_, err = client.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: api.Id, StageName: aws.String("prod")})
	must(err)
	refused("/pets", "Forbidden", "ForbiddenException")
	_, err = client.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: api.Id})
	must(err)
	refused("/pets", "Forbidden", "ForbiddenException")
	apis, err = client.GetRestApis(ctx, &apigateway.GetRestApisInput{})
	must(err)
	if len(apis.Items) != 0 {
		t.Errorf("left: %+v", apis.Items)
	}
}
