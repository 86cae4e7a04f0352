package limits

import "github.com/tidegate/tidegate/limiter"

func bucket(name string) Limiter {
	b, l := new(limiter.Bucket), limiter.NewLimit(plenty, plenty)
	return Limiter{name, func(_ int, at Moment, n int) (admitted int) {
		for range n {
			if b.Spend(at.Now, l) == 0 {
				admitted++
			}
		}
		return admitted
	}}
}

func shared(name string, cores int, rate float64, burst int) Limiter {
	s := limiter.NewShared(cores, limiter.NewLimit(rate, burst))
	return Limiter{name, func(core int, at Moment, n int) (admitted int) {
		for range n {
			if s.Spend(at.Now, core) == 0 {
				admitted++
			}
		}
		return admitted
	}}
}

// decision is all that limits a request with an API key: the account's, the
// stage's, the method's and the key's buckets, and the key's quota. The charges
// are written anew for each, as for requests.
func decision(name string) Limiter {
	l, quota := limiter.NewLimit(plenty, plenty), limiter.NewQuota(1e15, limiter.Month, 0, 0)
	account := limiter.NewShared(1, l)
	stage, method, key := new(limiter.Bucket), new(limiter.Bucket), new(limiter.Entry)
	charges := make([]limiter.Charge, 0, 5)
	return Limiter{name, func(_ int, at Moment, n int) (admitted int) {
		for range n {
			charges = append(charges[:0],
				limiter.Charge{Shared: account},
				limiter.Charge{Bucket: stage, Limit: &l},
				limiter.Charge{Bucket: method, Limit: &l},
				limiter.Charge{Bucket: &key.Bucket, Limit: &l},
				limiter.Charge{Counter: &key.Counter, Quota: &quota},
			)
			if d := limiter.SpendAll(at.Now, at.Wall, 0, charges); d.Allowed() {
				admitted++
			}
		}
		return admitted
	}}
}
