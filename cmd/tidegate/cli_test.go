package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

func only[T any](t *testing.T, text string) T {
	t.Helper()
	var list []T
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 1 {
		t.Fatalf("not a list of one: %v\n%s", err, text)
	}
	return list[0]
}

// TestJourney takes an API from its first deployment to its deletion.
func TestJourney(t *testing.T) {
	f := newFixture(t)
	file := write(t, "petstore.yaml", petstore)

	out := f.must(t, "deploy", file, "--stage", "prod", "--var", "backend=127.0.0.1:8081", "--var", "debug=on")
	api := only[control.RestAPI](t, f.must(t, "apis", "--json"))
	for _, want := range []string{
		fmt.Sprintf("petstore (%s), created\n", api.ID),
		"deployment  1 (",
		fmt.Sprintf("curl http://%s.execute-api.localhost:8080/prod/pets\n", api.ID),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("deploy printed\n%s\nwithout %q", out, want)
		}
	}

	// A second deployment overwrites the API of that title and keeps the
	// variables that it does not name. Flags may come first.
	var second struct{ Created bool }
	out = f.must(t, "deploy", "--json", "--description", "next", "--stage=prod", "--var", "backend=127.0.0.1:9", file)
	if err := json.Unmarshal([]byte(out), &second); err != nil || second.Created {
		t.Errorf("second deployment: %v\n%s", err, out)
	}
	stage := only[stageRow](t, f.must(t, "stages", "petstore", "--json"))
	if stage.DeploymentNumber != 2 || stage.Variables["backend"] != "127.0.0.1:9" || stage.Variables["debug"] != "on" {
		t.Errorf("stage after the second deployment: %+v", stage)
	}
	if out := f.must(t, "deployments", "petstore"); !strings.Contains(out, "next") || !strings.Contains(out, "prod") {
		t.Errorf("deployments printed\n%s", out)
	}

	if out := f.must(t, "rollback", "petstore", "prod"); !strings.HasPrefix(out, "petstore prod: deployment 1 (") {
		t.Errorf("rollback printed %q", out)
	}
	f.refused(t, exitRefused, "no deployment is older than 1", "rollback", "petstore", "prod")
	f.must(t, "rollback", api.ID, "prod", "--to", "2")
	if stage := only[stageRow](t, f.must(t, "stages", "--json")); stage.DeploymentNumber != 2 {
		t.Errorf("stage after rollback --to 2: %+v", stage)
	}

	f.refused(t, exitRefused, "Active stages", "delete", "deployment", "petstore", "2")
	f.must(t, "delete", "deployment", "petstore", "1")
	f.refused(t, exitRefused, "still has stages that serve: prod", "delete", "api", "petstore")
	f.must(t, "delete", "stage", "petstore", "prod")
	f.must(t, "delete", "api", "petstore")
	if out := f.must(t, "apis", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("APIs at the end: %s", out)
	}
}

func TestDeployFromStdinToNamedAPI(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "a")
	f.must(t, "deploy", "-", "--stage", "b", "--api", "petstore")
	if apis := only[control.RestAPI](t, f.must(t, "apis", "--json")); apis.Name != "petstore" {
		t.Errorf("API %+v", apis)
	}
	f.refused(t, exitRefused, `no API has the name or id "orders"`, "deploy", "-", "--stage", "b", "--api", "orders")
}

func TestDeployRefusals(t *testing.T) {
	f := newFixture(t)
	file := write(t, "broken.yaml", brokenAPI)
	f.refused(t, exitRefused, file+":8: paths./pets.get.x-amazon-apigateway-integration", "deploy", file, "--stage", "prod")
	f.refused(t, exitFailure, "no such file", "deploy", "none.yaml", "--stage", "prod")
	f.refused(t, exitUsage, "missing --stage", "deploy", file)
	f.refused(t, exitUsage, "NAME=VALUE", "deploy", file, "--stage", "prod", "--var", "x")

	// A new API whose deployment fails does not stay.
	f.memory.refuse = &definition.InvalidError{Err: errors.New("too many routes")}
	f.refused(t, exitRefused, "too many routes", "deploy", "-", "--stage", "prod")
	if out := f.must(t, "apis", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("left behind: %s", out)
	}
}

func TestTwoAPIsOfOneName(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"aaaaaaaaaa", "bbbbbbbbbb"} {
		f.catalog = f.catalog.With(definition.Change{PutAPIs: []*definition.API{{
			ID: id, Name: "petstore", Body: definition.NewBody(id, nil, definition.Settings{EndpointType: definition.EndpointRegional}),
		}}})
	}
	want := "2 APIs have the name \"petstore\"; choose one by its id: "
	f.refused(t, exitRefused, want, "deploy", "-", "--stage", "prod")
	f.refused(t, exitRefused, want, "stages", "petstore")
	f.must(t, "deploy", "-", "--stage", "prod", "--api", "bbbbbbbbbb")
}

func TestStatus(t *testing.T) {
	f := newFixture(t)
	out := f.must(t, "status")
	for _, want := range []string{"tidegate 1.2.3: ready, up 1m3", "public    127.0.0.1:8080  http      respond  3", "note: the kernel gate is off",
		"overload  idle connections are closed: memory 91 % of 512 MiB (the control group) [level 0.60], delay 1.2ms, descriptors 2 %, in flight 0 %\n",
		"shed      12 requests: 10 of low, 2 of normal, 0 of high priority\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("status printed\n%s\nwithout %q", out, want)
		}
	}
	var status control.Status
	if err := json.Unmarshal([]byte(f.must(t, "status", "--json")), &status); err != nil || status.Workers != 2 {
		t.Errorf("status --json: %v %+v", err, status)
	}
}

func TestUnreachable(t *testing.T) {
	f := &fixture{socket: t.TempDir() + "/none.sock"}
	for _, args := range [][]string{
		{"apis"}, {"status"}, {"stages"}, {"deploy", "-", "--stage", "prod"},
		{"keys"}, {"keys", "create", "shop"}, {"keys", "rotate", "shop"}, {"keys", "import", "-"}, {"keys", "delete", "k2x9ab4c1d"},
		{"plans"}, {"plans", "create", "gold"}, {"plans", "set", "gold", "--rate", "1"}, {"plans", "show", "gold"},
		{"usage", "shop"}, {"usage", "shop", "--remaining", "1"},
		{"offenders"}, {"throttle"}, {"throttle", "account", "5"}, {"throttle", "petstore:prod", "1", "1"}, {"throttle", "guarantee", "petstore:prod", "1"}, {"throttle", "priority", "petstore:prod", "low"},
		{"iam"}, {"iam", "users"}, {"iam", "create-user", "ann"}, {"iam", "tag-user", "ann", "--tag", "a=b"}, {"iam", "delete-user", "ann"},
		{"iam", "create-key", "ann"}, {"iam", "keys"}, {"iam", "disable-key", "AKIA"}, {"iam", "enable-key", "AKIA"}, {"iam", "delete-key", "AKIA"},
		{"iam", "put-policy", "p", "-"}, {"iam", "put-user-policy", "ann", "p", "-"}, {"iam", "policies"}, {"iam", "show-policy", "p"}, {"iam", "delete-policy", "p"},
		{"iam", "attach", "ann", "p"}, {"iam", "detach", "ann", "p"}, {"iam", "simulate", "ann", "Invoke", "petstore:prod:/pets/GET"},
		{"cache"}, {"cache", "stats", "petstore:prod"}, {"cache", "flush", "petstore:prod"}, {"cache", "enable", "petstore:prod"}, {"cache", "disable", "petstore:prod"},
		{"connections"}, {"connections", "chat", "prod", "--watch"}, {"connections", "close", "id"}, {"connections", "send", "id", "x"},
		{"gate"}, {"gate", "status"}, {"gate", "list"}, {"gate", "deny", "192.0.2.7"}, {"gate", "allow", "192.0.2.7"}, {"gate", "stats"}, {"gate", "stats", "--watch"}, {"gate", "trace"},
	} {
		f.refused(t, exitUnreachable, "none.sock", args...)
	}
	f.refused(t, exitUnreachable, "other.sock", "status", "--socket", "other.sock")
}

func TestUsage(t *testing.T) {
	f := &fixture{}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"dance"}, `unknown command "dance"`},
		{[]string{}, "Commands:"},
		{[]string{"apis", "petstore"}, `unexpected "petstore"`},
		{[]string{"apis", "--jason"}, "flag provided but not defined: -jason"},
		{[]string{"deployments"}, "missing API"},
		{[]string{"rollback", "petstore"}, "missing API and STAGE"},
		{[]string{"delete", "planet", "earth"}, `cannot delete "planet"`},
		{[]string{"delete", "stage", "petstore"}, "takes 2 names, not 1"},
		{[]string{"validate"}, "missing FILE"},
		{[]string{"run", "tidegate.yaml"}, "named by --config"},
		{[]string{"version", "now"}, `unexpected "now"`},
		{[]string{"usage"}, "missing KEY"},
		{[]string{"keys", "dance"}, "or: tidegate keys create NAME"},
	} {
		f.refused(t, exitUsage, c.want, c.args...)
	}
}

// TestHelp holds that every command explains itself with examples of itself.
func TestHelp(t *testing.T) {
	f := &fixture{}
	if out := f.must(t, "--help"); !strings.Contains(out, "Exit codes") {
		t.Errorf("help:\n%s", out)
	}
	var all []*command
	for _, c := range commands() {
		all = append(append(all, c), c.verbs...)
	}
	for _, c := range all {
		words := strings.Fields(c.name)
		out := f.must(t, append(words, "--help")...)
		if want := "usage: tidegate " + c.name; !strings.HasPrefix(out, want) {
			t.Errorf("help of %s:\n%s", c.name, out)
		}
		if c.name != "version" && !strings.Contains(out, "Examples:\n  tidegate "+c.name) {
			t.Errorf("help of %s has no example", c.name)
		}
		if out != f.must(t, append([]string{"help"}, words...)...) {
			t.Errorf("help %s and %s --help differ", c.name, c.name)
		}
	}
}

func TestOperandsAfterTwoDashes(t *testing.T) {
	f := newFlags(&env{}, apisCommand)
	f.Bool("json", false, "")
	got, err := f.parse([]string{"a", "--json", "b", "--", "--json", "c"})
	if want := "a b --json c"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("operands %v (%v), want %s", got, err, want)
	}
}

func TestVersion(t *testing.T) {
	f := &fixture{}
	if out := f.must(t, "version"); !strings.HasPrefix(out, "tidegate ") {
		t.Errorf("version printed %q", out)
	}
	var v map[string]string
	if err := json.Unmarshal([]byte(f.must(t, "version", "--json")), &v); err != nil || v["version"] == "" {
		t.Errorf("version --json: %v %v", err, v)
	}
}

func TestProgress(t *testing.T) {
	f := newFixture(t)
	f.delay, f.terminal = 1200*time.Millisecond, true
	if code, _, stderr := f.run("apis"); code != exitOK || !strings.Contains(stderr, "reading APIs… 1s") {
		t.Errorf("a terminal saw %q", stderr)
	}
	f.terminal = false
	if _, _, stderr := f.run("apis"); stderr != "" {
		t.Errorf("a pipe saw %q", stderr)
	}
}

func TestCellsAreSafe(t *testing.T) {
	for in, want := range map[string]string{
		"": "-", "plain": "plain", "a\x1b[2Jb\nc\td": "a?[2Jb?c?d", "é": "é", strings.Repeat("x", 61): strings.Repeat("x", 59) + "…",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}
