// Package usage is the step that turns an API key's value into a client of a
// usage plan, and the store of what each key has used.
//
// # Parts and stores
//
// What was deployed is compiled into a [Plan] and, for each stage, [StagePlans]
// and [Overrides]; these are immutable. The [Store] outlives them: the keys, and
// an account of each key in each plan, which is its token bucket, its quota
// counter and its count of requests per day.
//
// # A million keys
//
// A key takes about 130 bytes with its plan, in memory without pointers, which
// the garbage collector does not scan. Looking one up takes no lock. Memory of
// deleted keys is used again only after [limiter.Grace], as a request may still
// hold it.
//
// # Durability
//
// A [Journal] appends what was counted to a file four times a second, and moves
// it to the state store once a minute. All it writes is totals, so that reading
// any of it twice counts nothing twice.
package usage
