package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// named is the API of mocks under another name.
func named(title string) string { return strings.Replace(mocks, "title: test", "title: "+title, 1) }

// outcomes counts what the requests to one API came to.
type outcomes struct{ served, throttled atomic.Int64 }

// drive sends requests to a stage of an API at a rate, in requests per second.
func (d *daemon) drive(api string, rate int) (*traffic, *outcomes) {
	o := &outcomes{}
	connections := max(1, rate/250)
	every := time.Second * time.Duration(connections) / time.Duration(rate)
	tr := newTraffic(connections, d.addr, every, func(c *client, _ int) error {
		a, err := c.ask("GET", "/prod/pets", "", "Host: "+api+".execute-api.localhost")
		switch {
		case err != nil:
			return err
		case a.status == 200:
			o.served.Add(1)
		case a.status == 429:
			o.throttled.Add(1)
		default:
			return fmt.Errorf("status %d %s", a.status, a.body)
		}
		return nil
	})
	return tr, o
}

// TestOneAPIThrottlesTheOthers: the account's limit is shared, so an API that is
// overused throttles another; with a guaranteed share it does not.
func TestOneAPIThrottlesTheOthers(t *testing.T) {
	d := start(t, host{account: "{rate_limit: 1000, burst_limit: 500}"})
	a := d.deploy("prod", named("overused"), nil)
	b := d.deploy("prod", named("modest"), nil)
	run := func() (ofA, ofB *outcomes) {
		trA, ofA := d.drive(a, 5000)
		time.Sleep(time.Second) // the account's burst is used up
		trB, ofB := d.drive(b, 200)
		time.Sleep(2 * time.Second)
		trB.Stop(t)
		trA.Stop(t)
		t.Logf("A: %d served, %d throttled; B: %d served, %d throttled",
			ofA.served.Load(), ofA.throttled.Load(), ofB.served.Load(), ofB.throttled.Load())
		return ofA, ofB
	}

	ofA, ofB := run()
	if ofA.throttled.Load() == 0 {
		t.Skip("this machine cannot send as much as the account's limit")
	}
	if ofB.throttled.Load() == 0 {
		t.Error("B was not throttled although A exhausts the account's limit")
	}

	acc := d.account(t)
	acc.patchStage(b, "prod", "/x-tidegate-guaranteed-rate", "300")
	if ofA, ofB = run(); ofB.throttled.Load() != 0 {
		t.Errorf("B was throttled %d times although it has a guaranteed share", ofB.throttled.Load())
	}
	if ofA.throttled.Load() > 0 && d.metric("tidegate_guaranteed_requests_total") == 0 {
		t.Error("no request is counted as served from a guaranteed share")
	}

	// Raising the account's limit takes effect at once.
	_, err := acc.client.UpdateAccount(acc.ctx, &apigateway.UpdateAccountInput{PatchOperations: replace("/throttle/rateLimit", "1000000")})
	acc.must(err)
	out, err := acc.client.GetAccount(acc.ctx, &apigateway.GetAccountInput{})
	acc.must(err)
	if out.ThrottleSettings == nil || out.ThrottleSettings.RateLimit != 1000000 || out.ThrottleSettings.BurstLimit != 500000 {
		t.Errorf("GetAccount says %+v", out.ThrottleSettings)
	}
	if ofA, ofB = run(); ofA.throttled.Load()+ofB.throttled.Load() != 0 {
		t.Error("requests were throttled after the account's limit was raised")
	}
}

// TestGuaranteesMustFit: what is guaranteed cannot be more than there is.
func TestGuaranteesMustFit(t *testing.T) {
	d := start(t, host{account: "{rate_limit: 1000}"})
	api := d.deploy("prod", mocks, nil)
	_, err := d.sdk().UpdateStage(context.Background(), &apigateway.UpdateStageInput{RestApiId: &api, StageName: ptr("prod"),
		PatchOperations: replace("/x-tidegate-guaranteed-rate", "1001")})
	if err == nil || !strings.Contains(err.Error(), "add up to 1001 requests/s and the account limit is 1000") {
		t.Errorf("error %v", err)
	}
	d.ask("GET", "/prod/pets", "").expect(t, "afterwards", 200, "pets")
}

func ptr[T any](v T) *T { return &v }

// TestR20AccountLimit: three APIs offer three times the account's limit. In any
// window of time it is kept, and next to nothing of it is wasted.
func TestR20AccountLimit(t *testing.T) {
	const rate, burst = 1000, 500
	d := start(t, host{account: fmt.Sprintf("{rate_limit: %d, burst_limit: %d}", rate, burst)})
	var all []*traffic
	for name, share := range map[string]int{"most": 80, "some": 15, "few": 5} {
		tr, _ := d.drive(d.deploy("prod", named(name), nil), 3*rate*share/100)
		all = append(all, tr)
	}
	time.Sleep(6 * time.Second)
	for _, tr := range all {
		tr.Stop(t)
	}
	d.terminate(10 * time.Second) // the log is complete

	var served []float64 // seconds
	throttled := 0
	file, err := os.Open(d.log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct{ Status, RequestTimeEpoch string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		at, _ := strconv.ParseFloat(line.RequestTimeEpoch, 64)
		if line.Status == "200" {
			served = append(served, at/1000)
		} else {
			throttled++
		}
	}
	slices.Sort(served)
	if throttled < len(served)/2 {
		t.Skipf("%d served and %d throttled: this machine cannot send three times the limit", len(served), throttled)
	}
	// The log has milliseconds, and a loop's time may be a tick old.
	const slack = 0.26 * rate
	for i := range served {
		for j := i + burst; j < len(served); j += 97 {
			took := served[j] - served[i]
			if n := float64(j - i + 1); n > 1.01*(burst+rate*took)+slack {
				t.Fatalf("%g requests in %g s", n, took)
			}
		}
	}
	took := served[len(served)-1] - served[0]
	found(t, "R20", "%d/s with burst %d: %d served and %d throttled in %.1f s", rate, burst, len(served), throttled, took)
	if n := float64(len(served)); n > 1.01*(burst+rate*took)+rate*0.002 || n < 0.95*rate*took {
		t.Errorf("%g requests were served in %g s under %d/s with burst %d", n, took, rate, burst)
	}
}

// TestR22QuotasSurviveKills kills the daemon twenty times under traffic with API
// keys. Each time at most the last second of counting is forgotten, and nothing
// is counted twice.
func TestR22QuotasSurviveKills(t *testing.T) {
	t.Parallel()
	awayFromMidnight()
	d := start(t, host{})
	api := d.deploy("prod", keyed, nil)
	a := d.account(t)
	const limit = 1_000_000
	plan := a.plan(nil, quota(limit, types.QuotaPeriodTypeMonth), api+":prod")
	const keys = 10
	var ids, values [keys]string
	for i := range keys {
		ids[i], values[i] = a.key(plan)
	}
	var floor [keys]int64 // what GetUsage said after the last kill
	for kill := range lesser(20, 4) {
		var mu sync.Mutex
		var acknowledged [keys][]time.Time
		var sent [keys]int64
		tr := newTraffic(keys, d.addr, 2*time.Millisecond, func(c *client, turn int) error {
			i := rand.IntN(keys)
			mu.Lock()
			sent[i]++
			mu.Unlock()
			got, err := c.ask("GET", "/prod/pets", "", "X-API-Key: "+values[i])
			if err == nil && got.status == 200 {
				mu.Lock()
				acknowledged[i] = append(acknowledged[i], time.Now())
				mu.Unlock()
			}
			return nil // it will be cut off
		})
		time.Sleep(time.Duration(200+rand.IntN(1000)) * time.Millisecond)
		killed := time.Now()
		d.kill()
		tr.Stop(t)
		d.client.Close()
		d.run()
		d.waitReady()
		a = d.account(t)
		for i := range keys {
			settled := 0
			for _, at := range acknowledged[i] {
				if killed.Sub(at) > time.Second {
					settled++
				}
			}
			used, remaining := a.used(plan, ids[i])
			if used+remaining != limit {
				t.Errorf("kill %d: key %d: %d used and %d left of %d", kill, i, used, remaining, limit)
			}
			if used < floor[i]+int64(settled) || used > floor[i]+sent[i] {
				t.Errorf("kill %d: key %d: %d used; %d before, then %d acknowledged a second before the kill and %d sent", kill, i, used, floor[i], settled, sent[i])
			}
			floor[i] = used
		}
	}
	// A clean stop forgets nothing.
	for range 25 {
		d.ask("GET", "/prod/pets", "", "X-API-Key: "+values[0]).expect(t, "last", 200, "pets")
	}
	d.terminate(10 * time.Second)
	d.run()
	d.waitReady()
	a = d.account(t)
	if used, _ := a.used(plan, ids[0]); used != floor[0]+25 {
		t.Errorf("%d used after a clean stop, want %d", used, floor[0]+25)
	}
	total := int64(0)
	for _, n := range floor {
		total += n
	}
	found(t, "R22", "%d kills, %d requests with %d keys: nothing older than a second forgotten, nothing counted twice", lesser(20, 4), total, keys)
}
