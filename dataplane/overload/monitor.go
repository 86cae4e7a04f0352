package overload

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what the host file says. Shares are from 0 to 1, the delay's
// thresholds are seconds.
type Config struct {
	MemoryBytes int64 // 0: what the control group, GOMEMLIMIT or the host has
	Descriptors int   // that may be open
	InFlight    int64 // requests; 0 for no limit
	Thresholds  [numSignals]Thresholds
}

// Source is what a Monitor looks at.
type Source struct {
	Loops    []Loop
	InFlight func() int64 // requests
	Now      func() int64 // nanoseconds of a clock that never goes back
	Log      *slog.Logger
}

// Period is the time between two samples.
const Period = 100 * time.Millisecond

// calm is how much a level can fall in one sample: from 1 to 0 in two seconds.
// It rises at once, but for the delay's once requests are shed: by climb in one
// sample. Clients that were refused rest, so that few refusals are enough, and
// whoever refuses many before he sees what the first did has nobody to serve.
const (
	calm  = 0.05
	climb = 0.01
)

// settle is how long the steps of a higher level are not needed before the log
// says so.
const settle = 5 * time.Second

// Reading is what a sample found of a signal.
type Reading struct {
	Value float64 // see Signal
	Level float64 // of the value, falling slowly
}

// Monitor samples the signals and publishes what follows in State. Its methods
// may be called from any goroutine.
type Monitor struct {
	State State

	source Source
	config atomic.Pointer[Config]
	probes []*probe
	memory atomic.Pointer[memory]

	descriptors descriptors

	mu       sync.Mutex
	readings [numSignals]Reading
	memUse   MemoryUse
	said     Step  // of the log
	needed   int64 // when said was needed last

	before        int64 // GOMEMLIMIT when the Monitor began
	stop, stopped chan struct{}
}

// NewMonitor returns a Monitor that has sampled nothing yet.
func NewMonitor(c Config, s Source) *Monitor {
	m := &Monitor{source: s, before: debug.SetMemoryLimit(-1), descriptors: newDescriptors()}
	for _, l := range s.Loops {
		m.probes = append(m.probes, newProbe(l, s.Now))
	}
	m.SetConfig(c)
	return m
}

// SetConfig changes what comes next. If the process has a memory limit, the
// garbage collector is told to stay where the level of memory begins, before
// anything is shed.
func (m *Monitor) SetConfig(c Config) {
	mem := newMemory(c.MemoryBytes, m.before, "/")
	limit := m.before
	if bound := mem.bound(); bound > 0 {
		limit = min(limit, int64(float64(bound)*c.Thresholds[Memory].Start))
	}
	debug.SetMemoryLimit(limit)
	m.config.Store(&c)
	m.memory.Store(mem)
}

// Start samples until Stop.
func (m *Monitor) Start() {
	m.stop, m.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(m.stopped)
		ticker := time.NewTicker(Period)
		defer ticker.Stop()
		for {
			select {
			case <-m.stop:
				return
			case <-ticker.C:
				m.sample()
			}
		}
	}()
}

// Stop ends what Start began, if it was called, and undoes what SetConfig told the
// garbage collector. The event loops must be there still.
func (m *Monitor) Stop() {
	if m.stop != nil {
		close(m.stop)
		<-m.stopped
	}
	debug.SetMemoryLimit(m.before)
}

func (m *Monitor) sample() {
	c := m.config.Load()
	use := m.memory.Load().read()
	var values [numSignals]float64
	values[Memory] = use.share()
	for _, p := range m.probes {
		values[Delay] = max(values[Delay], p.sample(m.source.Now).Seconds())
	}
	if c.Descriptors > 0 {
		values[Descriptors] = float64(m.descriptors.open()) / float64(c.Descriptors)
	}
	if c.InFlight > 0 {
		values[InFlight] = float64(m.source.InFlight()) / float64(c.InFlight)
	}
	m.mu.Lock()
	m.memUse = use
	m.mu.Unlock()
	m.judge(m.source.Now(), values)
}

// judge publishes what follows from a sample.
func (m *Monitor) judge(now int64, values [numSignals]float64) {
	c := m.config.Load()
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range values {
		r := &m.readings[s]
		level := max(c.Thresholds[s].Level(values[s]), r.Level-calm)
		if Signal(s) == Delay {
			level = min(level, max(r.Level, levelLow)+climb)
		}
		r.Value, r.Level = values[s], level
	}
	pressure := max(m.readings[Memory].Level, m.readings[Descriptors].Level)
	w := MakeWord(pressure, m.readings[Delay].Level)
	m.State.Store(w)
	m.announce(now, StepOf(w))
}

// announce logs each change of the step once: a higher one when it comes, a lower
// one when it has held for a while.
func (m *Monitor) announce(now int64, step Step) {
	if step >= m.said {
		m.needed = now
	}
	if step == m.said || step < m.said && now-m.needed < int64(settle) {
		return
	}
	rises := step > m.said
	m.said, m.needed = step, now
	r := &m.readings
	args := []any{"step", step.String(), "memory", r[Memory].Value, "delay", time.Duration(r[Delay].Value * float64(time.Second)).String(), "descriptors", r[Descriptors].Value, "in_flight", r[InFlight].Value}
	if rises {
		m.source.Log.Warn("overload", args...)
	} else {
		m.source.Log.Info("overload eases", args...)
	}
}

// Readings returns what the last sample found, by Signal.
func (m *Monitor) Readings() (all [numSignals]Reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.readings
}

// MemoryUse returns what the last sample found.
func (m *Monitor) MemoryUse() MemoryUse {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.memUse
}
