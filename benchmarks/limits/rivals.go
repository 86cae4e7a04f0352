package limits

import (
	"context"
	"fmt"
	"time"

	"github.com/sethvargo/go-limiter/memorystore"
	"go.uber.org/ratelimit"
	"golang.org/x/time/rate"
)

// xtime is a token bucket behind a mutex.
func xtime(name string, perSecond float64, burst int) Limiter {
	l := rate.NewLimiter(rate.Limit(perSecond), burst)
	return Limiter{name, func(_ int, _ Moment, n int) (admitted int) {
		for range n {
			if l.Allow() {
				admitted++
			}
		}
		return admitted
	}}
}

// xtimeGivenNow is xtime without its reading of the clock.
func xtimeGivenNow(name string, perSecond float64, burst int) Limiter {
	l := rate.NewLimiter(rate.Limit(perSecond), burst)
	return Limiter{name, func(_ int, at Moment, n int) (admitted int) {
		now := started.Add(time.Duration(at.Now))
		for range n {
			if l.AllowN(now, 1) {
				admitted++
			}
		}
		return admitted
	}}
}

// uber is a leaky bucket in one word. It denies nothing but sleeps, so its rate
// is always plenty, at which it does not.
func uber(name string) Limiter {
	l := ratelimit.New(plenty)
	return Limiter{name, func(_ int, _ Moment, n int) int {
		for range n {
			l.Take()
		}
		return n
	}}
}

// sethvargo is a fixed window per key, behind one mutex for the map and one for
// the key; all spend from one key. One window outlasts the measurement, as the
// next would have a single token: the library multiplies where it should divide,
// which shows from some 30,000 tokens a second.
func sethvargo(name string) Limiter {
	store, err := memorystore.New(&memorystore.Config{Tokens: hotBurst, Interval: time.Hour})
	if err != nil {
		panic(fmt.Sprintf("limits: memorystore refuses its configuration: %v", err)) // it never does
	}
	ctx := context.Background()
	return Limiter{name, func(_ int, _ Moment, n int) (admitted int) {
		for range n {
			if _, _, _, ok, err := store.Take(ctx, "key"); ok && err == nil {
				admitted++
			}
		}
		return admitted
	}}
}
