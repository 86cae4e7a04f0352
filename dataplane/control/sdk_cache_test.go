package control_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
)

// TestUnmodifiedSDKCache has the life of a stage's cache: made, tuned, flushed,
// switched off.
func TestUnmodifiedSDKCache(t *testing.T) {
	socket, g := serve(t)
	client := unmodifiedSDK(t, socket)
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	api, err := client.ImportRestApi(ctx, &apigateway.ImportRestApiInput{Body: []byte(document)})
	must(err)
	d, err := client.CreateDeployment(ctx, &apigateway.CreateDeploymentInput{RestApiId: api.Id, StageName: aws.String("prod"),
		Variables: map[string]string{"backend": "127.0.0.1:9001"}, CacheClusterEnabled: aws.Bool(true), CacheClusterSize: types.CacheClusterSizeSize1Point6Gb})
	must(err)
	stage, err := client.GetStage(ctx, &apigateway.GetStageInput{RestApiId: api.Id, StageName: aws.String("prod")})
	must(err)
	if !stage.CacheClusterEnabled || stage.CacheClusterSize != types.CacheClusterSizeSize1Point6Gb || stage.CacheClusterStatus != types.CacheClusterStatusAvailable || len(stage.MethodSettings) != 0 {
		t.Errorf("deployed: %+v", stage)
	}
	other, err := client.CreateStage(ctx, &apigateway.CreateStageInput{RestApiId: api.Id, StageName: aws.String("test"), DeploymentId: d.Id, CacheClusterEnabled: true})
	must(err)
	if other.CacheClusterSize != types.CacheClusterSizeSize0Point5Gb {
		t.Errorf("made: %+v", other)
	}

	patch := func(ops ...string) *apigateway.UpdateStageOutput {
		t.Helper()
		in := &apigateway.UpdateStageInput{RestApiId: api.Id, StageName: aws.String("prod")}
		for i := 0; i < len(ops); i += 2 {
			in.PatchOperations = append(in.PatchOperations, types.PatchOperation{Op: types.OpReplace, Path: &ops[i], Value: &ops[i+1]})
		}
		out, err := client.UpdateStage(ctx, in)
		must(err)
		return out
	}
	updated := patch("/*/*/caching/enabled", "true", "/*/*/caching/ttlInSeconds", "60", "/~1pets/GET/caching/requireAuthorizationForCacheControl", "false",
		"/~1pets/GET/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403", "/~1pets/GET/caching/dataEncrypted", "true")
	if m := updated.MethodSettings["~1pets/GET"]; !m.CachingEnabled || m.CacheTtlInSeconds != 60 || !m.CacheDataEncrypted || m.RequireAuthorizationForCacheControl ||
		m.UnauthorizedCacheControlHeaderStrategy != types.UnauthorizedCacheControlHeaderStrategyFailWith403 {
		t.Errorf("the method: %+v", m)
	}
	if m := updated.MethodSettings["*/*"]; !m.CachingEnabled || m.CacheDataEncrypted || !m.RequireAuthorizationForCacheControl ||
		m.UnauthorizedCacheControlHeaderStrategy != types.UnauthorizedCacheControlHeaderStrategySucceedWithResponseHeader {
		t.Errorf("all methods: %+v", m)
	}

	_, err = client.FlushStageCache(ctx, &apigateway.FlushStageCacheInput{RestApiId: api.Id, StageName: aws.String("prod")})
	must(err)
	_, err = client.FlushStageCache(ctx, &apigateway.FlushStageCacheInput{RestApiId: api.Id, StageName: aws.String("none")})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("flush of no stage: %v", err)
	}
	_, err = client.FlushStageAuthorizersCache(ctx, &apigateway.FlushStageAuthorizersCacheInput{RestApiId: api.Id, StageName: aws.String("prod")})
	must(err)

	c := control.Dial(socket)
	defer c.Close()
	must(c.FlushStageCache(ctx, *api.Id, "test"))
	if want := []string{*api.Id + ":prod", "authorizers of " + *api.Id + ":prod", *api.Id + ":test"}; !slices.Equal(g.flushed, want) {
		t.Errorf("flushed %v, want %v", g.flushed, want)
	}
	var refused *control.Error
	if err := c.FlushStageCache(ctx, *api.Id, "none"); !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("flush of no stage: %v", err)
	}
	if list, err := c.Caches(ctx); err != nil || len(list) != 2 || list[0].HitRatio != 0.75 {
		t.Errorf("caches: %+v %v", list, err)
	}
	if off := patch("/cacheClusterEnabled", "false"); off.CacheClusterEnabled || off.CacheClusterSize != "" || off.CacheClusterStatus != types.CacheClusterStatusNotAvailable || !off.MethodSettings["*/*"].CachingEnabled {
		t.Errorf("switched off: %+v", off)
	}
}
