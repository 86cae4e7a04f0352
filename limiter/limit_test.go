package limiter

import (
	"math"
	"math/big"
	"testing"
)

func TestNewLimit(t *testing.T) {
	for _, tt := range []struct {
		rate     float64
		burst    int
		interval int64
		kept     int64
	}{
		{10000, 5000, 100_000, 5000}, // AWS's account limit
		{1, 1, 1e9, 1},
		{0.5, 3, 2e9, 3},
		{3, 10, 333_333_334, 10}, // rounded up: never faster than asked for
		{1e9, 7, 1, 7},
		{1e12, 7, 1, 7},
		{math.Inf(1), 7, 1, 7},
		{0, 10, 0, 0},
		{10, 0, 0, 0},
		{-1, 10, 0, 0},
		{10, -1, 0, 0},
		{math.NaN(), 10, 0, 0},
		{1e-10, 10, 0, 0},
		{1e-8, math.MaxInt, 1e17, 11},
		{1, math.MaxInt, 1e9, maxHorizon / int64(1e9)},
	} {
		l := NewLimit(tt.rate, tt.burst)
		if l.Interval() != tt.interval || l.Burst() != tt.kept || l.Blocks() != (tt.kept == 0) {
			t.Errorf("NewLimit(%g, %d): interval %d, burst %d; want %d, %d",
				tt.rate, tt.burst, l.Interval(), l.Burst(), tt.interval, tt.kept)
		}
	}
	if l := (Limit{}); !l.Blocks() || l.Burst() != 0 {
		t.Error("the zero Limit does not block")
	}
}

// FuzzNewLimit: a token per interval is at most the rate, and less by no more
// than the nanosecond it is rounded up.
func FuzzNewLimit(f *testing.F) {
	for _, rate := range []float64{1, 3, 7.1, 1e4, 1e9, 1e-8, 0.1, 999999999.5} {
		f.Add(rate, 5)
	}
	f.Fuzz(func(t *testing.T, rate float64, burst int) {
		l := NewLimit(rate, burst)
		if l.Blocks() {
			return
		}
		if rate > 1e9 {
			rate = 1e9
		}
		second := new(big.Rat).SetInt64(1e9)
		r := new(big.Rat).SetFloat64(rate)
		interval := new(big.Rat).SetInt64(l.interval)
		if new(big.Rat).Mul(interval, r).Cmp(second) < 0 {
			t.Errorf("rate %g: an interval of %d ns is faster", rate, l.interval)
		}
		if l.interval < 1<<50 {
			faster := new(big.Rat).SetInt64(l.interval - 1)
			if faster.Sign() > 0 && faster.Mul(faster, r).Cmp(second) > 0 {
				t.Errorf("rate %g: an interval of %d ns is slower than need be", rate, l.interval)
			}
		}
		if l.Burst() > int64(burst) || l.horizon > maxHorizon {
			t.Errorf("burst %d became %d", burst, l.Burst())
		}
	})
}
