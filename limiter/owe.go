package limiter

// Owe takes debt nanoseconds' worth of tokens, whether or not there are so many:
// what [Bucket.Debt] returned of a bucket that this one goes on for.
func (b *Bucket) Owe(now, debt int64) {
	for debt > 0 {
		tat := b.tat.Load()
		if b.tat.CompareAndSwap(tat, max(tat, now)+debt) {
			return
		}
	}
}

// Debt is [Bucket.Debt]. What shards have borrowed counts as spent.
func (s *Shared) Debt(now int64) int64 { return s.tat.Debt(now) }

// Owe is [Bucket.Owe].
func (s *Shared) Owe(now, debt int64) { s.tat.Owe(now, debt) }
