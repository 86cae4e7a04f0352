// Package cachestore is the store of cached bytes: entries with deadlines in a
// bounded piece of memory outside the Go heap, flushed in O(1), with one filler
// per missing key. It knows neither HTTP nor configuration.
//
// # Entries
//
// An [Entry] is what the caller describes it with (Meta), its Value, and two
// deadlines: until FreshUntil it is a hit, from then until KeepUntil it is
// stale and handed out as such, after that it is a miss. Deadlines and now are
// nanoseconds of one clock of the caller's choice, and only comparisons with
// now give them a meaning. A monotonic clock is best: [Store.Save] translates.
//
// Any entry may vanish at any time. What is returned is exactly what was
// stored under exactly this key: the whole key is stored and compared.
//
// # Keys, groups and flushing
//
// A [Key] begins with the generation of its [Group] at the time that
// [Group.Key] made it, followed by what the caller appends. A flush raises the
// generation and so makes all older keys unreachable, at once, however many
// there are. A request makes its key once and keeps it to the end: then a fill
// that began before a flush writes under the old generation, where nobody that
// came later looks.
//
// # Memory
//
// A [Store] is one fastcache, made when the first entry is stored. A store per
// stage is meant: stages then cannot evict one another, and one that caches
// nothing costs some kilobytes. Entries fill 512 rings, chosen by the hash of
// the key, and the oldest of a ring makes room for the newest. Rings grow by
// 64 KiB up to the bound, so the smallest bound is 32 MiB, though resident
// memory follows what was written. Replaced, deleted, expired and flushed
// entries take room until their ring has turned over.
//
// fastcache maps memory from the system in steps of 64 MiB and never returns
// it: [Store.Close] gives the chunks back to a list from which other stores of
// the process take theirs. On the Go heap a store has about 40 bytes per entry
// (an index that holds no pointers) and 24 bytes per 64 KiB of its bound.
//
// A value over 16 KiB is stored in parts. Parts have names that are used once
// in the life of a store, so a value is read whole or not at all, and never
// mixed with another; a checksum over all of it is compared as well.
//
// # Concurrency
//
// Everything may be called from any goroutine, except where a type says
// otherwise. [Store.Get] takes no lock but the read lock of one ring, and does
// not allocate when the buffer is large enough. [Store.Begin] and what follows
// from it take one of 64 locks, so only misses do. Nothing waits for anything:
// a request that finds another one filling its key is woken through its
// [Waiter].
package cachestore
