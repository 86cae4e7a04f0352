package limiter

// A run is a number of consecutive free slots that a shard has taken from the
// common line, packed in one word: the time at which its last slot ends, and in
// the low bits how many slots, counted back from there, are left. The word says
// all there is to say, so compare-and-swap on it cannot be fooled.
//
// Packing rounds the end down, so slots look up to maxRun nanoseconds earlier
// than they are. Checks allow for it on the strict side.
const (
	runBits = 8
	maxRun  = 1<<runBits - 1
)

func packRun(end, slots int64) int64 { return end&^maxRun | slots }

// runReady reports whether the next slot of the run, and so all of them, may be
// spent at now: what runSlots returns is what the run has.
func runReady(run, now int64, l *Limit) bool {
	first := run&^maxRun - run&maxRun*l.interval
	return run&maxRun != 0 && first >= now && first+maxRun+l.interval-now <= l.horizon
}

// runSlots returns how many slots of the run may be spent at now. It is 0 when
// all are past, and -1 when now is older than the one that took them and they
// are still too far ahead of it.
func runSlots(run, now int64, l *Limit) int64 {
	n := run & maxRun
	if n == 0 || l.horizon == 0 {
		return 0
	}
	end := run &^ maxRun
	if end-n*l.interval < now {
		if n = min(n, (end-now)/l.interval); n <= 0 {
			return 0
		}
	}
	if end+maxRun-(n-1)*l.interval-now > l.horizon {
		return -1
	}
	return n
}

// peekRun prepares to spend the first slot of a shard's run, which was read
// before l, and returns what runSlots does.
func (c *Charge) peekRun(from *shard, run, now int64, l *Limit) int64 {
	n := runSlots(run, now, l)
	if n > 0 {
		c.lender, c.cell, c.before, c.after = from, &from.run, run, run&^maxRun|(n-1)
	}
	return n
}
