package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

var day = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func body(apiID, path string) *definition.Body {
	return definition.NewBody(apiID, []*definition.Resource{{
		ID: definition.ResourceID(apiID, path), ParentID: definition.ResourceID(apiID, "/"), PathPart: path[1:], Path: path,
		Methods: map[string]*definition.Method{"GET": {
			HTTPMethod:        "GET",
			RequestParameters: map[string]bool{"method.request.querystring.q": true},
			Responses:         map[string][]string{"200": {"method.response.header.X"}},
			Integration: &definition.Integration{
				Type: definition.IntegrationHTTPProxy, HTTPMethod: "GET", URI: "http://127.0.0.1:1/<&>", TimeoutMillis: 29000,
				Responses: []*definition.IntegrationResponse{{StatusCode: "200"}},
			},
		}},
	}}, definition.Settings{EndpointType: definition.EndpointRegional})
}

func api(id string, b *definition.Body) *definition.API {
	return &definition.API{ID: id, Name: "pets " + id, CreatedDate: day, EndpointType: b.EndpointType, Body: b}
}

func deployment(apiID, id string, n int, b *definition.Body) *definition.Deployment {
	return &definition.Deployment{ID: id, APIID: apiID, Number: n, CreatedDate: day, Body: b}
}

func stage(apiID, name, deploymentID string) *definition.Stage {
	return &definition.Stage{APIID: apiID, Name: name, DeploymentID: deploymentID, Variables: map[string]string{"a": "b"}, CreatedDate: day, LastUpdatedDate: day}
}

func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustWrite(t testing.TB, s *Store, ch definition.Change) {
	t.Helper()
	if err := s.Write(ch); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t testing.TB, s *Store) *definition.Catalog {
	t.Helper()
	c, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dump counts the keys of a bucket.
func count(t testing.TB, s *Store, bucket []byte) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bolt.Tx) error { n = tx.Bucket(bucket).Stats().KeyN; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRoundTrip(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, dir)
	if c := mustLoad(t, s); len(c.APIs)+len(c.Deployments)+len(c.Stages) != 0 {
		t.Fatalf("new state is not empty: %+v", c)
	}
	first, second := body("aaaaaaaaaa", "/one"), body("aaaaaaaaaa", "/two")
	want := (&definition.Catalog{}).With(definition.Change{
		PutAPIs:        []*definition.API{api("aaaaaaaaaa", second), api("bbbbbbbbbb", first)},
		PutDeployments: []*definition.Deployment{deployment("aaaaaaaaaa", "d1", 1, first), deployment("aaaaaaaaaa", "d2", 2, second), deployment("aaaaaaaaaa", "d3", 3, second)},
		PutStages:      []*definition.Stage{stage("aaaaaaaaaa", "prod", "d2"), stage("aaaaaaaaaa", "dev", "d3")},
		PutAccount:     &definition.Account{CloudwatchRoleARN: "arn:aws:iam::1:role/x"},
	})
	want.APIs["aaaaaaaaaa"].DeploymentCount = 3
	ch := definition.Change{PutAccount: &want.Account}
	for _, a := range want.APIs {
		ch.PutAPIs = append(ch.PutAPIs, a)
	}
	for _, d := range want.Deployments {
		ch.PutDeployments = append(ch.PutDeployments, d)
	}
	for _, st := range want.Stages {
		ch.PutStages = append(ch.PutStages, st)
	}
	mustWrite(t, s, ch)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	got := mustLoad(t, mustOpen(t, dir))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("loaded %s\nwant %s", text(got), text(want))
	}
	if got.APIs["aaaaaaaaaa"].Body != got.Deployments[definition.DeploymentKey{APIID: "aaaaaaaaaa", ID: "d3"}].Body {
		t.Error("an API and a deployment of the same body do not share it")
	}

	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, fileName): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", path, info.Mode().Perm(), want)
		}
	}
}

func text(c *definition.Catalog) string {
	b, _ := json.Marshal([]any{c.APIs, len(c.Deployments), len(c.Stages), c.Account})
	return string(b)
}

func TestBodiesAreKeptOnceAndDropped(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	b1, b2 := body("aaaaaaaaaa", "/one"), body("aaaaaaaaaa", "/two")
	steps := []struct {
		name   string
		ch     definition.Change
		bodies int
	}{
		{"api", definition.Change{PutAPIs: []*definition.API{api("a", b1)}}, 1},
		{"two deployments", definition.Change{PutDeployments: []*definition.Deployment{deployment("a", "d1", 1, b1), deployment("a", "d2", 2, b1)}}, 1},
		{"same again", definition.Change{PutAPIs: []*definition.API{api("a", b1)}, PutDeployments: []*definition.Deployment{deployment("a", "d1", 1, b1)}}, 1},
		{"new body of the api", definition.Change{PutAPIs: []*definition.API{api("a", b2)}}, 2},
		{"one deployment goes", definition.Change{DeleteDeployments: []definition.DeploymentKey{{APIID: "a", ID: "d1"}}}, 2},
		{"the last goes", definition.Change{DeleteDeployments: []definition.DeploymentKey{{APIID: "a", ID: "d2"}}}, 1},
		{"another api shares", definition.Change{PutAPIs: []*definition.API{api("ab", b2)}}, 1},
		{"the first api goes", definition.Change{DeleteAPIs: []string{"a"}}, 1},
		{"gone and back in one change", definition.Change{DeleteAPIs: []string{"ab"}, PutAPIs: []*definition.API{api("ab", b2)}}, 1},
		{"nothing left", definition.Change{DeleteAPIs: []string{"ab", "unknown"}}, 0},
	}
	for _, st := range steps {
		mustWrite(t, s, st.ch)
		if n := count(t, s, bucketBodies); n != st.bodies {
			t.Errorf("%s: %d bodies, want %d", st.name, n, st.bodies)
		}
		mustLoad(t, s)
	}
	if n := count(t, s, bucketReferences); n != 0 {
		t.Errorf("%d references left", n)
	}
}

func TestDeleteAPITakesItsOwnOnly(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	b := body("a", "/x")
	for _, id := range []string{"a", "ab"} {
		mustWrite(t, s, definition.Change{
			PutAPIs:        []*definition.API{api(id, b)},
			PutDeployments: []*definition.Deployment{deployment(id, "d", 1, b)},
			PutStages:      []*definition.Stage{stage(id, "s", "d")},
		})
	}
	mustWrite(t, s, definition.Change{DeleteAPIs: []string{"a"}})
	c := mustLoad(t, s)
	if len(c.APIs) != 1 || len(c.Deployments) != 1 || len(c.Stages) != 1 || c.APIs["ab"] == nil {
		t.Errorf("left: %s", text(c))
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	b, b2 := body("a", "/x"), body("a", "/y")
	mustWrite(t, s, definition.Change{
		PutAPIs:        []*definition.API{api("a", b)},
		PutDeployments: []*definition.Deployment{deployment("a", "d", 1, b)},
		PutStages:      []*definition.Stage{stage("a", "s", "d")},
	})
	before := mustLoad(t, s)
	good := []*definition.API{api("n", b2), api("a", b2)}
	for name, ch := range map[string]definition.Change{
		"deployment without body":          {PutAPIs: good, PutDeployments: []*definition.Deployment{{ID: "z", APIID: "a"}}},
		"api without body":                 {PutAPIs: append(good, &definition.API{ID: "q"})},
		"deployment without api":           {PutAPIs: good, PutDeployments: []*definition.Deployment{deployment("nope", "z", 1, b)}},
		"stage without deployment":         {PutAPIs: good, PutStages: []*definition.Stage{stage("a", "t", "nope")}},
		"stage without api":                {PutAPIs: good, PutStages: []*definition.Stage{stage("nope", "t", "d")}},
		"deployment deleted under a stage": {PutAPIs: good, DeleteDeployments: []definition.DeploymentKey{{APIID: "a", ID: "d"}}},
	} {
		if err := s.Write(ch); err == nil {
			t.Errorf("%s: no error", name)
		}
		if after := mustLoad(t, s); !reflect.DeepEqual(after, before) {
			t.Errorf("%s: state changed to %s", name, text(after))
		}
		if n := count(t, s, bucketBodies); n != 1 {
			t.Errorf("%s: %d bodies", name, n)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(definition.Change{}); err == nil {
		t.Error("write to a closed store: no error")
	}
}

func TestSecondOpenerIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	start := time.Now()
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, fileName)) || !strings.Contains(err.Error(), "is another tidegate running?") {
		t.Errorf("error: %v", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("refused after %v", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir)
}

func TestOpenRefusesAWorldWritableDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("error: %v", err)
	}
}

func TestSchemaVersions(t *testing.T) {
	dir := t.TempDir()
	ran := 0
	step := func(tx *bolt.Tx) error { ran++; return tx.Bucket(bucketMeta).Put([]byte("mark"), []byte{byte(ran)}) }
	failing := func(*bolt.Tx) error { return errors.New("no") }
	reopen := func(steps ...migration) error {
		s, err := open(dir, steps)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := reopen(); err != nil {
		t.Fatal(err)
	}
	if err := reopen(step, failing); err == nil {
		t.Error("failing migration: no error")
	}
	ran = 0 // the failed attempt left nothing, so version 1 migrates again
	if err := reopen(step, step); err != nil || ran != 2 {
		t.Errorf("migrated with %d steps, error %v", ran, err)
	}
	if err := reopen(step, step); err != nil || ran != 2 {
		t.Errorf("current version migrated again (%d), error %v", ran, err)
	}
	want := fmt.Sprintf("state file %s has schema version 3 and this tidegate knows versions up to 1: run the newer tidegate that wrote it", filepath.Join(dir, fileName))
	if err := reopen(); err == nil || err.Error() != want {
		t.Errorf("newer schema: %v\nwant %s", err, want)
	}
}
