package limiter

import "time"

// Period is the length of a quota window. Windows are calendar windows in UTC,
// pure functions of the time.
type Period uint8

// The periods of a usage plan's quota.
const (
	Day   Period = 1 + iota // from 00:00
	Week                    // from 00:00 of WeekStart
	Month                   // from 00:00 of the first
)

// WeekStart is the day on which a weekly window begins. AWS does not document
// its own (open point 10); this is ISO 8601's.
const WeekStart = time.Monday

const dayNanos = int64(24 * time.Hour)

// weekShift is how many days after a WeekStart the Unix epoch, a Thursday, is.
const weekShift = (int64(time.Thursday) - int64(WeekStart) + 7) % 7

// String returns AWS's word for the period.
func (p Period) String() string {
	switch p {
	case Day:
		return "DAY"
	case Week:
		return "WEEK"
	case Month:
		return "MONTH"
	}
	return "NONE"
}

// Number returns which window of the period wall is in, counted from the one
// that has the Unix epoch. Times before it count as the epoch.
func (p Period) Number(wall int64) int64 {
	day := max(wall, 0) / dayNanos
	switch p {
	case Week:
		return (day + weekShift) / 7
	case Month:
		return monthOf(day)
	}
	return day
}

// Start returns the Unix nanoseconds at which a window begins; it ends at the
// start of the next.
func (p Period) Start(number int64) int64 {
	switch p {
	case Week:
		return (number*7 - weekShift) * dayNanos
	case Month:
		return dayOf(number) * dayNanos
	}
	return number * dayNanos
}

// epochInMarch is the days from March 1 of the year 0 to January 1, 1970. Years
// that begin in March have their leap day last.
const epochInMarch = 719468

// monthOf returns the months from January 1970 to that of a day since the
// epoch. The arithmetic is that of Neri and Schneider, "Euclidean affine
// functions and their application to calendar algorithms" (2022).
func monthOf(day int64) int64 {
	const daysPer400Years, daysPer4Years = 146097, 1461
	n := 4*uint64(day+epochInMarch) + 3
	century := n / daysPer400Years
	n = (n%daysPer400Years)/4*4 + 3 // in quarters of a day of the century
	year, dayOfYear := n/daysPer4Years, n%daysPer4Years/4
	month := (2141*dayOfYear + 197913) >> 16 // 3 is March, 14 February
	return int64((100*century+year)*12+month) - 1970*12 - 1
}

// dayOf returns the days from the epoch to the first of a month since January
// 1970.
func dayOf(month int64) int64 {
	month += 1970*12 - 2 // since March of year 0
	year, m := month/12, month%12
	return year*365 + year/4 - year/100 + year/400 + (153*m+2)/5 - epochInMarch
}
