// Package limiter is the store of what has been spent: token buckets, the
// account's hot bucket, quota windows, and a bounded table of them for millions
// of keys. It knows neither HTTP nor configuration. A limit comes with each
// call and a bucket outlives it, so a deployment never resets a throttle.
//
// # Time
//
// now is nanoseconds of a monotonic clock, at least 0; wall is Unix
// nanoseconds, and only quota windows look at it. Callers may take now early
// and on several cores: an old now is stricter, never laxer.
//
// # Slots
//
// The generic cell rate algorithm (GCRA, ITU-T I.371) lays tokens out on a
// line of slots, one per emission interval T = 1/rate. A token may be spent at
// any now with
//
//	slot - (burst-1)·T <= now <= slot
//
// A bucket is one word, the theoretical arrival time: the first slot that is
// still free. Slots are T apart and each is spent at most once, so a window of
// any length t, anywhere, holds at most burst + rate·t of them. Everything here
// keeps that invariant, and therefore that bound:
//
//   - a spend takes the first free slot that is not before now;
//   - a shard of [Shared] takes a run of slots out of the common line and spends
//     each under the same two inequalities; a slot it does not spend in time is
//     void, exactly as the overflow of a full bucket is;
//   - a rollback gives a slot back only while it is still the last one taken,
//     since after that a full bucket may already have let it overflow.
//
// # Concurrency
//
// Everything may be called from any goroutine. Spends are lock-free and do not
// allocate; only adding a key to a [Table] takes a lock.
package limiter
