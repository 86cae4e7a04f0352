package usage

import (
	"errors"
	"math"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestGrant(t *testing.T) {
	h := newHost(t, quotaOf(10, definition.PeriodMonth), 2)
	one, wall := keyID(1), utc(1, 31, 23)
	grant := func(remaining int64) {
		t.Helper()
		if err := h.journal.Grant("gold01", one, remaining, wall); err != nil {
			t.Fatal(err)
		}
		h.start(t) // as after a crash: it is on disk
	}
	admitted := func(says string, wall int64, want int) {
		t.Helper()
		if got := h.requests(one, h.stage, Overrides{}, wall, 50); got != want {
			t.Errorf("%s: %d admitted, want %d", says, got, want)
		}
		if err := h.journal.append(); err != nil {
			t.Fatal(err)
		}
	}
	grant(15)
	admitted("before any use", wall, 15)
	grant(3)
	grant(4)
	grant(3)
	admitted("when all was used", wall, 3)
	grant(7)
	grant(0)
	admitted("taken back", wall, 0)
	admitted("the next month", utc(2, 1, 0), 10)
	grant(2)
	admitted("the clock stepped back over the boundary", wall, 2)
	admitted("and forward again", utc(2, 1, 0), 0)
	if d, _ := h.request(keyID(0), h.stage, Overrides{}, wall); !d.Allowed() || d.Remaining != 9 {
		t.Errorf("another key: %+v", d)
	}
}

func TestGrantRemainsInReports(t *testing.T) {
	h := newHost(t, quotaOf(10, definition.PeriodDay), 1)
	wall := utc(1, 1, 0)
	h.requests(keyID(0), h.stage, Overrides{}, wall, 4)
	if err := h.journal.Grant("gold01", keyID(0), 100, wall); err != nil {
		t.Fatal(err)
	}
	h.requests(keyID(0), h.stage, Overrides{}, wall, 1)
	if err := h.journal.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, u := range h.archive.rows {
		if u.Used != 5 || u.WindowUsed != 5 || u.Granted != 94 || u.Remaining != 99 {
			t.Errorf("%+v", u)
		}
	}
}

func TestGrantErrors(t *testing.T) {
	h := newHost(t, definition.UsagePlan{}, 1)
	for _, tt := range []struct {
		plan, key string
		remaining int64
	}{{"gold01", keyID(0), 5}, {"gold01", keyID(5), 5}, {"absent", keyID(0), 5}, {"gold01", keyID(0), -1}} {
		err := h.journal.Grant(tt.plan, tt.key, tt.remaining, 0)
		var invalid *definition.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%+v: %v, want an InvalidError", tt, err)
		}
	}
}

func TestGrantWord(t *testing.T) {
	for _, g := range []grant{{1, 0, 0}, {2, maxWindow, maxGrant}, {3, 683, -maxGrant}, {3, 683, -1}} {
		if got := unpackGrant(g.pack()); got != g {
			t.Errorf("%+v became %+v", g, got)
		}
	}
	if got := unpackGrant(grant{1, 5, math.MaxInt64}.pack()); got.extra != maxGrant || got.window != 5 {
		t.Errorf("%+v, want the largest grant", got)
	}
}

// Whatever the order in which usage is restored, the grant that was in force is
// in force again.
func TestGrantRestoredInAnyOrder(t *testing.T) {
	older := definition.Usage{PlanID: "gold01", KeyID: keyID(0), Day: 20000, Used: 5, Period: "MONTH", Window: 657, WindowUsed: 5}
	newer := older
	newer.Day, newer.Used, newer.Granted = 20001, 0, 7
	before := older
	before.Day, before.Window, before.WindowUsed, before.Granted = 19970, 656, 50, 9
	for _, order := range [][]definition.Usage{
		{older, newer, before}, {newer, older, before}, {before, newer, older}, {newer, before, older},
	} {
		f := newFixture(t)
		f.deploy(onProd("gold01", quotaOf(10, definition.PeriodMonth)))
		f.key(keyID(0), "gold01")
		for range 2 {
			for _, u := range order {
				f.Restore(u)
			}
		}
		a, _ := f.lookup("gold01", keyID(0))
		if g := unpackGrant(a.grant.Load()); g.window != 657 || g.extra != 7 {
			t.Errorf("%+v is restored", g)
		}
	}
}
