package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/state"
)

// durable is a gateway that serves nothing but keeps its catalog in a state
// file, as the real one does.
type durable struct {
	mu      sync.Mutex
	store   *state.Store
	catalog *definition.Catalog
	flushed []string // API:STAGE
}

func (g *durable) Catalog() *definition.Catalog {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.catalog
}

func (g *durable) Update(_ context.Context, edit func(*definition.Catalog) (definition.Change, error)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	ch, err := edit(g.catalog)
	if err != nil {
		return err
	}
	if err := g.store.Write(ch); err != nil {
		return err
	}
	g.catalog = g.catalog.With(ch)
	return nil
}

func (g *durable) Status() control.Status {
	return control.Status{State: control.StateReady, GatewayDomain: "localhost", Listeners: []control.ListenerStatus{{Address: "127.0.0.1:8080"}}}
}

func (g *durable) Drain(context.Context) error { return nil }

func (g *durable) Upgrade(context.Context) (control.Successor, error) {
	return control.Successor{}, nil
}

func (g *durable) Keys() control.KeyReader { return g.store }

func (g *durable) Usage(planID, keyID string, from, to int64) ([]definition.Usage, error) {
	return g.store.Usage(planID, keyID, from, to)
}

// Grant takes it that nothing was used yet today.
func (g *durable) Grant(planID, keyID string, remaining int64) error {
	q := g.Catalog().Plans[planID].Quota
	if q == nil {
		return &definition.InvalidError{Err: errors.New("the plan has no quota")}
	}
	return g.store.WriteUsage([]definition.Usage{{
		PlanID: planID, KeyID: keyID, Day: time.Now().Unix() / 86400, Remaining: remaining,
		Period: q.Period, Granted: remaining - q.Limit,
	}})
}

func (g *durable) FlushCache(apiID, stage string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flushed = append(g.flushed, apiID+":"+stage)
	return nil
}

func (g *durable) FlushAuthorizers(apiID, stage string) error {
	return g.FlushCache("authorizers of "+apiID, stage)
}

// Caches has one of each stage whose cache is enabled.
func (g *durable) Caches() []control.CacheStatus {
	var list []control.CacheStatus
	c := g.Catalog()
	for k, st := range c.Stages {
		if st.CacheClusterEnabled {
			list = append(list, control.CacheStatus{APIID: k.APIID, APIName: c.APIs[k.APIID].Name, Stage: k.Stage,
				Mode: definition.CacheModeAWS, Size: st.CacheClusterSize, Hits: 3, Misses: 1, HitRatio: 0.75})
		}
	}
	return list
}

// Gate is nil: the SDK knows of none.
func (g *durable) Gate() control.Gate { return nil }

// WAF is nil: neither of that.
func (g *durable) WAF() control.WAF { return nil }

// Connections is nil: the SDK has another way to them.
func (g *durable) Connections() control.Connections { return nil }

func (g *durable) AcknowledgeFallback() error { return g.store.AcknowledgeFallback() }

func (g *durable) Offenders(int) []control.Offender { return nil }

func (g *durable) Upstream() []control.UpstreamStatus { return nil }

func (g *durable) AccountThrottle() definition.Throttle {
	rate, burst := 10000.0, 5000
	return definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
}

// reloads says whether what is stored is what is served.
func reloads(g *durable) error {
	loaded, err := g.store.Load()
	if err == nil && !reflect.DeepEqual(loaded, g.Catalog()) {
		err = errors.New("what is stored is not what is served")
	}
	return err
}

// serve runs a control server over a new state file and returns its socket.
func serve(t *testing.T) (socket string, g *durable) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	store, err := state.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	g = &durable{store: store, catalog: (&definition.Catalog{}).With(definition.Change{})}
	t.Cleanup(func() {
		if err := reloads(g); err != nil {
			t.Error(err)
		}
		_ = store.Close()
	})
	socket = filepath.Join(dir, "control.sock")
	s := control.NewServer(g, control.Options{Socket: socket, Region: "eu-west-1", AccountID: "123456789012", GatewayDomain: "localhost", Version: "v9", Logger: slog.New(slog.DiscardHandler)})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(s.Shutdown(ctx), <-served); err != nil {
			t.Error(err)
		}
	})
	return socket, g
}

const document = `openapi: 3.0.1
info: {title: pets, version: "1"}
paths:
  /pets:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: GET, uri: "http://${stageVariables.backend}/pets"}
`

func unmodifiedSDK(t *testing.T, socket string) *apigateway.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return apigateway.New(apigateway.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String("http://control"),
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	})
}

// TestUnmodifiedSDK drives the socket with the AWS SDK as it is.
func TestUnmodifiedSDK(t *testing.T) {
	socket, _ := serve(t)
	client := unmodifiedSDK(t, socket)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	api, err := client.ImportRestApi(ctx, &apigateway.ImportRestApiInput{Body: []byte(document), FailOnWarnings: true,
		Parameters: map[string]string{"endpointConfigurationTypes": "REGIONAL", "basepath": "ignore"}})
	must(err)
	if aws.ToString(api.Name) != "pets" || api.EndpointConfiguration.Types[0] != types.EndpointTypeRegional || time.Since(*api.CreatedDate) > time.Minute {
		t.Errorf("imported: %+v", api)
	}
	id := api.Id

	first, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: id, StageName: aws.String("prod"),
		Description: aws.String("first"), Variables: map[string]string{"backend": "127.0.0.1:9001"}})
	must(err)
	_, err = client.PutRestApi(ctx, &apigateway.PutRestApiInput{RestApiId: id, Mode: types.PutModeOverwrite, Body: []byte(document + "  /toys:\n    get:\n      responses: {\"200\": {description: ok}}\n      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: \"http://127.0.0.1:9001/toys\"}\n")})
	must(err)
	second, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: id, StageName: aws.String("prod")})
	must(err)

	apis := apigateway.NewGetRestApisPaginator(client, &apigateway.GetRestApisInput{Limit: aws.Int32(1)})
	pages := 0
	for apis.HasMorePages() {
		page, err := apis.NextPage(ctx)
		must(err)
		pages += len(page.Items)
	}
	if pages != 1 {
		t.Errorf("%d APIs listed", pages)
	}
	deployments, err := client.GetDeployments(ctx, &apigateway.GetDeploymentsInput{RestApiId: id})
	must(err)
	if len(deployments.Items) != 2 || *deployments.Items[1].Id != *second.Id {
		t.Errorf("deployments: %+v", deployments.Items)
	}
	summary, err := client.GetDeployment(ctx, &apigateway.GetDeploymentInput{RestApiId: id, DeploymentId: second.Id, Embed: []string{"apisummary"}})
	must(err)
	if len(summary.ApiSummary) != 2 || *summary.ApiSummary["/toys"]["GET"].AuthorizationType != "NONE" {
		t.Errorf("summary: %+v", summary.ApiSummary)
	}
	resources, err := client.GetResources(ctx, &apigateway.GetResourcesInput{RestApiId: id, Embed: []string{"methods"}})
	must(err)
	if len(resources.Items) != 3 || resources.Items[1].ResourceMethods["GET"].MethodIntegration.Type != types.IntegrationTypeHttpProxy {
		t.Errorf("resources: %+v", resources.Items)
	}

	patch := func(ops ...types.PatchOperation) *apigateway.UpdateStageOutput {
		t.Helper()
		out, err := client.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: id, StageName: aws.String("prod"), PatchOperations: ops})
		must(err)
		return out
	}
	st := patch(types.PatchOperation{Op: types.OpReplace, Path: aws.String("/variables/backend"), Value: aws.String("127.0.0.1:9002")})
	if st.Variables["backend"] != "127.0.0.1:9002" || *st.DeploymentId != *second.Id {
		t.Errorf("patched stage: %+v", st)
	}
	st = patch(types.PatchOperation{Op: types.OpReplace, Path: aws.String("/deploymentId"), Value: first.Id})
	if *st.DeploymentId != *first.Id || st.Variables["backend"] != "127.0.0.1:9002" {
		t.Errorf("rolled back stage: %+v", st)
	}

	_, err = client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: id, DeploymentId: first.Id})
	var bad *types.BadRequestException
	if !errors.As(err, &bad) || bad.ErrorMessage() != "Active stages pointing to this deployment must be moved or deleted" {
		t.Errorf("delete a deployment in use: %v", err)
	}
	_, err = client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: id, StageName: aws.String("none")})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("missing stage: %v", err)
	}
	_, err = client.CreateStage(ctx, &apigateway.CreateStageInput{RestApiId: id, StageName: aws.String("prod"), DeploymentId: first.Id})
	var taken *types.ConflictException
	if !errors.As(err, &taken) {
		t.Errorf("stage twice: %v", err)
	}
	_, err = client.GetModels(ctx, &apigateway.GetModelsInput{RestApiId: id})
	if !errors.As(err, &bad) || bad.ErrorMessage() != "GetModels is not supported yet" {
		t.Errorf("unsupported operation: %v", err)
	}
	authorizer, err := client.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{RestApiId: id, Name: aws.String("a"), Type: types.AuthorizerTypeToken,
		AuthorizerUri: aws.String("http://127.0.0.1:9/"), IdentitySource: aws.String("method.request.header.Authorization")})
	must(err)
	_, err = client.UpdateAuthorizer(ctx, &apigateway.UpdateAuthorizerInput{RestApiId: id, AuthorizerId: authorizer.Id, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String("/authorizerResultTtlInSeconds"), Value: aws.String("60")}}})
	must(err)
	authorizers, err := client.GetAuthorizers(ctx, &apigateway.GetAuthorizersInput{RestApiId: id})
	must(err)
	if a := authorizers.Items[0]; len(authorizers.Items) != 1 || *a.Name != "a" || *a.AuthorizerResultTtlInSeconds != 60 || a.Type != types.AuthorizerTypeToken {
		t.Errorf("authorizers %+v", authorizers.Items)
	}
	_, err = client.DeleteAuthorizer(ctx, &apigateway.DeleteAuthorizerInput{RestApiId: id, AuthorizerId: authorizer.Id})
	must(err)
	_, err = client.GetAuthorizer(ctx, &apigateway.GetAuthorizerInput{RestApiId: id, AuthorizerId: authorizer.Id})
	if !errors.As(err, &missing) {
		t.Errorf("deleted authorizer: %v", err)
	}

	_, err = client.CreateStage(ctx, &apigateway.CreateStageInput{RestApiId: id, StageName: aws.String("dev"), DeploymentId: second.Id})
	must(err)
	stages, err := client.GetStages(ctx, &apigateway.GetStagesInput{RestApiId: id, DeploymentId: second.Id})
	must(err)
	if len(stages.Item) != 1 || *stages.Item[0].StageName != "dev" {
		t.Errorf("stages: %+v", stages.Item)
	}
	_, err = client.UpdateAccount(ctx, &apigateway.UpdateAccountInput{PatchOperations: []types.PatchOperation{{Op: types.OpReplace, Path: aws.String("/cloudwatchRoleArn"), Value: aws.String("arn:aws:iam::1:role/r")}}})
	must(err)
	account, err := client.GetAccount(ctx, &apigateway.GetAccountInput{})
	must(err)
	if aws.ToString(account.CloudwatchRoleArn) != "arn:aws:iam::1:role/r" {
		t.Errorf("account: %+v", account)
	}

	_, err = client.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: id, StageName: aws.String("dev")})
	must(err)
	_, err = client.DeleteDeployment(ctx, &apigateway.DeleteDeploymentInput{RestApiId: id, DeploymentId: second.Id})
	must(err)
	_, err = client.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: id})
	must(err)
	if left, err := client.GetRestApis(ctx, &apigateway.GetRestApisInput{}); err != nil || len(left.Items) != 0 {
		t.Errorf("left: %+v %v", left, err)
	}
}

// TestClient drives the socket with the client of the command line.
func TestClient(t *testing.T) {
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
	valid, err := c.Validate(ctx, []byte(document), control.ImportOptions{})
	must(err)
	if !valid.Valid || valid.Methods != 1 || len(g.Catalog().APIs) != 0 {
		t.Errorf("validate: %+v", valid)
	}
	api, err := c.Import(ctx, []byte(document), control.ImportOptions{EndpointType: "REGIONAL", BasePath: "prepend", FailOnWarnings: true})
	must(err)
	_, err = c.Put(ctx, api.ID, []byte(document), "merge", control.ImportOptions{})
	must(err)
	_, err = c.UpdateAPI(ctx, api.ID, control.PatchOperation{Op: "replace", Path: "/name", Value: "zoo"})
	must(err)
	if got, err := c.API(ctx, api.ID); err != nil || got.Name != "zoo" {
		t.Errorf("API: %+v %v", got, err)
	}
	var ids []string
	for range 30 { // more than a page of 25 would hold
		d, err := c.Deploy(ctx, api.ID, control.DeployInput{Stage: "prod", Variables: map[string]string{"backend": "127.0.0.1:9001"}})
		must(err)
		ids = append(ids, d.ID)
	}
	list, err := c.Deployments(ctx, api.ID)
	must(err)
	for i, d := range list {
		if d.ID != ids[i] || d.Number != i+1 {
			t.Errorf("deployment %d: %+v", i, d)
		}
	}
	if got, err := c.Deployment(ctx, api.ID, ids[3]); err != nil || got.Number != 4 {
		t.Errorf("deployment: %+v %v", got, err)
	}
	st, err := c.UpdateStage(ctx, api.ID, "prod", control.PatchOperation{Op: "replace", Path: "/deploymentId", Value: ids[0]})
	must(err)
	if st.DeploymentID != ids[0] {
		t.Errorf("stage: %+v", st)
	}
	_, err = c.CreateStage(ctx, api.ID, control.StageInput{StageName: "dev", DeploymentID: ids[1]})
	must(err)
	stages, err := c.Stages(ctx, api.ID)
	must(err)
	if len(stages) != 2 {
		t.Errorf("stages: %+v", stages)
	}
	if resources, err := c.Resources(ctx, api.ID); err != nil || len(resources) != 2 {
		t.Errorf("resources: %+v %v", resources, err)
	}
	_, err = c.Stage(ctx, api.ID, "a/b")
	var e *control.Error
	if !errors.As(err, &e) || e.Status != 404 || err.Error() != "NotFoundException: Invalid Stage identifier specified" {
		t.Errorf("error: %v", err)
	}
	must(c.DeleteStage(ctx, api.ID, "dev"))
	must(c.DeleteDeployment(ctx, api.ID, ids[1]))
	status, err := c.Status(ctx)
	must(err)
	if url := status.InvokeURL(api, "prod"); url != "http://"+api.ID+".execute-api.localhost:8080/prod" {
		t.Errorf("invoke URL %s", url)
	}
	if v, err := c.Version(ctx); err != nil || v != "v9" {
		t.Errorf("version %q %v", v, err)
	}
	if _, err := c.Account(ctx); err != nil {
		t.Error(err)
	}
	must(c.Drain(ctx))
	if apis, err := c.APIs(ctx); err != nil || len(apis) != 1 {
		t.Errorf("APIs: %+v %v", apis, err)
	}
	must(c.DeleteAPI(ctx, api.ID))
}
