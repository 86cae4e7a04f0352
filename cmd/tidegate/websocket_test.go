package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// TestWebSocketJourney takes a WebSocket API from its first deployment to its
// deletion, beside a REST API of the same name.
func TestWebSocketJourney(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	file := write(t, "chat.yaml", strings.Replace(chat, "name: chat", "name: petstore", 1))
	out := f.must(t, "deploy", file, "--stage", "prod", "--var", "backend=127.0.0.1:8090", "--var", "debug=on")
	var apis []webSocketRow
	if err := json.Unmarshal([]byte(f.must(t, "apis", "--json")), &apis); err != nil || len(apis) != 2 || apis[0].ProtocolType != "REST" || apis[1].ProtocolType != "WEBSOCKET" || apis[1].ID != apis[1].APIID {
		t.Fatalf("apis --json: %v %+v", err, apis)
	}
	rest, id := apis[0].ID, apis[1].ID
	for _, want := range []string{
		fmt.Sprintf("petstore (%s), created\n", id),
		"deployment  1 (",
		fmt.Sprintf("address     ws://%s.execute-api.localhost:8080/prod\ntry         npx wscat -c ws://%s.execute-api.localhost:8080/prod\n", id, id),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("deploy printed\n%s\nwithout %q", out, want)
		}
	}
	if out := f.must(t, "apis"); !strings.Contains(out, "PROTOCOL") || !strings.Contains(out, "WEBSOCKET") || !strings.Contains(out, "REST") {
		t.Errorf("apis printed\n%s", out)
	}
	var second struct {
		Created      bool
		ProtocolType string
		InvokeURL    string
	}
	out = f.must(t, "deploy", "--json", "--description", "next", "--stage=prod", "--var", "backend=127.0.0.1:9", file)
	if err := json.Unmarshal([]byte(out), &second); err != nil || second.Created || second.ProtocolType != "WEBSOCKET" || !strings.HasPrefix(second.InvokeURL, "ws://") {
		t.Errorf("second deployment: %v\n%s", err, out)
	}
	stage := only[webSocketStageRow](t, f.must(t, "stages", id, "--json"))
	if stage.DeploymentNumber != 2 || stage.StageVariables["backend"] != "127.0.0.1:9" || stage.StageVariables["debug"] != "on" || stage.ProtocolType != "WEBSOCKET" {
		t.Errorf("stage after the second deployment: %+v", stage)
	}
	if out := f.must(t, "stages"); !strings.Contains(out, "ws://"+id) || !strings.Contains(out, "http://"+rest) {
		t.Errorf("stages printed\n%s", out)
	}
	if out := f.must(t, "deployments", id); !strings.Contains(out, "next") || !strings.Contains(out, "prod") {
		t.Errorf("deployments printed\n%s", out)
	}
	if out := f.must(t, "rollback", id, "prod"); !strings.HasPrefix(out, "petstore prod: deployment 1 (") {
		t.Errorf("rollback printed %q", out)
	}
	if out := f.must(t, "plans", "create", "gold", "--rate", "5", "--stage", id+":prod"); !strings.Contains(out, id+":prod") {
		t.Errorf("plans create printed\n%s", out)
	}
	f.refused(t, exitRefused, "has no methods to throttle", "plans", "set", "gold", "--method", id+":prod:/a/GET=1,1")
	f.refused(t, exitRefused, "petstore is a WebSocket API: it has no responses to keep", "cache", "enable", id+":prod")
	f.refused(t, exitRefused, "petstore is a WebSocket API: set limits of its routes", "throttle", id+":prod", "1", "1")
	f.must(t, "throttle")

	f.refused(t, exitRefused, "Active stages", "delete", "deployment", id, "1")
	f.must(t, "delete", "deployment", id, "2")
	f.refused(t, exitRefused, "still has stages that serve: prod", "delete", "api", id)
	f.must(t, "delete", "stage", id, "prod")
	f.must(t, "delete", "api", id)
	if left := only[restRow](t, f.must(t, "apis", "--json")); left.ID != rest {
		t.Errorf("APIs at the end: %+v", left)
	}
}

func TestWebSocketDeployRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	file := write(t, "chat.yaml", chat)
	f.refused(t, exitRefused, "petstore is a REST API, and "+file+" describes a WEBSOCKET API", "deploy", file, "--stage", "prod", "--api", "petstore")
	broken := write(t, "broken.yaml", strings.Replace(chat, "HTTP_PROXY", "PIGEON", 1))
	f.refused(t, exitRefused, broken+`:5: integrations.backend.integrationType: "PIGEON" is unknown`, "deploy", broken, "--stage", "prod")
	f.refused(t, exitRefused, broken+`:5: integrations.backend.integrationType`, "validate", broken)
	if out := f.must(t, "validate", file); !strings.Contains(out, file+`: valid WebSocket API: API "chat" with 2 routes`) {
		t.Errorf("validate printed\n%s", out)
	}
	unused := write(t, "unused.yaml", strings.Replace(chat, "integrations:\n", "integrations:\n  idle: {integrationType: MOCK}\n", 1))
	if code, _, stderr := f.run("validate", unused); code != exitOK || !strings.Contains(stderr, "integrations.idle: no route points at it") {
		t.Errorf("validate: exit code %d\n%s", code, stderr)
	}
	f.stdin = chat
	if out := f.must(t, "deploy", "-", "--stage", "prod", "--var", "backend=127.0.0.1:1"); !strings.Contains(out, "chat (") {
		t.Errorf("deploy printed\n%s", out)
	}
}

func TestConnections(t *testing.T) {
	f := newFixture(t)
	f.stdin, f.now = chat, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.must(t, "deploy", "-", "--stage", "prod")
	var apis []webSocketRow
	if err := json.Unmarshal([]byte(f.must(t, "apis", "--json")), &apis); err != nil {
		t.Fatal(err)
	}
	id := apis[0].ID
	for i := range 1500 {
		f.connections.open = append(f.connections.open, control.Connection{ID: fmt.Sprintf("id%d=", i), APIID: id, Stage: "prod", SourceIP: "192.0.2.1", UserAgent: "a\x1bb",
			ConnectedAt: f.now.Add(-time.Hour), LastActiveAt: f.now.Add(-1500 * time.Millisecond), MessagesIn: 2, Queued: 1})
	}
	f.connections.open = append(f.connections.open, control.Connection{ID: "other=", APIID: "gone", Stage: "test"})
	out := f.must(t, "connections")
	for _, want := range []string{"id0=   chat:prod  192.0.2.1  1h0m0s    1s        2   0    1       a?b", "1501 connections open; 3000 came, 0 went, 1500 bytes queued", "100 are shown; --limit 0 shows all"} {
		if !strings.Contains(out, want) {
			t.Errorf("connections printed without %q:\n%s", want, out)
		}
	}
	f.connections.calls = 0
	var list control.ConnectionList
	if err := json.Unmarshal([]byte(f.must(t, "connections", "chat", "prod", "--limit", "0", "--json")), &list); err != nil || len(list.Items) != 1500 || list.Totals.Open != 1500 || f.connections.calls != 2 {
		t.Errorf("connections --json: %v, %d of %+v in %d calls", err, len(list.Items), list.Totals, f.connections.calls)
	}
	if out := f.must(t, "connections", "chat", "test"); !strings.Contains(out, "0 connections open") {
		t.Errorf("connections printed\n%s", out)
	}
	if out := f.must(t, "connections", "send", "id1=", "hello there"); out != "sent to id1=\n" || f.connections.sent[0] != "id1=: hello there" {
		t.Errorf("send printed %q, sent %q", out, f.connections.sent)
	}
	if out := f.must(t, "connections", "close", "id1="); out != "closed id1=\n" {
		t.Errorf("close printed %q", out)
	}
	f.refused(t, exitRefused, "GoneException: The connection is gone", "connections", "close", "id1=")
	f.refused(t, exitRefused, "GoneException: The connection is gone", "connections", "send", "id1=", "x")
	f.refused(t, exitRefused, `no API has the name or id "talk"`, "connections", "talk")
	f.refused(t, exitUsage, "--limit -1", "connections", "--limit", "-1")
	f.refused(t, exitUsage, "missing ID and TEXT", "connections", "send", "id1=")
	f.stdin = ""
	f.must(t, "deploy", "-", "--stage", "prod")
	f.refused(t, exitRefused, "petstore is a REST API", "connections", "petstore")
}
