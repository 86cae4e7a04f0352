package usage

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// Requests of some keys go on while the keyring changes around them, is written
// and is read: they never miss, nothing is lost, and no one gets another's
// account.
func TestRequestsWhileKeysChange(t *testing.T) {
	f := newFixture(t)
	start := time.Now()
	f.clock = func() int64 { return 200 * int64(time.Since(start)) } // so that memory is reused
	plan := onProd("gold01", definition.UsagePlan{Quota: &definition.Quota{Limit: 1e9, Period: definition.PeriodDay}})
	stage := f.deploy(plan) // the other plan is one of another stage
	const loops, steady, each = 3, 20, 3000
	for i := range steady {
		f.key(keyID(i), "gold01")
	}
	f.counted = make([]stack, loops)
	wall := utc(1, 1, 0)

	var requests, control sync.WaitGroup
	var stop atomic.Bool
	for loop := range loops {
		requests.Go(func() {
			charges, fields := make([]limiter.Charge, 0, 2), []byte(nil)
			for i := range each {
				id := keyID(i % steady)
				c, ok := f.Find(valueOf(id), stage)
				if !ok || string(c.AppendKeyID(nil)) != id || c.Plan().ID != "gold01" {
					t.Errorf("%s: found %v, key %s", id, ok, c.AppendKeyID(nil))
					return
				}
				charges = c.AppendCharges(charges[:0], Overrides{}, 0, wall)
				if d := limiter.SpendAll(0, wall, loop, charges); !d.Allowed() {
					t.Errorf("%+v", d)
				}
				f.Count(loop, &c, wall)
				fields = c.AppendRateLimit(fields[:0], 0, wall)
				// One that comes and goes: what is found of it may not be another's.
				gone := keyID(steady + i%7)
				if c, ok := f.Find(valueOf(gone), stage); ok {
					if string(c.AppendKeyID(nil)) != gone {
						t.Errorf("%s: found %s", gone, c.AppendKeyID(nil))
					}
				}
			}
		})
	}
	control.Go(func() {
		for i := 0; !stop.Load(); i++ {
			id := keyID(steady + i%50)
			switch i % 5 {
			case 0, 1:
				f.key(id, "gold01")
			case 2:
				f.DeletePlanKey("gold01", id)
				_ = f.PutPlanKey("other1", keyID(i%steady))
			case 3:
				f.DeletePlan("other1")
			case 4:
				f.DeleteKey(id)
			}
			f.Enforce([]*Plan{stage.plans[0]}, 0)
		}
	})
	newest := map[uint64]total{}
	control.Go(func() {
		for !stop.Load() {
			f.drain(nil, func(u total) { newest[u.key] = u })
		}
	})
	requests.Wait()
	stop.Store(true)
	control.Wait()
	f.drain(nil, func(u total) { newest[u.key] = u })

	for i := range steady {
		key, _ := parseID(keyID(i))
		if u := newest[key]; u.Used != loops*each/steady || u.WindowUsed != u.Used {
			t.Errorf("key %d: %+v, want %d used", i, u, loops*each/steady)
		}
	}
}

// However often an account counts, it is drained once.
func TestCountMarksOnce(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", definition.UsagePlan{}))
	for i := range 3 {
		f.key(keyID(i), "gold01")
	}
	for range 5 {
		for i := range 3 {
			f.requests(keyID(i), stage, Overrides{}, utc(1, 1, 23), 2)
		}
		f.requests(keyID(0), stage, Overrides{}, utc(1, 2, 0), 1)
	}
	got := map[total]int{}
	if n := f.drain(nil, func(u total) { got[u]++ }); len(n) != 3 || len(got) != 4 {
		t.Errorf("%d accounts and %d totals drained, want 3 and 4: %+v", len(n), len(got), got)
	}
	f.requests(keyID(0), stage, Overrides{}, utc(1, 1, 23), 1)
	n := f.drain(nil, func(u total) {
		if u.Used != 11 || u.Day != limiter.Day.Number(utc(1, 1, 0)) || u.Remaining != definition.NoQuota {
			t.Errorf("%+v, want the day that was counted in", u)
		}
	})
	if len(n) != 1 {
		t.Errorf("%d accounts drained, want 1", len(n))
	}
}
