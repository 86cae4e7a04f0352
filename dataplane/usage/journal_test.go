package usage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// fakeArchive is a state store in memory.
type fakeArchive struct {
	rows   map[archiveKey]definition.Usage
	writes int
	before func() error // a write
	save   func() error // makes it durable
	after  func()       // it
}

type archiveKey struct {
	plan, key string
	day       int64
}

func (a *fakeArchive) WriteUsage(us []definition.Usage) error {
	if a.before != nil {
		if err := a.before(); err != nil {
			return err
		}
	}
	if a.rows == nil {
		a.rows = map[archiveKey]definition.Usage{}
	}
	for _, u := range us {
		a.rows[archiveKey{u.PlanID, u.KeyID, u.Day}] = u
	}
	if a.save != nil {
		if err := a.save(); err != nil {
			return err
		}
	}
	a.writes++
	if a.after != nil {
		a.after()
	}
	return nil
}

func (a *fakeArchive) restore(s *Store) {
	for _, u := range a.rows { // in any order
		s.Restore(u)
	}
}

// host is a store with a journal and what outlives it.
type host struct {
	*fixture
	dir     string
	archive *fakeArchive
	plan    definition.UsagePlan
	keys    int
	stage   *StagePlans
	journal *Journal
	reports []error
}

func newHost(t *testing.T, plan definition.UsagePlan, keys int) *host {
	h := &host{dir: t.TempDir(), archive: &fakeArchive{}, plan: *onProd("gold01", plan), keys: keys}
	h.start(t)
	return h
}

// start is a start of the gateway, after a stop or a crash. Nothing runs in the
// background.
func (h *host) start(t *testing.T) {
	t.Helper()
	if h.journal != nil {
		_ = h.journal.file.Close()
	}
	h.fixture = newFixture(t)
	h.stage = h.deploy(&h.plan)
	for i := range h.keys {
		h.key(keyID(i), "gold01")
	}
	h.archive.restore(h.Store)
	j, err := openJournal(h.Store, h.dir, h.archive, func(err error) { h.reports = append(h.reports, err) })
	if err != nil {
		t.Fatal(err)
	}
	h.journal = j
}

func (h *host) segments() []string {
	paths, _ := filepath.Glob(filepath.Join(h.dir, segmentPrefix+"*"))
	return paths
}

// used returns what is counted in the day and in the quota's window.
func (h *host) used(key int, wall int64) (day, window int64) {
	a, _ := h.lookup("gold01", keyID(key))
	for _, c := range a.days.Snapshot() {
		if c.Period != 0 && c.Number == limiter.Day.Number(wall) {
			day = c.Used
		}
	}
	if q := h.plans.inForce[a.plan()].quota; q != nil {
		window = a.quota.Used(wall, *q)
	}
	return day, window
}

func quotaOf(limit int64, period string) definition.UsagePlan {
	return definition.UsagePlan{Quota: &definition.Quota{Limit: limit, Period: period}}
}

func TestCleanStopKeepsEverything(t *testing.T) {
	h := newHost(t, quotaOf(100, definition.PeriodMonth), 3)
	wall := utc(1, 31, 23)
	h.requests(keyID(1), h.stage, Overrides{}, wall, 7)
	h.requests(keyID(1), h.stage, Overrides{}, utc(2, 1, 0), 5)
	h.requests(keyID(2), h.stage, Overrides{}, wall, 1)
	h.DeletePlanKey("gold01", keyID(2)) // its usage is kept all the same
	if err := h.journal.Close(); err != nil {
		t.Fatal(err)
	}
	if s := h.segments(); len(s) != 0 {
		t.Errorf("%v left after a clean stop", s)
	}
	want := definition.Usage{
		PlanID: "gold01", KeyID: keyID(1), Day: limiter.Day.Number(wall), Used: 7, Remaining: 93,
		Period: "MONTH", Window: limiter.Month.Number(wall), WindowUsed: 7,
	}
	if got := h.archive.rows[archiveKey{"gold01", keyID(1), want.Day}]; got != want || len(h.archive.rows) != 3 {
		t.Errorf("archived %+v", h.archive.rows)
	}
	h.start(t)
	for _, tt := range []struct {
		key    int
		wall   int64
		d, win int64
	}{{0, wall, 0, 0}, {1, wall, 7, 7}, {1, utc(2, 1, 0), 5, 5}, {2, wall, 1, 1}} {
		if d, w := h.used(tt.key, tt.wall); d != tt.d || w != tt.win {
			t.Errorf("key %d: %d and %d used after a restart, want %d and %d", tt.key, d, w, tt.d, tt.win)
		}
	}
}

func TestRestoreIgnoresWhatThereIsNot(t *testing.T) {
	f := newFixture(t)
	f.deploy(onProd("gold01", quotaOf(10, definition.PeriodDay)))
	f.key(keyID(1))
	good := definition.Usage{PlanID: "gold01", KeyID: keyID(1), Day: 20000, Used: 4, Period: "DAY", Window: 20000, WindowUsed: 4}
	for _, edit := range []func(*definition.Usage){
		func(u *definition.Usage) { u.PlanID = "absent" },
		func(u *definition.Usage) { u.KeyID = keyID(2) },
		func(u *definition.Usage) { u.KeyID = "?" },
		func(u *definition.Usage) { u.Day = -1 },
		func(u *definition.Usage) { u.Window = 1 << 40 },
	} {
		u := good
		edit(&u)
		f.Restore(u)
	}
	if s := f.Stats(); s.Accounts != 0 {
		t.Errorf("%+v", s)
	}
	f.Restore(good) // of a key that was taken out of the plan
	other := good
	other.Period, other.Window, other.WindowUsed = "MONTH", 600, 9
	f.Restore(other)
	a, _ := f.lookup("gold01", keyID(1))
	if a == nil || a.state.Load()&linked != 0 || a.quota.Snapshot() != [2]limiter.Count{{Period: limiter.Day, Number: 20000, Used: 4}, {}} {
		t.Fatalf("%+v", a)
	}
}

// A disk that fails costs nothing but the report.
func TestDiskFails(t *testing.T) {
	h := newHost(t, quotaOf(100, definition.PeriodDay), 2)
	wall := utc(1, 1, 0)
	good := h.journal.file
	bad, err := os.Open(good.Name()) // cannot be written
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bad.Close() }()
	h.journal.file = bad
	for range 3 {
		h.requests(keyID(0), h.stage, Overrides{}, wall, 1)
		if h.journal.append() == nil || h.journal.Flush() == nil {
			t.Fatal("an append to a file that cannot be written went well")
		}
	}
	if len(h.reports) != 1 || !strings.Contains(h.reports[0].Error(), "usage journal: ") {
		t.Errorf("reported %v, want one report", h.reports)
	}
	h.journal.file = good
	if err := h.journal.append(); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	if d, w := h.used(0, wall); d != 3 || w != 3 {
		t.Errorf("%d and %d used, want 3", d, w)
	}
}

// An archive that fails gets everything later, also what was counted meanwhile.
func TestArchiveFails(t *testing.T) {
	h := newHost(t, quotaOf(100, definition.PeriodDay), 9)
	h.journal.batch = 2
	wall, broken := utc(1, 1, 0), errors.New("the disk is full")
	for i := range 9 {
		h.requests(keyID(i), h.stage, Overrides{}, wall, i+1)
	}
	writes := 0
	h.archive.before = func() error {
		writes++
		h.requests(keyID(writes%9), h.stage, Overrides{}, wall, 1)
		_ = h.journal.append()
		if writes == 2 || writes == 4 || writes == 5 {
			return broken
		}
		return nil
	}
	for i, fails := range []bool{true, true, true, false} {
		err := h.journal.Flush()
		if errors.Is(err, broken) != fails || len(h.segments()) != 2 && fails {
			t.Fatalf("time %d: %v, segments %v", i, err, h.segments())
		}
	}
	h.archive.before = nil
	for range 2 {
		if err := h.journal.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.reports) != 1 || len(h.segments()) != 1 {
		t.Errorf("reported %v, segments %v; want one of each", h.reports, h.segments())
	}
	for i := range 9 {
		d, _ := h.used(i, wall)
		if got := h.archive.rows[archiveKey{"gold01", keyID(i), limiter.Day.Number(wall)}]; got.Used != d || d <= int64(i) {
			t.Errorf("key %d: %d archived, %d used", i, got.Used, d)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	s := newFixture(t).Store
	if _, err := OpenJournal(s, filepath.Join(t.TempDir(), "absent"), &fakeArchive{}, nil); err == nil {
		t.Error("opened in a directory that is not there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, segmentPrefix+"7")
	if err := os.WriteFile(path, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(s, dir, &fakeArchive{}, nil); err == nil || !strings.Contains(err.Error(), "usage.journal.7: ") {
		t.Errorf("%v, want what is wrong with the segment", err)
	}
}

// The background writes within a second, without being asked.
func TestBackground(t *testing.T) {
	f := newFixture(t)
	stage := f.deploy(onProd("gold01", quotaOf(100, definition.PeriodDay)))
	f.key(keyID(1), "gold01")
	dir, archive := t.TempDir(), &fakeArchive{}
	j, err := OpenJournal(f.Store, dir, archive, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	f.requests(keyID(1), stage, Overrides{}, utc(1, 1, 0), 5)
	path, deadline := filepath.Join(dir, segmentPrefix+"1"), time.Now().Add(5*time.Second)
	for {
		if info, err := os.Stat(path); err == nil && info.Size() == int64(len(magic)+recordSize) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was appended")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := j.Close(); err != nil || archive.writes != 1 {
		t.Errorf("%v, %d transactions", err, archive.writes)
	}
}
