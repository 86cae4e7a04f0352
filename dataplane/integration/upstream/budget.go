package upstream

import "time"

// budget bounds the retries of one API on one loop to a share of its requests in a
// sliding window, so that retries never are what overloads a backend.
type budget struct {
	slots         [budgetSlots]struct{ sent, retried int64 }
	at            int64 // number of the newest slot, since time 0
	sent, retried int64 // of all slots
	_             [48]byte
}

const (
	budgetSlots = 10
	budgetSlot  = int64(time.Second)

	// minRetries may be made in a window however few the requests are, over all
	// loops; each loop may make one.
	minRetries = 10
)

// request counts a request.
func (b *budget) request(now int64) {
	b.move(now)
	b.slots[b.at%budgetSlots].sent++
	b.sent++
}

// spend counts a retry, if the budget allows one more.
func (b *budget) spend(now int64, share float64, loops int) bool {
	b.move(now)
	if share == 0 || b.retried >= max(int64(share*float64(b.sent)), minRetries/int64(loops), 1) {
		return false
	}
	b.slots[b.at%budgetSlots].retried++
	b.retried++
	return true
}

// move forgets what is too old.
func (b *budget) move(now int64) {
	at := now / budgetSlot
	for n := min(at-b.at, budgetSlots); n > 0; n-- {
		s := &b.slots[(at-n+1)%budgetSlots]
		b.sent, b.retried = b.sent-s.sent, b.retried-s.retried
		s.sent, s.retried = 0, 0
	}
	b.at = max(b.at, at)
}
