package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/openapi"
	"github.com/tidegate/tidegate/dataplane/state"
)

// fill puts so many APIs, each deployed, into the daemon's state before it
// runs.
func (d *daemon) fill(apis int) {
	d.t.Helper()
	store, err := state.Open(filepath.Join(d.dir, "state"))
	if err != nil {
		d.t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	var ch definition.Change
	for i := range apis {
		id := fmt.Sprintf("api%07d", i)
		parsed, err := openapi.Parse([]byte(mocks), openapi.Options{APIID: id, MaxTimeoutMillis: 29000, AccountID: "000000000000", Partition: "aws", Region: "us-east-1"})
		if err != nil {
			d.t.Fatal(err)
		}
		ch.PutAPIs = append(ch.PutAPIs, &definition.API{ID: id, Name: id, CreatedDate: now, EndpointType: definition.EndpointRegional, DeploymentCount: 1, Body: parsed.Body})
		ch.PutDeployments = append(ch.PutDeployments, &definition.Deployment{ID: "dep001", APIID: id, Number: 1, CreatedDate: now, Body: parsed.Body})
		ch.PutStages = append(ch.PutStages, &definition.Stage{APIID: id, Name: "prod", DeploymentID: "dep001", CreatedDate: now, LastUpdatedDate: now})
	}
	if err := store.Write(ch); err != nil {
		d.t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// TestR15KillLoop kills the daemon ten times, fifty in full, at random moments of
// deployments and traffic. Each time it serves again within two seconds, from the last
// deployment that was acknowledged or a newer one, and from one alone.
func TestR15KillLoop(t *testing.T) {
	t.Parallel()
	apis := lesser(1000, 100)
	d := prepare(t, host{})
	d.fill(apis)
	backend := echoPath(t)
	ctx := context.Background()
	deploy := func(id string, n int) error {
		if _, err := d.client.Put(ctx, id, []byte(revision(n)), "overwrite", control.ImportOptions{}); err != nil {
			return err
		}
		_, err := d.client.Deploy(ctx, id, control.DeployInput{Stage: "prod",
			Variables: map[string]string{"backend": backend, "revision": strconv.Itoa(n)}})
		return err
	}

	d.run()
	d.waitReady()
	id := d.deploy("prod", revision(1), map[string]string{"backend": backend, "revision": "1"})
	acknowledged, tried := 1, 1
	kills, worst := 10, time.Duration(0)
	if soaking() {
		kills = 50
	}
	for kill := range kills {
		// Deployments one after the other, until the kill ends them.
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for tried++; deploy(id, tried) == nil; tried++ {
				acknowledged = tried
			}
		}()
		tr := newTraffic(4, d.addr, 0, oneRevision())
		time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		d.kill()
		tr.end() // cut off
		<-ended  // the one that failed may have been made all the same
		d.client.Close()

		began := time.Now()
		d.run()
		var served *answer
		eventually(t, 10*time.Second, func() error {
			a, err := askOnce(d.addr, "GET", "/prod/mock", "")
			served = a
			return err
		})
		took := time.Since(began)
		worst = max(worst, took)
		if took > 2*time.Second {
			t.Errorf("kill %d: serving after %s", kill, took)
		}
		n, err := strconv.Atoi(served.body)
		if err != nil || n != acknowledged && n != tried {
			t.Fatalf("kill %d: %d %q is served; %d was acknowledged, %d begun", kill, served.status, served.body, acknowledged, tried)
		}
		if a := d.ask("GET", "/prod/http", ""); a.body != "/"+served.body || a.header.Get("X-Revision") != served.body || a.header.Get("X-Variable") != served.body ||
			served.header.Get("X-Revision") != served.body || served.header.Get("X-Variable") != served.body {
			t.Fatalf("kill %d: torn: %+v and %+v", kill, served, a)
		}
		acknowledged = n
		d.waitReady()
		all, err := d.client.APIs(ctx)
		if err != nil || len(all) != apis+1 {
			t.Fatalf("kill %d: %d APIs, %v; want %d", kill, len(all), err, apis+1)
		}
		one := fmt.Sprintf("Host: api%07d.execute-api.localhost", rand.IntN(apis))
		d.ask("GET", "/prod/pets", "", one).expect(t, one, 200, "pets")
		deployments, err := d.client.Deployments(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for i, dep := range deployments {
			if dep.Number != i+1 {
				t.Fatalf("kill %d: deployment %d has number %d", kill, i+1, dep.Number)
			}
		}
	}
	found(t, "R15", "%d kills, serving again after %s at most, all %d acknowledged deployments there", kills, tenths(worst), acknowledged)
	d.terminate(5 * time.Second)
}
