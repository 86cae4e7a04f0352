package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// keyed is an API whose GET /pets and POST /pets ask for an API key, and whose
// GET /free does not.
const keyed = `openapi: 3.0.1
info: {title: test, version: "1"}
components: {securitySchemes: {key: {type: apiKey, name: x-api-key, in: header}}}
paths:
  /pets:
    get: &mock {security: [{key: []}], responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: 'pets'}}}}}
    post: *mock
  /free:
    get: {responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
      requestTemplates: {application/json: '{"statusCode": 200}'},
      responses: {default: {statusCode: "200", responseTemplates: {application/json: 'free'}}}}}
`

// account drives keys and plans with the AWS SDK.
type account struct {
	*testing.T
	client *apigateway.Client
	ctx    context.Context
}

func (d *daemon) account(t *testing.T) *account {
	return &account{t, d.sdk(), context.Background()}
}

func (a *account) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// plan makes a usage plan. Stages are "apiId:stage".
func (a *account) plan(throttle *types.ThrottleSettings, quota *types.QuotaSettings, stages ...string) (id string) {
	a.Helper()
	in := &apigateway.CreateUsagePlanInput{Name: aws.String("plan"), Throttle: throttle, Quota: quota}
	for _, s := range stages {
		api, stage, _ := strings.Cut(s, ":")
		in.ApiStages = append(in.ApiStages, types.ApiStage{ApiId: &api, Stage: &stage})
	}
	out, err := a.client.CreateUsagePlan(a.ctx, in)
	a.must(err)
	return *out.Id
}

// key makes an API key in the plans.
func (a *account) key(plans ...string) (id, value string) {
	a.Helper()
	out, err := a.client.CreateApiKey(a.ctx, &apigateway.CreateApiKeyInput{Name: aws.String("key"), Enabled: true})
	a.must(err)
	for _, p := range plans {
		_, err := a.client.CreateUsagePlanKey(a.ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: &p, KeyId: out.Id, KeyType: aws.String("API_KEY")})
		a.must(err)
	}
	return *out.Id, *out.Value
}

func (a *account) patchStage(api, stage string, ops ...string) {
	a.Helper()
	_, err := a.client.UpdateStage(a.ctx, &apigateway.UpdateStageInput{RestApiId: &api, StageName: &stage, PatchOperations: replace(ops...)})
	a.must(err)
}

// replace makes patch operations of paths and values.
func replace(ops ...string) (out []types.PatchOperation) {
	for i := 0; i < len(ops); i += 2 {
		out = append(out, types.PatchOperation{Op: types.OpReplace, Path: aws.String(ops[i]), Value: aws.String(ops[i+1])})
	}
	return out
}

func throttle(rate float64, burst int32) *types.ThrottleSettings {
	return &types.ThrottleSettings{RateLimit: rate, BurstLimit: burst}
}

func quota(limit int32, period types.QuotaPeriodType) *types.QuotaSettings {
	return &types.QuotaSettings{Limit: limit, Period: period}
}

// used asks GetUsage for today's pair of a key.
func (a *account) used(plan, key string) (used, remaining int64) {
	a.Helper()
	today := aws.String(time.Now().UTC().Format(time.DateOnly))
	out, err := a.client.GetUsage(a.ctx, &apigateway.GetUsageInput{UsagePlanId: &plan, KeyId: &key, StartDate: today, EndDate: today})
	a.must(err)
	days := out.Items[key]
	if len(days) != 1 || len(days[0]) != 2 {
		a.Fatalf("usage of %s: %v", key, out.Items)
	}
	return days[0][0], days[0][1]
}

// awayFromMidnight waits until no quota period ends during the test.
func awayFromMidnight() {
	const margin = 2 * time.Minute
	now := time.Now().UTC()
	if rest := now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now); rest < margin {
		time.Sleep(rest + time.Second)
	}
}

const (
	forbidden       = `{"message":"Forbidden"}`
	tooManyRequests = `{"message":"Too Many Requests"}`
	limitExceeded   = `{"message":"Limit Exceeded"}`
)

// TestChecklist4KeyRefusals: missing, wrong, disabled and without a plan are one
// answer.
func TestChecklist4KeyRefusals(t *testing.T) {
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	plan := a.plan(nil, nil, api+":prod")
	_, good := a.key(plan)
	disabledID, disabled := a.key(plan)
	_, err := a.client.UpdateApiKey(a.ctx, &apigateway.UpdateApiKeyInput{ApiKey: &disabledID, PatchOperations: replace("/enabled", "false")})
	a.must(err)
	_, planless := a.key()

	d.ask("GET", "/prod/pets", "", "X-API-Key: "+good).expect(t, "good key", 200, "pets")
	d.ask("GET", "/prod/free", "").expect(t, "no key needed", 200, "free")
	var first *answer
	for name, fields := range map[string][]string{
		"missing": nil, "empty": {"X-API-Key:"}, "unknown": {"X-API-Key: " + strings.Repeat("x", 40)},
		"disabled": {"X-API-Key: " + disabled}, "without a plan": {"x-api-key: " + planless},
		"short": {"X-API-Key: a"}, "long": {"X-API-Key: " + strings.Repeat("x", 5000)},
		"case": {"X-API-Key: " + strings.ToUpper(good) + "a"},
	} {
		got := d.ask("GET", "/prod/pets", "", fields...)
		got.expectError(t, name, 403, "Forbidden", "ForbiddenException")
		for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Apigw-Id", "Date"} {
			got.header.Del(name)
		}
		if first == nil {
			first = got
		} else if got.body != first.body || !reflect.DeepEqual(got.header, first.header) {
			t.Errorf("%s: %v %q, others got %v %q", name, got.header, got.body, first.header, first.body)
		}
	}
}

// TestChecklist5Burst: of burst+1 requests at once exactly one is denied.
func TestChecklist5Burst(t *testing.T) {
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	const burst = 10
	plan := a.plan(throttle(0.01, burst), nil, api+":prod")
	_, value := a.key(plan)
	denied := 0
	for range burst + 1 {
		if got := d.ask("GET", "/prod/pets", "", "X-API-Key: "+value); got.status != 200 {
			denied++
			got.expectError(t, "over the burst", 429, "Too Many Requests", "TooManyRequestsException")
			if s, _ := strconv.Atoi(got.header.Get("Retry-After")); s < 90 || s > 100 {
				t.Errorf("Retry-After %q, want about 100 s", got.header.Get("Retry-After"))
			}
			if v := got.header.Get("RateLimit"); !strings.Contains(v, `"throttle";r=0;t=`) {
				t.Errorf("RateLimit %q", v)
			}
		}
	}
	if denied != 1 {
		t.Errorf("%d of %d requests were denied, want 1", denied, burst+1)
	}
	d.ask("GET", "/prod/free", "", "X-API-Key: "+value).expect(t, "a method without key", 200, "free")

	// The same at the stage, method by method.
	a.patchStage(api, "prod", "/*/*/throttling/rateLimit", "0.01", "/*/*/throttling/burstLimit", "5", "/free/GET/throttling/burstLimit", "2")
	for range 2 {
		d.ask("GET", "/prod/free", "").expect(t, "the method's burst", 200, "free")
	}
	d.ask("GET", "/prod/free", "").expectError(t, "over the method's burst", 429, "Too Many Requests", "TooManyRequestsException")
	if n := d.metric(`tidegate_throttled_requests_total{limit="method"}`); n != 1 {
		t.Errorf("%f requests denied by method limits are counted, want 1", n)
	}

	// The fields that AWS does not send can be switched off.
	a.patchStage(api, "prod", "/x-tidegate-rate-limit-headers", "false")
	got := d.ask("GET", "/prod/free", "")
	if got.status != 429 || got.header.Get("Retry-After") != "" {
		t.Errorf("%d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if v := d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).header.Get("RateLimit"); v != "" {
		t.Errorf("RateLimit %q", v)
	}
}

// TestChecklist6Quota: the request after the last of the quota is denied, and a
// throttled request costs no quota.
func TestChecklist6Quota(t *testing.T) {
	awayFromMidnight()
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	const limit = 7
	plan := a.plan(throttle(20, limit), quota(limit, types.QuotaPeriodTypeDay), api+":prod")
	keyID, value := a.key(plan)
	for range limit {
		got := d.ask("GET", "/prod/pets", "", "X-API-Key: "+value)
		got.expect(t, "within quota", 200, "pets")
	}
	time.Sleep(100 * time.Millisecond) // the bucket has tokens again
	got := d.ask("GET", "/prod/pets", "", "X-API-Key: "+value)
	got.expectError(t, "over quota", 429, "Limit Exceeded", "LimitExceededException")
	if s, _ := strconv.Atoi(got.header.Get("Retry-After")); s < 60 || s > 86400 {
		t.Errorf("Retry-After %q, want the seconds until midnight UTC", got.header.Get("Retry-After"))
	}
	if used, remaining := a.used(plan, keyID); used != limit || remaining != 0 {
		t.Errorf("GetUsage says %d used and %d left", used, remaining)
	}

	// Extra quota for this period.
	_, err := a.client.UpdateUsage(a.ctx, &apigateway.UpdateUsageInput{UsagePlanId: &plan, KeyId: &keyID, PatchOperations: replace("/remaining", "2")})
	a.must(err)
	for range 2 {
		d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).expect(t, "granted", 200, "pets")
	}
	over := func(d *daemon, when string) {
		t.Helper()
		d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).expect(t, when, 429, limitExceeded)
	}
	over(d, "over what was granted")

	// A restart, whichever way it comes, gives nothing back.
	d.terminate(10 * time.Second)
	d.run()
	d.waitReady()
	over(d, "after a restart")
	d.kill()
	d.client.Close()
	d.run()
	d.waitReady()
	over(d, "after a kill")
}

// TestChecklist7SharedCounter: a key has one counter and one bucket for all
// stages of a plan.
func TestChecklist7SharedCounter(t *testing.T) {
	awayFromMidnight()
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	d.deploy("beta", keyed, nil)
	a := d.account(t)
	plan := a.plan(nil, quota(4, types.QuotaPeriodTypeMonth), api+":prod", api+":beta")
	_, value := a.key(plan)
	for i := range 4 {
		d.ask("GET", []string{"/prod/pets", "/beta/pets"}[i%2], "", "X-API-Key: "+value).expect(t, "within quota", 200, "pets")
	}
	for _, path := range []string{"/prod/pets", "/beta/pets"} {
		d.ask("GET", path, "", "X-API-Key: "+value).expect(t, path, 429, limitExceeded)
	}
	_, other := a.key(plan)
	d.ask("GET", "/prod/pets", "", "X-API-Key: "+other).expect(t, "another key", 200, "pets")
}

// TestKeyLife goes through the life of a key and a plan with the AWS SDK.
func TestKeyLife(t *testing.T) {
	awayFromMidnight()
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	ask := func(what, verb, value string, status int) {
		t.Helper()
		if got := d.ask(verb, "/prod/pets", "", "X-API-Key: "+value); got.status != status {
			t.Fatalf("%s: %d %s, want %d", what, got.status, got.body, status)
		}
	}

	value := "the-first-key-of-them-all"
	key, err := a.client.CreateApiKey(a.ctx, &apigateway.CreateApiKeyInput{Name: aws.String("first"), Value: &value, Enabled: true})
	a.must(err)
	ask("no plan yet", "GET", value, 403)
	plan := a.plan(nil, quota(100, types.QuotaPeriodTypeWeek))
	_, err = a.client.CreateUsagePlanKey(a.ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: &plan, KeyId: key.Id, KeyType: aws.String("API_KEY")})
	a.must(err)
	ask("plan without the stage", "GET", value, 403)
	_, err = a.client.UpdateUsagePlan(a.ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
		{Op: types.OpAdd, Path: aws.String("/apiStages"), Value: aws.String(api + ":prod")}}})
	a.must(err)
	ask("plan with the stage", "GET", value, 200)

	// A limit of a method in the plan.
	at := "/apiStages/" + api + ":prod/throttle/~1pets/POST"
	_, err = a.client.UpdateUsagePlan(a.ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String(at + "/rateLimit"), Value: aws.String("0.001")},
		{Op: types.OpReplace, Path: aws.String(at + "/burstLimit"), Value: aws.String("1")}}})
	a.must(err)
	ask("POST", "POST", value, 200)
	ask("second POST", "POST", value, 429)
	ask("GET beside it", "GET", value, 200)

	// GetUsage says exactly what was admitted.
	const more = 50
	for range more {
		ask("counted", "GET", value, 200)
	}
	if used, remaining := a.used(plan, *key.Id); used != more+3 || remaining != 100-more-3 {
		t.Errorf("GetUsage says %d used and %d left, want %d and %d", used, remaining, more+3, 100-more-3)
	}

	// A restart keeps all of it.
	d.terminate(10 * time.Second)
	d.run()
	d.waitReady()
	a = d.account(t)
	ask("after a restart", "GET", value, 200)
	if used, _ := a.used(plan, *key.Id); used != more+4 {
		t.Errorf("GetUsage says %d used after a restart, want %d", used, more+4)
	}

	// Import: the same value is the same key; a new one comes with its plan.
	csv := "name,key,enabled,usageplanids\nrenamed," + value + ",TRUE,\nsecond,the-second-key-of-them-all,true,\"" + plan + "\"\n"
	imported, err := a.client.ImportApiKeys(a.ctx, &apigateway.ImportApiKeysInput{Body: []byte(csv), Format: types.ApiKeysFormatCsv})
	a.must(err)
	if len(imported.Ids) != 2 || imported.Ids[0] != *key.Id {
		t.Errorf("imported %v with warnings %v, want %s first", imported.Ids, imported.Warnings, *key.Id)
	}
	ask("imported", "GET", "the-second-key-of-them-all", 200)

	// Disabled, enabled, out of the plan, deleted.
	_, err = a.client.UpdateApiKey(a.ctx, &apigateway.UpdateApiKeyInput{ApiKey: key.Id, PatchOperations: replace("/enabled", "false")})
	a.must(err)
	ask("disabled", "GET", value, 403)
	_, err = a.client.UpdateApiKey(a.ctx, &apigateway.UpdateApiKeyInput{ApiKey: key.Id, PatchOperations: replace("/enabled", "true")})
	a.must(err)
	ask("enabled", "GET", value, 200)
	_, err = a.client.DeleteUsagePlanKey(a.ctx, &apigateway.DeleteUsagePlanKeyInput{UsagePlanId: &plan, KeyId: key.Id})
	a.must(err)
	ask("out of the plan", "GET", value, 403)
	_, err = a.client.DeleteApiKey(a.ctx, &apigateway.DeleteApiKeyInput{ApiKey: key.Id})
	a.must(err)
	_, err = a.client.GetApiKey(a.ctx, &apigateway.GetApiKeyInput{ApiKey: key.Id})
	var gone *types.NotFoundException
	if !errors.As(err, &gone) {
		t.Errorf("a deleted key: %v", err)
	}

	// A plan with stages is not deleted by accident.
	if _, err = a.client.DeleteUsagePlan(a.ctx, &apigateway.DeleteUsagePlanInput{UsagePlanId: &plan}); err == nil {
		t.Error("a plan with a stage was deleted")
	}
	_, err = a.client.UpdateUsagePlan(a.ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
		{Op: types.OpRemove, Path: aws.String("/apiStages"), Value: aws.String(api + ":prod")}}})
	a.must(err)
	_, err = a.client.DeleteUsagePlan(a.ctx, &apigateway.DeleteUsagePlanInput{UsagePlanId: &plan})
	a.must(err)
	ask("plan deleted", "GET", "the-second-key-of-them-all", 403)
}

// TestKeyFromAuthorizer: an API that takes keys from its authorizer does not look
// at the header.
func TestKeyFromAuthorizer(t *testing.T) {
	d := start(t, host{})
	api := d.deploy("prod", keyed+"x-amazon-apigateway-api-key-source: AUTHORIZER\n", nil)
	a := d.account(t)
	_, value := a.key(a.plan(nil, nil, api+":prod"))
	d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).expect(t, "key in the header", 403, forbidden)
}

// TestAccessLogNamesKey: the log says whose key it was, and never its value.
func TestAccessLogNamesKey(t *testing.T) {
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	id, value := a.key(a.plan(nil, nil, api+":prod"))
	d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).expect(t, "key", 200, "pets")
	eventually(t, 5*time.Second, func() error {
		bytes, err := os.ReadFile(d.log)
		a.must(err)
		text := string(bytes)
		if strings.Contains(text, value) {
			t.Fatal("the access log has the value of a key")
		}
		if want := fmt.Sprintf(`"identity.apiKeyId":"%s"`, id); !strings.Contains(text, want) {
			return fmt.Errorf("no %s in %s", want, text)
		}
		return nil
	})
	if strings.Contains(d.stderr.String(), value) {
		t.Error("the audit log has the value of a key")
	}
}
