package session_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/smithy-go"
	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/gatetest"
)

const (
	manageAll  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:us-east-1:000000000000:sock000001/prod/*"}]}`
	invokeOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`
)

// manager returns the unmodified client of a user with a policy.
func manager(t *testing.T, g *gatetest.Gate, stage, name, policy string) *apigatewaymanagementapi.Client {
	t.Helper()
	id := "AKIA" + strings.Repeat("A", 16-len(name)) + strings.ToUpper(name)
	if err := g.Gateway.Update(t.Context(), func(*definition.Catalog) (definition.Change, error) {
		return definition.Change{
			PutUsers:      []*definition.User{{Name: name, ID: "AIDA" + id[4:], Path: "/", Policies: map[string]string{"own": policy}, CreatedDate: time.Now()}},
			PutAccessKeys: []*definition.AccessKey{{ID: id, UserName: name, Secret: strings.Repeat("s", 40), Active: true, CreatedDate: time.Now()}},
		}, nil
	}); err != nil {
		t.Fatal(err)
	}
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + g.Addr + "/" + stage), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: strings.Repeat("s", 40)}, nil
		}),
	})
}

// connectionID is the id of the last who connected.
func connectionID(t *testing.T, b *backend) *string {
	t.Helper()
	calls := b.calls("/connect")
	return aws.String(calls[len(calls)-1].Header.Get("connectionId"))
}

// code is AWS's name of an error.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// TestManage: the SDK reaches a connection.
func TestManage(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect", "$disconnect").serve(t)
	c := dial(t, g, "User-Agent", "page")
	id := connectionID(t, b)
	m, ctx := manager(t, g, "prod", "boss", manageAll), t.Context()
	for _, text := range []string{"hello", "héllo \u2603", strings.Repeat("x", 128<<10)} {
		if _, err := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		if got := hear(t, c); got != text {
			t.Errorf("%d bytes came of %d", len(got), len(text))
		}
	}
	if _, err := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte{0xff, 0xfe}}); err != nil {
		t.Fatal(err)
	}
	if kind, data, err := c.ReadMessage(); err != nil || kind != websocket.BinaryMessage || len(data) != 2 {
		t.Errorf("what is no text: %d %q %v", kind, data, err)
	}
	var large *types.PayloadTooLargeException
	if _, err := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: make([]byte, 128<<10+1)}); !errors.As(err, &large) {
		t.Errorf("a message that is too large: %v", err)
	}
	info, err := m.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: id})
	if err != nil || aws.ToString(info.Identity.SourceIp) != "127.0.0.1" || aws.ToString(info.Identity.UserAgent) != "page" ||
		time.Since(*info.ConnectedAt).Abs() > time.Minute || info.LastActiveAt.Before(*info.ConnectedAt) {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := m.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: id}); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, c); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	eventually(t, "$disconnect", func() bool { return len(b.calls("/disconnect")) == 1 })
}

// TestChecklist27: a connection that is gone, or never was, is 410, and a text that
// is no id is 400.
func TestChecklist27(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect").serve(t)
	m, ctx := manager(t, g, "prod", "boss", manageAll), t.Context()
	c := dial(t, g)
	id := connectionID(t, b)
	_ = c.Close()
	var gone *types.GoneException
	eventually(t, "the connection is gone", func() bool {
		_, err := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte("x")})
		return errors.As(err, &gone)
	})
	never := aws.String("L0SM9cOFvHcCIhw=")
	_, post := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: never, Data: []byte("x")})
	_, get := m.GetConnection(ctx, &apigatewaymanagementapi.GetConnectionInput{ConnectionId: id})
	_, del := m.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: never})
	for _, err := range []error{post, get, del} {
		if !errors.As(err, &gone) {
			t.Errorf("%v", err)
		}
	}
	for _, bad := range []string{"x", "L0SM9cOFvHcCIhw", "L0SM9cOFvHcCIh!=", strings.Repeat("A", 100) + "="} {
		if _, err := m.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &bad, Data: []byte("x")}); code(err) != "BadRequestException" {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestManageDuringConnect: until $connect has been answered there is no connection.
func TestManageDuringConnect(t *testing.T) {
	var m *apigatewaymanagementapi.Client
	result := make(chan error, 1)
	b := newBackend(t, func(_ http.ResponseWriter, c call) {
		_, err := m.PostToConnection(context.Background(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String(c.Header.Get("connectionId")), Data: []byte("x")})
		result <- err
	})
	g := to(b, "$connect").serve(t)
	m = manager(t, g, "prod", "boss", manageAll)
	dial(t, g)
	if err := <-result; code(err) != "GoneException" {
		t.Error(err)
	}
}

// TestManageIsGuarded: who has no permission reaches nobody, and no other stage's
// connections.
func TestManageIsGuarded(t *testing.T) {
	b := newBackend(t, nil)
	a := to(b, "$connect")
	g := a.serve(t)
	c := dial(t, g)
	id, ctx := connectionID(t, b), t.Context()
	if _, err := manager(t, g, "prod", "other", invokeOnly).PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte("x")}); code(err) != "AccessDeniedException" {
		t.Errorf("a user without the permission: %v", err)
	}
	resp, err := http.Post("http://"+g.Addr+"/prod/@connections/"+*id, "text/plain", strings.NewReader("x"))
	if err != nil || resp.StatusCode != 403 || resp.Header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" {
		t.Errorf("nobody: %+v, %v", resp, err)
	}
	if err := g.Gateway.Update(ctx, func(cat *definition.Catalog) (definition.Change, error) {
		stage := *cat.Stages[definition.StageKey{APIID: socketAPI, Stage: "prod"}]
		stage.Name = "test"
		return definition.Change{PutStages: []*definition.Stage{&stage}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	everything := strings.ReplaceAll(manageAll, "/prod/*", "/*")
	if _, err := manager(t, g, "test", "all", everything).PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte("x")}); code(err) != "GoneException" {
		t.Errorf("through another stage: %v", err)
	}
	if _, err := manager(t, g, "prod", "boss", manageAll).PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: []byte("yes")}); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, c); got != "yes" {
		t.Errorf("%q came", got)
	}
}

// TestSignedConnect: AWS_IAM on $connect.
func TestSignedConnect(t *testing.T) {
	a := to(newBackend(t, nil), "$connect")
	a.ws.Routes[0].AuthorizationType = definition.AuthIAM
	g := a.serve(t)
	if status, body := refused(t, g, "/prod"); status != 403 || body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("%d %s", status, body)
	}
}

// TestSlowClient: one that takes nothing is closed, and whoever sends to it hears
// of it.
func TestSlowClient(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect").serve(t, func(h *configs.Host) { h.WebSocket.QueueMessages = 4 })
	dial(t, g)
	m, id := manager(t, g, "prod", "boss", manageAll), connectionID(t, b)
	var last string
	for range 2000 {
		_, err := m.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: id, Data: make([]byte, 100<<10)})
		if last = code(err); last != "" {
			break
		}
	}
	if last != "LimitExceededException" {
		t.Errorf("the sender hears %q", last)
	}
	eventually(t, "it is gone", func() bool {
		_, err := m.GetConnection(t.Context(), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: id})
		return code(err) == "GoneException"
	})
}

// TestBroadcast: one call reaches all connections of a stage.
func TestBroadcast(t *testing.T) {
	b := newBackend(t, nil)
	g := to(b, "$connect").serve(t)
	var open []*websocket.Conn
	for range 50 {
		open = append(open, dial(t, g))
	}
	post := func(policy, name string) (int, string) {
		c := manager(t, g, "prod", name, policy)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.Addr+"/prod/@connections", strings.NewReader("to all"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte("to all"))
		credentials, _ := c.Options().Credentials.Retrieve(t.Context())
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "execute-api", "us-east-1", time.Now()); err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	if status, body := post(strings.ReplaceAll(manageAll, "/prod/*", "/prod/POST/@connections/*"), "single"); status != 403 {
		t.Errorf("with permission for single connections: %d %s", status, body)
	}
	if status, body := post(manageAll, "boss"); status != 200 || body != `{"sent":50,"lost":0}` {
		t.Errorf("%d %s", status, body)
	}
	for _, c := range open {
		if got := hear(t, c); got != "to all" {
			t.Error(got)
		}
	}
}
