package overload

// Signal is something that the host runs out of.
type Signal uint8

// The signals.
const (
	Memory      Signal = iota // share of the limit in use
	Delay                     // seconds that an event waits for its event loop
	Descriptors               // share of the limit in use
	InFlight                  // share of the limit in use
	numSignals
)

// SignalNames are the names of the signals, in order.
var SignalNames = [numSignals]string{"memory", "delay", "descriptors", "in_flight"}

func (s Signal) String() string { return SignalNames[s] }

// Thresholds are the values of a signal between which its level goes from 0 to
// 1. With a Full of 0 the signal is off: its level is always 0.
type Thresholds struct{ Start, Full float64 }

// Level returns the level of a value.
func (t Thresholds) Level(value float64) float64 {
	if t.Full <= 0 || value <= t.Start {
		return 0
	}
	if value >= t.Full {
		return 1
	}
	return (value - t.Start) / (t.Full - t.Start)
}

// The levels at which the steps are taken, in their order: from 0 on timeouts
// become shorter.
const (
	levelClose  = 0.5  // idle connections are closed, and each connection after its answer
	levelLow    = 0.7  // the first requests of low priority are shed
	levelNormal = 0.85 // the last ones are, and the first of normal priority
	levelRefuse = 1.0  // the last of normal priority are, and no connection is accepted
)

// mostShed is the largest share of a priority that a level sheds. The rest shows
// whether the host could serve again, and keeps it from spending all its time on
// refusals.
const mostShed = 0.95

// shedShare is the share of requests of a priority that is shed at a level.
func shedShare(p Priority, level float64) float64 {
	from, to := levelLow, levelNormal
	switch p {
	case Normal:
		from, to = levelNormal, levelRefuse
	case High:
		return 0
	}
	return min(mostShed, max(0, (level-from)/(to-from)))
}

// Allowance is how many requests of a priority may be in flight where limit may
// be: low ones up to the start threshold, normal ones half way to the full one, so
// that each leaves room for those above it. 0 is no limit.
func Allowance(p Priority, limit int64, t Thresholds) int64 {
	if limit <= 0 {
		return 0
	}
	share := 1.0
	switch {
	case t.Full <= 0 || p == High:
	case p == Low:
		share = t.Start
	default:
		share = (t.Start + t.Full) / 2
	}
	return max(1, int64(share*float64(limit)))
}
