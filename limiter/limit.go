package limiter

import "math"

// Never is the wait for a token of a limit that blocks.
const Never = math.MaxInt64

// maxHorizon bounds rates and bursts so that sums of times cannot overflow:
// about 36 years in nanoseconds.
const maxHorizon = 1 << 60

// Limit is an immutable rate and burst: AWS's rateLimit and burstLimit. The
// zero value blocks.
type Limit struct {
	interval int64   // T, nanoseconds per token, rounded up so as never to exceed the rate
	horizon  int64   // burst·T: how far ahead of now the line may be taken
	perNano  float64 // 1/T
}

// NewLimit returns the limit of rate tokens per second and a bucket of burst
// tokens. A rate or burst of 0, negative or NaN blocks, and so does a rate under
// one token in 36 years. T is rounded up to whole nanoseconds, so rates above
// 1e9 count as 1e9. A burst that would take over 36 years to refill is cut to
// what refills in that time.
func NewLimit(rate float64, burst int) Limit {
	if !(rate > 0) || burst <= 0 {
		return Limit{}
	}
	t := math.Max(1, math.Ceil(1e9/rate))
	if t > maxHorizon {
		return Limit{}
	}
	if math.FMA(t, rate, -1e9) < 0 { // the division was rounded down to a whole number
		t = math.Max(t+1, math.Nextafter(t, math.Inf(1)))
	}
	interval := int64(t)
	return Limit{
		interval: interval,
		horizon:  min(int64(burst), maxHorizon/interval) * interval,
		perNano:  1 / t,
	}
}

// Blocks reports whether the limit admits nothing.
func (l Limit) Blocks() bool { return l.horizon == 0 }

// Interval returns the nanoseconds in which one token is refilled, 0 when the
// limit blocks.
func (l Limit) Interval() int64 { return l.interval }

// Burst returns the tokens in a full bucket.
func (l Limit) Burst() int64 {
	if l.Blocks() {
		return 0
	}
	return l.horizon / l.interval
}
