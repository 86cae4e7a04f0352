package control

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const daySeconds = 24 * 60 * 60

// dayOf is the UTC day of a time, counted from the Unix epoch.
func dayOf(t time.Time) int64 { return floorDiv(t.Unix(), daySeconds) }

func dateOf(day int64) string { return startOf(day).Format(time.DateOnly) }

func startOf(day int64) time.Time { return time.Unix(day*daySeconds, 0).UTC() }

// periodOf numbers the calendar period that a day is in. Weeks begin on Monday.
func periodOf(period string, day int64) int64 {
	switch period {
	case definition.PeriodWeek:
		return floorDiv(day+3, 7) // the epoch was a Thursday
	case definition.PeriodMonth:
		t := startOf(day)
		return int64(t.Year())*12 + int64(t.Month())
	default:
		return day
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// dailyUsage makes one pair of used and remaining for each day from…to. On a day
// without a record nothing was used, and what remained stands, until another
// period of the quota begins. records are in order of their days; the first may
// be before from.
func dailyUsage(records []definition.Usage, q *definition.Quota, from, to int64) [][2]int64 {
	days := make([][2]int64, 0, to-from+1)
	var last *definition.Usage
	for day := from; day <= to; day++ {
		for len(records) > 0 && records[0].Day <= day {
			last, records = &records[0], records[1:]
		}
		switch {
		case last != nil && last.Day == day:
			days = append(days, [2]int64{last.Used, last.Remaining})
		case q == nil:
			days = append(days, [2]int64{0, definition.NoQuota})
		case last != nil && last.Period == q.Period && periodOf(q.Period, last.Day) == periodOf(q.Period, day):
			days = append(days, [2]int64{0, last.Remaining})
		default:
			days = append(days, [2]int64{0, fullQuota(q, day)})
		}
	}
	return days
}

// fullQuota is what a quota allows in the period of a day.
func fullQuota(q *definition.Quota, day int64) int64 {
	if periodOf(q.Period, day) == periodOf(q.Period, dayOf(q.Since)) {
		return q.Limit - q.Offset
	}
	return q.Limit
}
