package control_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// TestUnmodifiedSDKKeysAndPlans has the whole life of a key and a plan.
func TestUnmodifiedSDKKeysAndPlans(t *testing.T) {
	socket, g := serve(t)
	client := unmodifiedSDK(t, socket)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set := func(path, value string) types.PatchOperation {
		return types.PatchOperation{Op: types.OpReplace, Path: &path, Value: &value}
	}
	api, err := client.ImportRestApi(ctx, &apigateway.ImportRestApiInput{Body: []byte(document)})
	must(err)
	_, err = client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String("prod"), Variables: map[string]string{"backend": "127.0.0.1:9001"}})
	must(err)

	// Limits of the account and of a stage's methods.
	account, err := client.UpdateAccount(ctx, &apigateway.UpdateAccountInput{PatchOperations: []types.PatchOperation{set("/throttle/rateLimit", "1000")}})
	must(err)
	if account.ThrottleSettings.RateLimit != 10000 || account.ThrottleSettings.BurstLimit != 5000 || !slices.Equal(account.Features, []string{"UsagePlans"}) {
		t.Errorf("account: %+v", account)
	}
	stage, err := client.UpdateStage(ctx, &apigateway.UpdateStageInput{RestApiId: api.Id, StageName: aws.String("prod"), PatchOperations: []types.PatchOperation{
		set("/~1pets/GET/throttling/rateLimit", "2.5"), set("/*/*/throttling/burstLimit", "7")}})
	must(err)
	if m := stage.MethodSettings["~1pets/GET"]; m.ThrottlingRateLimit != 2.5 || m.ThrottlingBurstLimit != 5000 || stage.MethodSettings["*/*"].ThrottlingBurstLimit != 7 {
		t.Errorf("method settings: %+v", stage.MethodSettings)
	}

	// A key.
	key, err := client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Name: aws.String("alice"), Enabled: true, GenerateDistinctId: true, Tags: map[string]string{"team": "a"}})
	must(err)
	if len(*key.Value) != 40 || !key.Enabled || time.Since(*key.CreatedDate) > time.Minute || key.Tags["team"] != "a" {
		t.Errorf("key: %+v", key)
	}
	_, err = client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Value: key.Value})
	var taken *types.ConflictException
	if !errors.As(err, &taken) || taken.ErrorMessage() != "API Key already exists" {
		t.Errorf("key twice: %v", err)
	}
	_, err = client.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Value: aws.String("short")})
	var bad *types.BadRequestException
	if !errors.As(err, &bad) {
		t.Errorf("short key: %v", err)
	}
	got, err := client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: key.Id})
	must(err)
	if got.Value != nil || *got.Name != "alice" {
		t.Errorf("key without its value: %+v", got)
	}
	got, err = client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: key.Id, IncludeValue: aws.Bool(true)})
	must(err)
	if *got.Value != *key.Value {
		t.Error("the key has another value now")
	}
	updated, err := client.UpdateApiKey(ctx, &apigateway.UpdateApiKeyInput{ApiKey: key.Id, PatchOperations: []types.PatchOperation{set("/description", "rotated"), set("/enabled", "false"), set("/enabled", "true")}})
	must(err)
	if *updated.Description != "rotated" || !updated.Enabled {
		t.Errorf("updated key: %+v", updated)
	}

	// A plan, and the key in it.
	plan, err := client.CreateUsagePlan(ctx, &apigateway.CreateUsagePlanInput{Name: aws.String("gold"),
		ApiStages: []types.ApiStage{{ApiId: api.Id, Stage: aws.String("prod"), Throttle: map[string]types.ThrottleSettings{"/pets/GET": {RateLimit: 3, BurstLimit: 4}}}},
		Throttle:  &types.ThrottleSettings{RateLimit: 2, BurstLimit: 1}, Quota: &types.QuotaSettings{Limit: 100, Period: types.QuotaPeriodTypeMonth}})
	must(err)
	if plan.Throttle.RateLimit != 2 || plan.Quota.Limit != 100 || plan.ApiStages[0].Throttle["/pets/GET"].BurstLimit != 4 {
		t.Errorf("plan: %+v", plan)
	}
	changed, err := client.UpdateUsagePlan(ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: plan.Id, PatchOperations: []types.PatchOperation{
		set("/quota/limit", "500"), set(fmt.Sprintf("/apiStages/%s:prod/throttle/~1pets/GET/rateLimit", *api.Id), "9")}})
	must(err)
	if changed.Quota.Limit != 500 || changed.ApiStages[0].Throttle["/pets/GET"].RateLimit != 9 {
		t.Errorf("changed plan: %+v", changed)
	}
	joined, err := client.CreateUsagePlanKey(ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: key.Id, KeyType: aws.String("API_KEY")})
	must(err)
	if *joined.Value != *key.Value || *joined.Type != "API_KEY" {
		t.Errorf("key of the plan: %+v", joined)
	}
	one, err := client.GetUsagePlanKey(ctx, &apigateway.GetUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: key.Id})
	must(err)
	if *one.Name != "alice" {
		t.Errorf("key of the plan: %+v", one)
	}
	imported, err := client.ImportApiKeys(ctx, &apigateway.ImportApiKeysInput{Format: types.ApiKeysFormatCsv, FailOnWarnings: true,
		Body: fmt.Appendf(nil, "Name,Key,UsagePlanIds\nbob,%s,%s\n", "the-value-of-the-key-of-bob", *plan.Id)})
	must(err)
	if len(imported.Ids) != 1 || len(imported.Warnings) != 0 {
		t.Errorf("imported: %+v", imported)
	}
	pages, listed := apigateway.NewGetUsagePlanKeysPaginator(client, &apigateway.GetUsagePlanKeysInput{UsagePlanId: plan.Id, Limit: aws.Int32(1)}), 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		must(err)
		listed += len(page.Items)
	}
	keys, err := client.GetApiKeys(ctx, &apigateway.GetApiKeysInput{NameQuery: aws.String("b"), IncludeValues: aws.Bool(true)})
	must(err)
	if listed != 2 || len(keys.Items) != 1 || *keys.Items[0].Value != "the-value-of-the-key-of-bob" {
		t.Errorf("%d keys of the plan; keys named b…: %+v", listed, keys.Items)
	}
	plans, err := client.GetUsagePlans(ctx, &apigateway.GetUsagePlansInput{KeyId: key.Id})
	must(err)
	if len(plans.Items) != 1 || *plans.Items[0].Id != *plan.Id {
		t.Errorf("plans of the key: %+v", plans.Items)
	}

	// What it used.
	today := time.Now().UTC()
	must(g.store.WriteUsage([]definition.Usage{{PlanID: *plan.Id, KeyID: *key.Id, Day: today.Unix()/86400 - 1, Used: 12, Remaining: 488, Period: "DAY"}}))
	usage, err := client.GetUsage(ctx, &apigateway.GetUsageInput{UsagePlanId: plan.Id,
		StartDate: aws.String(today.AddDate(0, 0, -1).Format(time.DateOnly)), EndDate: aws.String(today.Format(time.DateOnly))})
	must(err)
	if !reflect.DeepEqual(usage.Items[*key.Id], [][]int64{{12, 488}, {0, 500}}) || len(usage.Items) != 2 {
		t.Errorf("usage: %+v", usage.Items)
	}
	granted, err := client.UpdateUsage(ctx, &apigateway.UpdateUsageInput{UsagePlanId: plan.Id, KeyId: key.Id, PatchOperations: []types.PatchOperation{set("/remaining", "700")}})
	must(err)
	if !reflect.DeepEqual(granted.Items[*key.Id], [][]int64{{0, 700}}) {
		t.Errorf("granted: %+v", granted.Items)
	}

	// And the end.
	_, err = client.DeleteUsagePlan(ctx, &apigateway.DeleteUsagePlanInput{UsagePlanId: plan.Id})
	if !errors.As(err, &bad) {
		t.Errorf("delete a plan with stages: %v", err)
	}
	_, err = client.DeleteUsagePlanKey(ctx, &apigateway.DeleteUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: key.Id})
	must(err)
	_, err = client.DeleteApiKey(ctx, &apigateway.DeleteApiKeyInput{ApiKey: key.Id})
	must(err)
	_, err = client.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: key.Id})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("deleted key: %v", err)
	}
	_, err = client.DeleteRestApi(ctx, &apigateway.DeleteRestApiInput{RestApiId: api.Id}) // and its stage leaves the plan
	must(err)
	_, err = client.DeleteUsagePlan(ctx, &apigateway.DeleteUsagePlanInput{UsagePlanId: plan.Id})
	must(err)
	if _, err = client.GetUsagePlan(ctx, &apigateway.GetUsagePlanInput{UsagePlanId: plan.Id}); !errors.As(err, &missing) {
		t.Errorf("deleted plan: %v", err)
	}
}

// TestClientKeysAndPlans drives the same with the client of the command line.
func TestClientKeysAndPlans(t *testing.T) {
	socket, _ := serve(t)
	c := control.Dial(socket)
	defer c.Close()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set := func(path, value string) control.PatchOperation {
		return control.PatchOperation{Op: "replace", Path: path, Value: value}
	}
	api, err := c.Import(ctx, []byte(document), control.ImportOptions{})
	must(err)
	_, err = c.Deploy(ctx, api.ID, control.DeployInput{Stage: "prod"})
	must(err)
	rate, burst := control.Double(2), 1
	plan, err := c.CreateUsagePlan(ctx, control.UsagePlanInput{Name: "gold", APIStages: []control.APIStage{{APIID: api.ID, Stage: "prod"}},
		Throttle: &control.ThrottleSettings{RateLimit: &rate, BurstLimit: &burst}, Quota: &control.QuotaSettings{Limit: 9, Period: "WEEK"}})
	must(err)
	if *plan.Throttle.RateLimit != 2 || *plan.Throttle.BurstLimit != 1 || plan.Quota.Period != "WEEK" {
		t.Errorf("plan: %+v", plan)
	}
	plan, err = c.UpdateUsagePlan(ctx, plan.ID, set("/description", "d"))
	must(err)
	if again, err := c.UsagePlan(ctx, plan.ID); err != nil || !reflect.DeepEqual(again, plan) {
		t.Errorf("plan: %+v %v", again, err)
	}

	key, err := c.CreateAPIKey(ctx, control.APIKeyInput{Name: "alice", Enabled: true, CustomerID: "c", Tags: map[string]string{"k": "v"}})
	must(err)
	if _, err = c.UpdateAPIKey(ctx, key.ID, set("/name", "bob")); err != nil {
		t.Error(err)
	}
	if got, err := c.APIKey(ctx, key.ID, true); err != nil || got.Value != key.Value || got.Name != "bob" {
		t.Errorf("key: %+v %v", got, err)
	}
	file := "Name,Key,UsagePlanIds\n"
	for i := range 600 { // more than a page
		file += fmt.Sprintf("k%d,the-value-of-the-key-%d,%s\n", i, i, plan.ID)
	}
	ids, err := c.ImportAPIKeys(ctx, []byte(file), true)
	must(err)
	keys, err := c.APIKeys(ctx, false)
	must(err)
	if len(ids.IDs) != 600 || len(keys) != 601 || keys[0].Value != "" {
		t.Errorf("%d keys imported, %d listed", len(ids.IDs), len(keys))
	}
	_, err = c.CreateUsagePlanKey(ctx, plan.ID, key.ID)
	must(err)
	if of, err := c.UsagePlanKeys(ctx, plan.ID); err != nil || len(of) != 601 {
		t.Errorf("%d keys of the plan, %v", len(of), err)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	usage, err := c.Usage(ctx, plan.ID, "", today, today)
	must(err)
	if len(usage.Values) != 601 || usage.Position != "" || !reflect.DeepEqual(usage.Values[key.ID], [][2]int64{{0, 9}}) {
		t.Errorf("usage of %d keys: %v", len(usage.Values), usage.Values[key.ID])
	}
	if usage, err = c.UpdateUsage(ctx, plan.ID, key.ID, set("/remaining", "50")); err != nil || usage.Values[key.ID][0] != [2]int64{0, 50} {
		t.Errorf("granted: %+v %v", usage, err)
	}
	if usage, err = c.Usage(ctx, plan.ID, key.ID, today, today); err != nil || !slices.Equal(slices.Collect(maps.Keys(usage.Values)), []string{key.ID}) {
		t.Errorf("usage of one key: %+v %v", usage, err)
	}
	if of, err := c.UsagePlans(ctx, key.ID); err != nil || len(of) != 1 {
		t.Errorf("plans of the key: %+v %v", of, err)
	}
	must(c.DeleteUsagePlanKey(ctx, plan.ID, key.ID))
	must(c.DeleteAPIKey(ctx, key.ID))
	if of, err := c.UsagePlans(ctx, ""); err != nil || len(of) != 1 {
		t.Errorf("plans: %+v %v", of, err)
	}
	must(c.DeleteAPI(ctx, api.ID))
	must(c.DeleteUsagePlan(ctx, plan.ID))
}
