package state

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func writeUsage(t testing.TB, s *Store, us ...definition.Usage) {
	t.Helper()
	if err := s.WriteUsage(us); err != nil {
		t.Fatal(err)
	}
}

// usage is of key k1 under plan p. Its quota is 100 a month of 30 days.
func usage(day, used, windowUsed int64) definition.Usage {
	return definition.Usage{PlanID: "p", KeyID: "k1", Day: day, Used: used, Remaining: 100 - windowUsed, Period: definition.PeriodMonth, Window: day / 30, WindowUsed: windowUsed}
}

// daily is of the same with a quota of 100 a day.
func daily(day, used int64) definition.Usage {
	return definition.Usage{PlanID: "p", KeyID: "k1", Day: day, Used: used, Remaining: 100 - used, Period: definition.PeriodDay, Window: day, WindowUsed: used}
}

func granted(u definition.Usage, n int64) definition.Usage {
	u.Granted = n
	u.Remaining += n
	return u
}

func eachUsage(t testing.TB, s *Store) (us []definition.Usage) {
	t.Helper()
	if err := s.EachUsage(func(u definition.Usage) error { us = append(us, u); return nil }); err != nil {
		t.Fatal(err)
	}
	return us
}

func TestUsageRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	twoPlans(t, s)
	free := definition.Usage{PlanID: "p", KeyID: "k2", Day: 20000, Used: 1 << 40, Remaining: definition.NoQuota}
	weekly := definition.Usage{PlanID: "pp", KeyID: "k1", Day: 20000, Used: 3, Remaining: -5, Period: definition.PeriodWeek, Window: 2857, WindowUsed: 9, Granted: -4}
	want := []definition.Usage{usage(20000, 1, 4), free, weekly}
	writeUsage(t, s, want...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	if got := eachUsage(t, s); !reflect.DeepEqual(got, want) {
		t.Errorf("newest %+v\nwant %+v", got, want)
	}
	for _, u := range want {
		if got, err := s.Usage(u.PlanID, u.KeyID, u.Day, u.Day); err != nil || !reflect.DeepEqual(got, []definition.Usage{u}) {
			t.Errorf("history %+v, %v\nwant %+v", got, err, u)
		}
	}
}

func TestWriteUsageKeepsTheLarger(t *testing.T) {
	type us = []definition.Usage
	mixed := usage(40, 9, 7) // the plan's quota was by day before
	for name, c := range map[string]struct{ write, newest, history us }{
		"twice":                 {us{usage(40, 5, 7), usage(40, 5, 7)}, us{usage(40, 5, 7)}, us{usage(40, 5, 7)}},
		"older after newer":     {us{usage(40, 5, 7), usage(40, 4, 6)}, us{usage(40, 5, 7)}, us{usage(40, 5, 7)}},
		"newer after older":     {us{usage(40, 4, 6), usage(40, 5, 7)}, us{usage(40, 5, 7)}, us{usage(40, 5, 7)}},
		"grant":                 {us{usage(40, 5, 7), granted(usage(40, 5, 7), 9)}, us{granted(usage(40, 5, 7), 9)}, us{granted(usage(40, 5, 7), 9)}},
		"grant taken back":      {us{granted(usage(40, 5, 7), 9), usage(40, 5, 7)}, us{usage(40, 5, 7)}, us{usage(40, 5, 7)}},
		"older after grant":     {us{granted(usage(40, 5, 7), 9), usage(40, 4, 6)}, us{granted(usage(40, 5, 7), 9)}, us{granted(usage(40, 5, 7), 9)}},
		"yesterday after today": {us{usage(40, 5, 7), usage(39, 2, 2)}, us{{PlanID: "p", KeyID: "k1", Day: 39, Used: 2, Remaining: 98, Period: "MONTH", Window: 1, WindowUsed: 7}, usage(40, 5, 7)}, us{usage(39, 2, 2), usage(40, 5, 7)}},
		"three days":            {us{usage(40, 1, 1), usage(41, 1, 2), usage(42, 1, 3)}, us{{PlanID: "p", KeyID: "k1", Day: 41, Used: 1, Remaining: 98, Period: "MONTH", Window: 1, WindowUsed: 3}, usage(42, 1, 3)}, us{usage(40, 1, 1), usage(41, 1, 2), usage(42, 1, 3)}},
		"window before stays":   {us{usage(59, 1, 50), usage(60, 1, 1), usage(61, 1, 2)}, us{usage(59, 1, 50), {PlanID: "p", KeyID: "k1", Day: 60, Used: 1, Remaining: 99, Period: "MONTH", Window: 2, WindowUsed: 2}, usage(61, 1, 2)}, us{usage(59, 1, 50), usage(60, 1, 1), usage(61, 1, 2)}},
		"daily windows":         {us{daily(40, 3), daily(41, 2), daily(42, 1), daily(41, 1)}, us{daily(41, 2), daily(42, 1)}, us{daily(40, 3), daily(41, 2), daily(42, 1)}},
		"other period":          {us{daily(40, 8), mixed, daily(40, 8)}, us{func() definition.Usage { u := daily(40, 8); u.Used = 9; return u }(), mixed}, us{mixed}},
	} {
		for _, whole := range []bool{true, false} {
			s := mustOpen(t, t.TempDir())
			twoPlans(t, s)
			if whole {
				writeUsage(t, s, c.write...)
			} else {
				for _, u := range c.write {
					writeUsage(t, s, u)
				}
			}
			if got := eachUsage(t, s); !reflect.DeepEqual(got, c.newest) {
				t.Errorf("%s: newest %+v\nwant %+v", name, got, c.newest)
			}
			if got, err := s.Usage("p", "k1", 0, 100); err != nil || !reflect.DeepEqual(got, c.history) {
				t.Errorf("%s: history %+v, %v\nwant %+v", name, got, err, c.history)
			}
		}
	}
}

func TestWriteUsageIgnoresWhatWasDeleted(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	mustWrite(t, s, definition.Change{DeletePlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k2"}}, DeleteKeys: []string{"k3"}})
	other := func(plan, key string) definition.Usage {
		u := usage(40, 5, 7)
		u.PlanID, u.KeyID = plan, key
		return u
	}
	writeUsage(t, s, other("q", "k1"), other("p", "k3"), other("p", "k2"), other("p", "k1"))
	if got, want := eachUsage(t, s), []definition.Usage{other("p", "k1"), other("p", "k2")}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []definition.Usage{{PlanID: "p", KeyID: "k1", Day: -1}, {PlanID: "p", KeyID: "k1", Period: "YEAR"}} {
		if err := s.WriteUsage([]definition.Usage{usage(41, 5, 7), bad}); err == nil || !strings.Contains(err.Error(), "usage of plan p by API key k1") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if n := count(t, s, bucketUsageHistory); n != 2 {
		t.Errorf("%d records after writes that failed", n)
	}
}

func TestUsageOfDays(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	for _, d := range []int64{10, 20, 21, 25} {
		writeUsage(t, s, usage(d, d, d))
	}
	other := usage(23, 1, 1)
	other.KeyID = "k2"
	writeUsage(t, s, other)
	for _, c := range []struct {
		from, to int64
		want     []int64
	}{
		{20, 25, []int64{10, 20, 21, 25}},
		{21, 21, []int64{20, 21}},
		{22, 24, []int64{21}},
		{10, 12, []int64{10}},
		{-5, 9, nil},
		{0, 1 << 62, []int64{10, 20, 21, 25}},
		{30, 40, []int64{25}},
		{25, 20, []int64{20}}, // no days, and the newest before
	} {
		us, err := s.Usage("p", "k1", c.from, c.to)
		var days []int64
		for _, u := range us {
			days = append(days, u.Day)
			if u != usage(u.Day, u.Day, u.Day) {
				t.Errorf("%d to %d: %+v", c.from, c.to, u)
			}
		}
		if err != nil || !slices.Equal(days, c.want) {
			t.Errorf("%d to %d: days %v, %v, want %v", c.from, c.to, days, err, c.want)
		}
	}
	if us, err := s.Usage("pp", "k1", 0, 100); err != nil || us != nil {
		t.Errorf("nothing used: %v, %v", us, err)
	}
}

// span tells the first and the last day of the history, and how many it has.
func span(t testing.TB, s *Store) string {
	t.Helper()
	var days []int64
	err := s.db.View(func(tx *bolt.Tx) (err error) { days, err = daysOf(tx.Bucket(bucketUsageHistory)); return err })
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d days from %d to %d", len(days), days[0], days[len(days)-1])
}

func TestHistoryIsPruned(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	for d := int64(1); d <= 100; d++ {
		other := usage(d, 1, d)
		other.KeyID = "k2"
		writeUsage(t, s, usage(d, 1, d), other)
	}
	if got := span(t, s); got != "90 days from 11 to 100" {
		t.Error(got)
	}
	writeUsage(t, s, usage(5, 1, 1)) // is too old to be kept
	if got := span(t, s); got != "90 days from 11 to 100" {
		t.Error(got)
	}
	writeUsage(t, s, usage(1_000_000, 1, 1)) // a clock that went wild costs one day
	if got := span(t, s); got != "90 days from 12 to 1000000" {
		t.Error(got)
	}
	if n := count(t, s, bucketUsageHistory); n != 89*2+1 {
		t.Errorf("%d records", n)
	}
	if n := len(eachUsage(t, s)); n > 3*2 {
		t.Errorf("%d newest", n)
	}
}

func TestPruningIsDoneInSteps(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	err := s.db.Update(func(tx *bolt.Tx) error {
		w := newWriting(tx, s.vault)
		for n := range pruneStep + 1 {
			k := historyKey(0, pairKey("p", fmt.Sprint(n)))
			if err := replace(w.usageHistory, k, appendUsage(nil, &definition.Usage{})); err != nil {
				return err
			}
		}
		for d := int64(1); d <= historyDays; d++ {
			if err := w.putUsage(usage(d, 1, d)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{historyDays + 1, historyDays} {
		writeUsage(t, s, usage(historyDays, 1, historyDays))
		if n := count(t, s, bucketUsageHistory); n != want {
			t.Errorf("%d records, want %d", n, want)
		}
	}
}
