package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// periods are the codes of quota periods in the file. Only ever append.
var periods = []string{"", definition.PeriodDay, definition.PeriodWeek, definition.PeriodMonth}

// appendUsage appends the numbers of a Usage as varints. The plan and the key
// are in the key of the record.
func appendUsage(dst []byte, u *definition.Usage) []byte {
	for _, n := range [...]int64{u.Day, u.Used, u.Remaining, int64(slices.Index(periods, u.Period)), u.Window, u.WindowUsed, u.Granted} {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// readUsage reads one Usage at the start of text and returns the rest.
func readUsage(key, text []byte) (u definition.Usage, rest []byte, err error) {
	var period int64
	for _, n := range [...]*int64{&u.Day, &u.Used, &u.Remaining, &period, &u.Window, &u.WindowUsed, &u.Granted} {
		var size int
		if *n, size = binary.Varint(text); size <= 0 {
			return u, nil, fmt.Errorf("record %q is cut short", key)
		}
		text = text[size:]
	}
	if period < 0 || period >= int64(len(periods)) {
		return u, nil, fmt.Errorf("record %q has a quota period that this tidegate does not know", key)
	}
	u.Period = periods[period]
	return u, text, nil
}

func checkUsage(u *definition.Usage) error {
	if u.Day < 0 || !slices.Contains(periods, u.Period) {
		return fmt.Errorf("usage of plan %s by API key %s has day %d and quota period %q", u.PlanID, u.KeyID, u.Day, u.Period)
	}
	return nil
}

func sameWindow(a, b *definition.Usage) bool { return a.Period == b.Period && a.Window == b.Window }

// reconcile makes a record and one that is written after it say the same of the
// day and of the window that both tell of. Counts only grow, so the larger is
// the later; of two grants with the same count, the one written last counts.
func reconcile(before, u *definition.Usage) {
	if before.Day == u.Day {
		before.Used = max(before.Used, u.Used)
		u.Used = before.Used
	}
	if !sameWindow(before, u) {
		return
	}
	from, to := u, before
	if before.WindowUsed > u.WindowUsed {
		from, to = before, u
	}
	to.WindowUsed, to.Granted = from.WindowUsed, from.Granted
	if before.Day == u.Day {
		to.Remaining = from.Remaining
	}
}

// newest are the records of one key in one plan that a start needs, by day. It
// is two days and two windows because a clock may step back over a boundary. No
// two are of the same day and window.
type newest []definition.Usage

const keptDays, keptWindows = 2, 2

func (n newest) with(u definition.Usage) newest {
	for i := range n {
		reconcile(&n[i], &u)
	}
	if slices.ContainsFunc(n, func(r definition.Usage) bool { return r.Day == u.Day && sameWindow(&r, &u) }) {
		return n // and reconcile has made it the same
	}
	at := slices.IndexFunc(n, func(r definition.Usage) bool { return r.Day > u.Day })
	if at < 0 {
		at = len(n)
	}
	return slices.Insert(n, at, u).trim()
}

// trim drops the records that tell only of days and windows that newer ones
// tell of too, or that are too old.
func (n newest) trim() newest {
	var kept newest
	days, windows := 0, 0
	for _, r := range slices.Backward(n) {
		newDay := days < keptDays && !slices.ContainsFunc(kept, func(k definition.Usage) bool { return k.Day == r.Day })
		newWindow := windows < keptWindows && r.Period != "" && !slices.ContainsFunc(kept, func(k definition.Usage) bool { return sameWindow(&k, &r) })
		if newDay {
			days++
		}
		if newWindow {
			windows++
		}
		if newDay || newWindow {
			kept = append(kept, r)
		}
	}
	slices.Reverse(kept)
	return kept
}

func (n newest) encode() (text []byte) {
	for i := range n {
		text = appendUsage(text, &n[i])
	}
	return text
}

func readNewest(key, value []byte) (n newest, err error) {
	text, err := unframe(key, value)
	for err == nil && len(text) > 0 {
		var u definition.Usage
		u, text, err = readUsage(key, text)
		n = append(n, u)
	}
	return n, err
}
