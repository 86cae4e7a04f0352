package usage

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	crashKeys = 6
	hour      = 3600 * second
)

// boundary begins a day, a week and a month.
var boundary = utc(6, 1, 0)

// counts is what the keys have used in the two days and two windows around the
// boundary.
type counts [crashKeys][4]int64

func (h *host) counts() (c counts) {
	for key := range crashKeys {
		c[key][0], c[key][1] = h.used(key, boundary-hour)
		c[key][2], c[key][3] = h.used(key, boundary)
	}
	return c
}

// between reports whether no count of c is below one of low or above one of
// high.
func (c counts) between(low, high counts) bool {
	for key := range c {
		for i := range c[key] {
			if c[key][i] < low[key][i] || c[key][i] > high[key][i] {
				return false
			}
		}
	}
	return true
}

// Random counting, writing, archiving and failing, killed at a random byte of
// an append or a random point of a checkpoint, again and again: what had been
// appended is there, and never more than was counted.
func TestCrashes(t *testing.T) {
	crash := errors.New("crash")
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		period := []string{definition.PeriodDay, definition.PeriodWeek, definition.PeriodMonth}[r.IntN(3)]
		h := newHost(t, quotaOf(1e6, period), crashKeys)
		for life := range 8 {
			h.journal.batch = 1 + r.IntN(crashKeys)
			appended := h.counts()
			request := func() {
				wall := boundary - hour + r.Int64N(2*hour)
				h.requests(keyID(r.IntN(crashKeys)), h.stage, Overrides{}, wall, 1+r.IntN(5))
			}
			write := func() {
				if err := h.journal.append(); err != nil {
					t.Fatal(err)
				}
				appended = h.counts()
			}
			for range r.IntN(40) {
				switch r.IntN(6) {
				default:
					request()
				case 0:
					write()
				case 1:
					at := r.IntN(3)
					h.archive.before = func() error {
						if at--; at == 0 {
							return errors.New("the archive fails")
						}
						request()
						return nil
					}
					_ = h.journal.checkpoint()
					h.archive.before = nil
				}
			}

			switch r.IntN(3) {
			case 0: // killed while it appends
				before := h.journal.size
				lower := appended
				write()
				cut := before + r.Int64N(h.journal.size-before+1)
				if err := os.Truncate(h.journal.file.Name(), cut); err != nil {
					t.Fatal(err)
				}
				if cut < h.journal.size {
					appended = lower
				}
			case 1: // killed in a checkpoint, before or after a transaction
				write()
				at := r.IntN(2 * crashKeys)
				point := func() {
					if at--; at < 0 {
						panic(crash)
					}
				}
				h.archive.before = func() error { point(); return nil }
				h.archive.after = point
				func() {
					defer func() {
						if p := recover(); p != nil && p != crash {
							panic(p)
						}
					}()
					_ = h.journal.checkpoint()
				}()
				h.archive.before, h.archive.after = nil, nil
				if name := h.journal.file.Name(); r.IntN(2) == 0 && h.journal.size == int64(len(magic)) {
					if err := os.Truncate(name, r.Int64N(int64(len(magic)))); err != nil {
						t.Fatal(err)
					}
				}
			case 2: // stopped
				if err := h.journal.Flush(); err != nil {
					t.Fatal(err)
				}
				appended = h.counts()
			}

			counted := h.counts()
			h.start(t)
			if got := h.counts(); !got.between(appended, counted) {
				t.Fatalf("seed %d, life %d, %s: restored\n%v, want at least\n%v and at most\n%v", seed, life, period, got, appended, counted)
			}
			if n := len(h.segments()); n != 1 {
				t.Fatalf("seed %d, life %d: %d segments after a start", seed, life, n)
			}
		}
	}
}

func TestTornTailIsReported(t *testing.T) {
	h := newHost(t, quotaOf(100, definition.PeriodDay), 1)
	h.requests(keyID(0), h.stage, Overrides{}, boundary, 3)
	if err := h.journal.append(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(h.journal.file.Name(), h.journal.size-1); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	if len(h.reports) != 1 {
		t.Errorf("reported %v", h.reports)
	}
}

// The clock steps back an hour over the boundary of a day, week and month, and
// forward again, with a stop or a kill at every step: no period is lost and
// none counts twice.
func TestClockStepsOverABoundary(t *testing.T) {
	for _, period := range []string{definition.PeriodDay, definition.PeriodWeek, definition.PeriodMonth} {
		for _, kill := range []bool{false, true} {
			h := newHost(t, quotaOf(50, period), crashKeys)
			var admitted []int
			for _, step := range []struct {
				at    int64
				tries int
			}{
				{-hour / 2, 30}, {hour / 2, 20}, {-hour / 2, 15}, {hour / 3, 25}, {-hour, 50}, {0, 50}, {-1, 1}, {1, 1},
			} {
				admitted = append(admitted, h.requests(keyID(0), h.stage, Overrides{}, boundary+step.at, step.tries))
				end := h.journal.Close
				if kill {
					end = h.journal.append
				}
				if err := end(); err != nil {
					t.Fatal(err)
				}
				h.start(t)
			}
			if want := []int{30, 20, 15, 25, 5, 5, 0, 0}; !slices.Equal(admitted, want) {
				t.Errorf("%s, kill %v: admitted %v, want %v", period, kill, admitted, want)
			}
			day := h.counts()[0]
			if day != [4]int64{50, 50, 50, 50} {
				t.Errorf("%s, kill %v: %v counted, want 50 in each day and window", period, kill, day)
			}
		}
	}
}
