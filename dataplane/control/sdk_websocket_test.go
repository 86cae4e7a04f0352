package control_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/tidegate/tidegate/dataplane/control"
)

func unmodifiedSDKv2(t *testing.T, socket string) *apigatewayv2.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return apigatewayv2.New(apigatewayv2.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String("http://control"),
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	})
}

// TestUnmodifiedSDKOnWebSocketAPIs makes, changes and deletes an API with all that
// it can have, with the AWS SDK as it is.
func TestUnmodifiedSDKOnWebSocketAPIs(t *testing.T) {
	socket, g := serve(t)
	client := unmodifiedSDKv2(t, socket)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("chat"), ProtocolType: types.ProtocolTypeWebsocket,
		RouteSelectionExpression: aws.String("$request.body.action"), Tags: map[string]string{"team": "talk"}, Description: aws.String("d")})
	must(err)
	id := api.ApiId
	if api.ProtocolType != types.ProtocolTypeWebsocket || *api.ApiKeySelectionExpression != "$request.header.x-api-key" || time.Since(*api.CreatedDate) > time.Minute ||
		*api.ApiEndpoint != "ws://"+*id+".execute-api.localhost:8080" || api.Tags["team"] != "talk" {
		t.Errorf("created: %+v", api)
	}
	changed, err := client.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{ApiId: id, Version: aws.String("2")})
	must(err)
	if *changed.Version != "2" || *changed.Description != "d" {
		t.Errorf("updated: %+v", changed)
	}

	integration, err := client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{ApiId: id, IntegrationType: types.IntegrationTypeHttp, IntegrationMethod: aws.String("POST"),
		IntegrationUri: aws.String("http://127.0.0.1:9001/"), TimeoutInMillis: aws.Int32(500), TemplateSelectionExpression: aws.String(`\$default`),
		RequestTemplates: map[string]string{"$default": "<ping> & \u00e9\U0001f600"}, RequestParameters: map[string]string{"integration.request.header.id": "context.connectionId"}})
	must(err)
	if integration.ConnectionType != types.ConnectionTypeInternet || *integration.TimeoutInMillis != 500 || integration.RequestTemplates["$default"] != "<ping> & é😀" {
		t.Errorf("integration: %+v", integration)
	}
	updated, err := client.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{ApiId: id, IntegrationId: integration.IntegrationId, IntegrationMethod: aws.String("PUT")})
	must(err)
	if *updated.IntegrationMethod != "PUT" || *updated.IntegrationUri != "http://127.0.0.1:9001/" {
		t.Errorf("updated integration: %+v", updated)
	}
	response, err := client.CreateIntegrationResponse(ctx, &apigatewayv2.CreateIntegrationResponseInput{ApiId: id, IntegrationId: integration.IntegrationId, IntegrationResponseKey: aws.String("$default"),
		ResponseTemplates: map[string]string{"$default": "pong"}})
	must(err)
	_, err = client.UpdateIntegrationResponse(ctx, &apigatewayv2.UpdateIntegrationResponseInput{ApiId: id, IntegrationId: integration.IntegrationId, IntegrationResponseId: response.IntegrationResponseId,
		TemplateSelectionExpression: aws.String("${integration.response.statuscode}")})
	must(err)
	responses, err := client.GetIntegrationResponses(ctx, &apigatewayv2.GetIntegrationResponsesInput{ApiId: id, IntegrationId: integration.IntegrationId})
	must(err)
	one, err := client.GetIntegrationResponse(ctx, &apigatewayv2.GetIntegrationResponseInput{ApiId: id, IntegrationId: integration.IntegrationId, IntegrationResponseId: response.IntegrationResponseId})
	must(err)
	if len(responses.Items) != 1 || *one.TemplateSelectionExpression != "${integration.response.statuscode}" || one.ResponseTemplates["$default"] != "pong" {
		t.Errorf("integration responses: %+v %+v", responses.Items, one)
	}

	authorizer, err := client.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{ApiId: id, Name: aws.String("a"), AuthorizerType: types.AuthorizerTypeRequest,
		AuthorizerUri: aws.String("http://127.0.0.1:9/"), IdentitySource: []string{"route.request.header.Auth"}})
	must(err)
	_, err = client.UpdateAuthorizer(ctx, &apigatewayv2.UpdateAuthorizerInput{ApiId: id, AuthorizerId: authorizer.AuthorizerId, AuthorizerResultTtlInSeconds: aws.Int32(60)})
	must(err)
	authorizers, err := client.GetAuthorizers(ctx, &apigatewayv2.GetAuthorizersInput{ApiId: id})
	must(err)
	if a := authorizers.Items[0]; *a.AuthorizerResultTtlInSeconds != 60 || a.IdentitySource[0] != "route.request.header.Auth" {
		t.Errorf("authorizers: %+v", authorizers.Items)
	}

	target := aws.String("integrations/" + *integration.IntegrationId)
	connect, err := client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: aws.String("$connect"), Target: target, AuthorizationType: types.AuthorizationTypeCustom,
		AuthorizerId: authorizer.AuthorizerId, RequestParameters: map[string]types.ParameterConstraints{"route.request.header.Auth": {Required: aws.Bool(true)}}})
	must(err)
	if *connect.RouteKey != "$connect" || !*connect.RequestParameters["route.request.header.Auth"].Required {
		t.Errorf("route: %+v", connect)
	}
	_, err = client.DeleteRouteRequestParameter(ctx, &apigatewayv2.DeleteRouteRequestParameterInput{ApiId: id, RouteId: connect.RouteId, RequestParameterKey: aws.String("route.request.header.Auth")})
	must(err)
	ping, err := client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: id, RouteKey: aws.String("ping/it"), Target: target})
	must(err)
	_, err = client.UpdateRoute(ctx, &apigatewayv2.UpdateRouteInput{ApiId: id, RouteId: ping.RouteId, RouteResponseSelectionExpression: aws.String("$default")})
	must(err)
	answer, err := client.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: id, RouteId: ping.RouteId, RouteResponseKey: aws.String("$default")})
	must(err)
	_, err = client.UpdateRouteResponse(ctx, &apigatewayv2.UpdateRouteResponseInput{ApiId: id, RouteId: ping.RouteId, RouteResponseId: answer.RouteResponseId, RouteResponseKey: aws.String("$default")})
	must(err)
	answers, err := client.GetRouteResponses(ctx, &apigatewayv2.GetRouteResponsesInput{ApiId: id, RouteId: ping.RouteId})
	must(err)
	if len(answers.Items) != 1 || *answers.Items[0].RouteResponseKey != "$default" {
		t.Errorf("route responses: %+v", answers.Items)
	}
	routes, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: id, MaxResults: aws.String("1")})
	must(err)
	more, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: id, MaxResults: aws.String("1"), NextToken: routes.NextToken})
	must(err)
	if len(routes.Items) != 1 || len(more.Items) != 1 || more.NextToken != nil || *routes.Items[0].RouteId == *more.Items[0].RouteId {
		t.Errorf("routes: %+v %+v", routes, more)
	}

	deployment, err := client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id, Description: aws.String("first")})
	must(err)
	if deployment.DeploymentStatus != types.DeploymentStatusDeployed || *deployment.AutoDeployed {
		t.Errorf("deployment: %+v", deployment)
	}
	stage, err := client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: id, StageName: aws.String("prod"), DeploymentId: deployment.DeploymentId, StageVariables: map[string]string{"a": "b"},
		DefaultRouteSettings: &types.RouteSettings{ThrottlingRateLimit: aws.Float64(5), ThrottlingBurstLimit: aws.Int32(10)},
		RouteSettings:        map[string]types.RouteSettings{"ping/it": {DetailedMetricsEnabled: aws.Bool(true)}}})
	must(err)
	if *stage.DefaultRouteSettings.ThrottlingRateLimit != 5 || !*stage.RouteSettings["ping/it"].DetailedMetricsEnabled || stage.StageVariables["a"] != "b" {
		t.Errorf("stage: %+v", stage)
	}
	_, err = client.DeleteRouteSettings(ctx, &apigatewayv2.DeleteRouteSettingsInput{ApiId: id, StageName: stage.StageName, RouteKey: aws.String("ping/it")})
	must(err)
	_, err = client.ResetAuthorizersCache(ctx, &apigatewayv2.ResetAuthorizersCacheInput{ApiId: id, StageName: stage.StageName})
	must(err)
	if len(g.flushed) != 1 || g.flushed[0] != "authorizers of "+*id+":prod" {
		t.Errorf("flushed %v", g.flushed)
	}
	auto, err := client.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: id, StageName: stage.StageName, AutoDeploy: aws.Bool(true)})
	must(err)
	if *auto.DeploymentId != *deployment.DeploymentId || len(auto.RouteSettings) != 0 || auto.StageVariables["a"] != "b" {
		t.Errorf("stage with autoDeploy: %+v", auto)
	}
	_, err = client.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: id, RouteId: connect.RouteId})
	must(err)
	served, err := client.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: id, StageName: stage.StageName})
	must(err)
	if *served.DeploymentId == *deployment.DeploymentId || !strings.HasPrefix(*served.LastDeploymentStatusMessage, "Successfully deployed stage with deployment ID '") {
		t.Errorf("deployed by itself: %+v", served)
	}
	deployments, err := client.GetDeployments(ctx, &apigatewayv2.GetDeploymentsInput{ApiId: id})
	must(err)
	if len(deployments.Items) != 2 || !*deployments.Items[1].AutoDeployed {
		t.Errorf("deployments: %+v", deployments.Items)
	}

	_, err = client.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: id, IntegrationId: integration.IntegrationId})
	var used interface {
		ErrorCode() string
		ErrorMessage() string
	} // the model does not list it for this operation
	if !errors.As(err, &used) || used.ErrorCode() != "ConflictException" || used.ErrorMessage() != "Cannot delete Integration because it is referenced by the following Routes with Ids: ["+*ping.RouteId+"]" {
		t.Errorf("delete an integration in use: %v", err)
	}
	_, err = client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: aws.String("nope")})
	var absent *types.NotFoundException
	if !errors.As(err, &absent) || *absent.ResourceType != "Api" {
		t.Errorf("missing API: %v", err)
	}
	_, err = client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("x"), ProtocolType: types.ProtocolTypeHttp})
	var bad *types.BadRequestException
	if !errors.As(err, &bad) {
		t.Errorf("HTTP API: %v", err)
	}
	_, err = client.GetModels(ctx, &apigatewayv2.GetModelsInput{ApiId: id})
	if !errors.As(err, &bad) || bad.ErrorMessage() != "GetModels is not supported yet" {
		t.Errorf("unsupported operation: %v", err)
	}
	if list, err := client.GetApis(ctx, &apigatewayv2.GetApisInput{}); err != nil || len(list.Items) != 1 {
		t.Errorf("APIs: %+v %v", list, err)
	}
	_, err = client.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: id, StageName: stage.StageName})
	must(err)
	_, err = client.DeleteDeployment(ctx, &apigatewayv2.DeleteDeploymentInput{ApiId: id, DeploymentId: deployment.DeploymentId})
	must(err)
	_, err = client.DeleteRouteResponse(ctx, &apigatewayv2.DeleteRouteResponseInput{ApiId: id, RouteId: ping.RouteId, RouteResponseId: answer.RouteResponseId})
	must(err)
	_, err = client.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: id, RouteId: ping.RouteId})
	must(err)
	_, err = client.DeleteIntegrationResponse(ctx, &apigatewayv2.DeleteIntegrationResponseInput{ApiId: id, IntegrationId: integration.IntegrationId, IntegrationResponseId: response.IntegrationResponseId})
	must(err)
	_, err = client.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: id, IntegrationId: integration.IntegrationId})
	must(err)
	_, err = client.DeleteAuthorizer(ctx, &apigatewayv2.DeleteAuthorizerInput{ApiId: id, AuthorizerId: authorizer.AuthorizerId})
	must(err)
	must(reloads(g)) // while it is there and empty
	_, err = client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: id})
	must(err)
}

// TestWebSocketClient drives the socket with the client of the command line.
func TestWebSocketClient(t *testing.T) {
	socket, g := serve(t)
	c := control.Dial(socket)
	defer c.Close()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const document = "protocolType: WEBSOCKET\nname: chat\nrouteSelectionExpression: $request.body.action\n" +
		"integrations: {b: {integrationType: HTTP_PROXY, integrationMethod: POST, integrationUri: 'http://${stageVariables.backend}/'}}\nroutes: {$default: {target: integrations/b}}\n"
	valid, err := c.Validate(ctx, []byte(document), control.ImportOptions{})
	must(err)
	if !valid.Valid || valid.Protocol != "WEBSOCKET" || valid.Routes != 1 || len(g.Catalog().APIs) != 0 {
		t.Errorf("validate: %+v", valid)
	}
	api, err := c.ImportWebSocket(ctx, []byte(document), true)
	must(err)
	_, err = c.PutWebSocket(ctx, api.APIID, []byte(document), true)
	must(err)
	first, err := c.DeployWebSocket(ctx, api.APIID, control.WebSocketDeployInput{Stage: "prod", Variables: map[string]string{"backend": "127.0.0.1:9001"}})
	must(err)
	second, err := c.DeployWebSocket(ctx, api.APIID, control.WebSocketDeployInput{Stage: "prod", Description: "second"})
	must(err)
	st, err := c.PointWebSocketStage(ctx, api.APIID, "prod", first.DeploymentID)
	must(err)
	if st.DeploymentID != first.DeploymentID || st.StageVariables["backend"] != "127.0.0.1:9001" {
		t.Errorf("stage: %+v", st)
	}
	if list, err := c.WebSocketDeployments(ctx, api.APIID); err != nil || len(list) != 2 || list[1].Number != 2 {
		t.Errorf("deployments: %+v %v", list, err)
	}
	if list, err := c.WebSocketStages(ctx, api.APIID); err != nil || len(list) != 1 {
		t.Errorf("stages: %+v %v", list, err)
	}
	_, err = c.WebSocketStage(ctx, api.APIID, "a/b")
	var e *control.Error
	if !errors.As(err, &e) || e.Status != 404 || e.ResourceType != "Stage" {
		t.Errorf("error: %v", err)
	}
	must(c.DeleteWebSocketDeployment(ctx, api.APIID, second.DeploymentID))
	must(c.DeleteWebSocketStage(ctx, api.APIID, "prod"))
	if list, err := c.WebSocketAPIs(ctx); err != nil || len(list) != 1 {
		t.Errorf("APIs: %+v %v", list, err)
	}
	must(reloads(g))
	must(c.DeleteWebSocketAPI(ctx, api.APIID))
}
