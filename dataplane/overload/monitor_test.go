package overload

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
)

var thresholds = [numSignals]Thresholds{
	Memory: {0.85, 0.95}, Delay: {0.05, 0.25}, Descriptors: {0.85, 0.95}, InFlight: {0.8, 1},
}

func monitor(t *testing.T, log *bytes.Buffer) *Monitor {
	t.Helper()
	return NewMonitor(Config{Thresholds: thresholds}, Source{Now: func() int64 { return 0 }, Log: slog.New(slog.NewTextHandler(log, nil))})
}

func values(memory, delay, descriptors, inFlight float64) [numSignals]float64 {
	return [numSignals]float64{memory, delay, descriptors, inFlight}
}

// TestSteps: the steps come in the order of the package comment, and which come
// depends on the signal.
func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name             string
		values           [numSignals]float64
		closes, refuses  bool
		low, normal      float64 // share that is shed
		pressureAtLeast0 bool
		step             Step
	}{
		{name: "nothing", values: values(0.5, 0.01, 0.5, 0.5), step: AtEase},
		{name: "memory 86 %", values: values(0.86, 0, 0, 0), pressureAtLeast0: true, step: Shortens},
		{name: "memory 91 %", values: values(0.91, 0, 0, 0), closes: true, pressureAtLeast0: true, step: Closes},
		{name: "memory 93 %", values: values(0.93, 0, 0, 0), closes: true, low: 2. / 3, pressureAtLeast0: true, step: ShedsLow},
		{name: "memory 94 %", values: values(0.94, 0, 0, 0), closes: true, low: mostShed, normal: 1. / 3, pressureAtLeast0: true, step: ShedsNormal},
		{name: "memory 95 %", values: values(0.95, 0, 0, 0), closes: true, refuses: true, low: mostShed, normal: mostShed, pressureAtLeast0: true, step: Refuses},
		{name: "descriptors", values: values(0, 0, 1, 0), closes: true, refuses: true, low: mostShed, normal: mostShed, pressureAtLeast0: true, step: Refuses},
		{name: "delay", values: values(0, 0.205, 0, 0), low: 0.5, step: ShedsLow},
		{name: "long delay", values: values(0, 9, 0, 0), low: mostShed, normal: mostShed, step: ShedsNormal},
		{name: "in flight is bounded elsewhere", values: values(0, 0, 0, 2), step: AtEase},
	} {
		m := monitor(t, &bytes.Buffer{})
		for range 100 { // until the level has climbed
			m.judge(1, c.values)
		}
		w := m.State.Load()
		if w.Closes() != c.closes || w.Refuses() != c.refuses || (w.Pressure() > 0) != c.pressureAtLeast0 {
			t.Errorf("%s: closes %v, refuses %v, pressure %g", c.name, w.Closes(), w.Refuses(), w.Pressure())
		}
		if w.Rests() != (c.values[Delay] > 0.1) {
			t.Errorf("%s: rests %v", c.name, w.Rests())
		}
		if got := StepOf(w); got != c.step {
			t.Errorf("%s: %s, want %s", c.name, got, c.step)
		}
		var s Shedder
		for p, want := range map[Priority]float64{Low: c.low, Normal: c.normal, High: 0} {
			shed := 0
			for range 10000 {
				if s.Sheds(w, p) {
					shed++
				}
			}
			if got := float64(shed) / 10000; math.Abs(got-want) > 0.002 {
				t.Errorf("%s: %g of %s priority are shed, want %g", c.name, got, p, want)
			}
		}
	}
}

// TestSheddingForTheDelayClimbs: it begins with a small share, and ends soon after the
// delay does.
func TestSheddingForTheDelayClimbs(t *testing.T) {
	m := monitor(t, &bytes.Buffer{})
	last := uint32(0)
	for i := range 10 {
		m.judge(1, values(0, 9, 0, 0))
		share := m.State.Load().share(Low)
		if share <= last || share-last > unit/10 {
			t.Errorf("sample %d: %d after %d of %d", i, share, last, unit)
		}
		last = share
	}
	for range 3 {
		m.judge(1, values(0, 0, 0, 0))
	}
	if share := m.State.Load().share(Low); share != 0 {
		t.Errorf("%d of %d are shed though nothing is delayed", share, unit)
	}
}

// TestLevelFallsSlowly: one good sample does not undo what a bad one did.
func TestLevelFallsSlowly(t *testing.T) {
	m := monitor(t, &bytes.Buffer{})
	m.judge(1, values(1, 0, 0, 0))
	samples := 0
	for ; m.State.Load() != 0; samples++ {
		m.judge(1, values(0, 0, 0, 0))
	}
	if took := time.Duration(samples) * Period; took < 1500*time.Millisecond || took > 2500*time.Millisecond {
		t.Errorf("at ease again after %s", took)
	}
}

// TestLogsEachChangeOnce: up at once, down when it has settled, and nothing
// between for a level that goes to and fro.
func TestLogsEachChangeOnce(t *testing.T) {
	var log bytes.Buffer
	m := monitor(t, &log)
	now := int64(1)
	run := func(seconds int, memory ...float64) {
		for i := range seconds * int(time.Second/Period) {
			now += int64(Period)
			m.judge(now, values(memory[i%len(memory)], 0, 0, 0))
		}
	}
	run(2, 0.5)
	run(60, 0.951, 0.949) // back and forth over a threshold
	if got := strings.Count(log.String(), "msg=overload "); got != 1 || strings.Contains(log.String(), "eases") {
		t.Errorf("%d lines, want one:\n%s", got, log.String())
	}
	log.Reset()
	run(30, 0.5)
	if got := strings.Count(log.String(), "\n"); got < 1 || got > 2 || !strings.Contains(log.String(), `step="at ease"`) {
		t.Errorf("want at most two lines, the last at ease:\n%s", log.String())
	}
	log.Reset()
	run(60, 0.5)
	if log.Len() > 0 {
		t.Errorf("lines of nothing new:\n%s", log.String())
	}
}

func TestThresholdsOff(t *testing.T) {
	if got := (Thresholds{}).Level(1e9); got != 0 {
		t.Errorf("level %g of a signal that is off", got)
	}
}

func TestAllowance(t *testing.T) {
	for _, c := range []struct {
		limit             int64
		low, normal, high int64
	}{{0, 0, 0, 0}, {1, 1, 1, 1}, {100, 80, 90, 100}, {1000, 800, 900, 1000}} {
		for p, want := range map[Priority]int64{Low: c.low, Normal: c.normal, High: c.high} {
			if got := Allowance(p, c.limit, thresholds[InFlight]); got != want {
				t.Errorf("%s of %d: %d, want %d", p, c.limit, got, want)
			}
		}
	}
}

func TestParsePriority(t *testing.T) {
	for name, want := range map[string]Priority{"": Normal, "low": Low, "normal": Normal, "high": High} {
		if got, err := ParsePriority(name); got != want || err != nil {
			t.Errorf("%q: %s, %v", name, got, err)
		}
	}
	if _, err := ParsePriority("Low"); err == nil || !strings.Contains(err.Error(), "use low, normal or high") {
		t.Errorf("error %v", err)
	}
}

func TestNilStateIsAtEase(t *testing.T) {
	var s *State
	if s.Load() != 0 {
		t.Error("not at ease")
	}
}

// TestQuietCostsNothing: what a request asks allocates nothing, calm or not.
func TestQuietCostsNothing(t *testing.T) {
	var state State
	var s Shedder
	for _, w := range []Word{0, MakeWord(1, 1)} {
		state.Store(w)
		if n := testing.AllocsPerRun(1000, func() {
			s.Sheds(state.Load(), Low)
			s.Sheds(state.Load(), High)
		}); n != 0 {
			t.Errorf("%g allocations", n)
		}
	}
}

func BenchmarkSheds(b *testing.B) {
	var state State
	var s Shedder
	b.ReportAllocs()
	for b.Loop() {
		if s.Sheds(state.Load(), Normal) {
			b.Fatal("shed")
		}
	}
}
