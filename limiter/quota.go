package limiter

import "sync/atomic"

// maxCount is the largest count of a window that a [Counter] holds.
const maxCount = countMask

// Quota is an immutable number of requests per window. The zero value allows
// none.
type Quota struct {
	limit  int64
	offset int64 // of the window first
	first  int64
	period Period
}

// NewQuota returns the quota of limit requests per period. In the window that
// has since, Unix nanoseconds, offset fewer are allowed, as AWS's quota.offset
// takes off the first period; a negative offset grants that many more for that
// one window.
func NewQuota(limit int64, period Period, offset, since int64) Quota {
	return Quota{limit: limit, offset: offset, first: period.Number(since), period: period}
}

// Period returns the period of the quota.
func (q Quota) Period() Period { return q.period }

// Allowance returns how many requests the window that has wall allows.
func (q Quota) Allowance(wall int64) int64 { return q.allowance(q.period.Number(wall)) }

func (q *Quota) allowance(number int64) int64 {
	allowance := q.limit
	if number == q.first {
		allowance -= q.offset
	}
	return min(max(0, allowance), maxCount)
}

// Extended returns the quota with extra requests more in the window that has
// wall, or fewer if extra is negative. It is for use in that window alone.
func (q Quota) Extended(wall, extra int64) Quota {
	return Quota{limit: q.Allowance(wall) + min(extra, maxCount), first: -1, period: q.period}
}

// end returns when the window that has wall is over, Unix nanoseconds.
func (q *Quota) end(wall int64) int64 { return q.period.Start(q.period.Number(wall) + 1) }

// Count is how many requests were counted in one window. It is what a journal
// writes and reads back.
type Count struct {
	Period Period
	Number int64 // of the window: see Period.Number
	Used   int64
}

// Counter counts requests in quota windows. It keeps the last two windows, so a
// clock that steps back over a boundary, and forward again, finds both counts
// as they were: no window is counted twice and none is forgotten. The zero
// value has counted nothing. It must not be copied.
type Counter struct {
	words [2]atomic.Int64
}

// A word of a counter: the window, and in the low bits its count.
const (
	countBits  = 40
	countMask  = 1<<countBits - 1
	numberBits = 21 // 5,700 years of days
	numberMask = 1<<numberBits - 1
)

func window(p Period, number int64) int64 {
	return int64(p)<<(numberBits+countBits) | (number&numberMask)<<countBits
}

func unpack(word int64) Count {
	return Count{
		Period: Period(word >> (numberBits + countBits)),
		Number: word >> countBits & numberMask,
		Used:   word & countMask,
	}
}

// Used returns how many requests are counted in the quota's window that has
// wall.
func (c *Counter) Used(wall int64, q Quota) int64 {
	want := window(q.period, q.period.Number(wall))
	for i := range c.words {
		if word := c.words[i].Load(); word&^countMask == want {
			return word & countMask
		}
	}
	return 0
}

// Count counts a request in the window of the period that has wall, whatever
// any quota says, and returns the window's number. It is exact: no request is
// counted twice or in two windows.
func (c *Counter) Count(wall int64, p Period) (number int64) {
	number = p.Number(wall)
	want := window(p, number)
	for {
		cell, word := c.locate(want)
		next := want | 1
		if word&^countMask == want {
			next = want | min(word&countMask+1, maxCount)
		}
		if cell.CompareAndSwap(word, next) {
			return number
		}
	}
}

// Clear forgets all counts, for a counter whose memory gets another owner.
func (c *Counter) Clear() {
	for i := range c.words {
		c.words[i].Store(0)
	}
}

// Snapshot returns the counts of both windows, the zero Count for one that has
// none. Each is read at once, the two are not read together.
func (c *Counter) Snapshot() [2]Count {
	return [2]Count{unpack(c.words[0].Load()), unpack(c.words[1].Load())}
}

// Restore puts back a count that a journal has kept. What is already counted
// in that window is not added to: the larger count stays, so that restoring
// twice counts once. A window older than both that are kept is ignored.
func (c *Counter) Restore(count Count) {
	want := window(count.Period, count.Number)
	used := min(max(0, count.Used), maxCount)
	for {
		cell, word := c.locate(want)
		if word&^countMask == want {
			if word&countMask >= used {
				return
			}
		} else if age(word, want) > count.Number {
			return
		}
		if cell.CompareAndSwap(word, want|used) {
			return
		}
	}
}

// locate returns the word of a window, or else the one that is to make room for
// it: that of another period, or the older one.
func (c *Counter) locate(want int64) (cell *atomic.Int64, word int64) {
	guess := int(want >> countBits & 1)
	cell = &c.words[guess]
	if word = cell.Load(); word&^countMask == want {
		return cell, word
	}
	other := &c.words[1-guess]
	otherWord := other.Load()
	if otherWord&^countMask == want || age(otherWord, want) < age(word, want) {
		return other, otherWord
	}
	return cell, word
}

// age orders words by window, those of a period other than want's first.
func age(word, want int64) int64 {
	if word>>(numberBits+countBits) != want>>(numberBits+countBits) {
		return -1
	}
	return word >> countBits & numberMask
}

// peek prepares to count c without doing it.
func (c *Counter) peek(wall int64, ch *Charge) (wait int64, left float64) {
	q := ch.Quota
	number := q.period.Number(wall)
	want := window(q.period, number)
	cell, word := c.locate(want)
	used := int64(0)
	if word&^countMask == want {
		used = word & countMask
	}
	allowance := q.allowance(number)
	if used >= allowance {
		return q.period.Start(number+1) - wall, 0
	}
	ch.cell, ch.before, ch.after = cell, word, want|(used+1)
	return 0, float64(allowance - used - 1)
}

// uncount takes back what commit has counted, unless its window has made room
// for another.
func (c *Charge) uncount() {
	for {
		word := c.cell.Load()
		if word&^countMask != c.after&^countMask || word&countMask == 0 {
			return
		}
		if c.cell.CompareAndSwap(word, word-1) {
			return
		}
	}
}

// idle reports whether no window that wall is in or before has been counted in.
func (c *Counter) idle(wall int64) bool {
	for i := range c.words {
		count := unpack(c.words[i].Load())
		if count.Used > 0 && count.Number >= count.Period.Number(wall) {
			return false
		}
	}
	return true
}
