package rfc9111

import "time"

// parseDate reads an HTTP-date in any of its three formats (RFC 9110 section
// 5.6.7) and returns the seconds since the Unix epoch. Letters match in any
// case, and no zone but GMT is accepted, as RFC 9111 section 4.2 has it. now, in
// seconds as well, gives two-digit years their century.
func parseDate(b []byte, now int64) (seconds int64, ok bool) {
	r := dateReader{rest: b, ok: true}
	name := r.word()
	switch {
	case r.peek() == ' ': // Sun Nov  6 08:49:37 1994
		r.name(name, shortDays)
		r.literal(" ")
		month := r.month()
		r.literal(" ")
		var day int
		if r.peek() == ' ' {
			r.literal(" ")
			day = r.digits(1)
		} else {
			day = r.digits(2)
		}
		r.literal(" ")
		clock := r.clock()
		r.literal(" ")
		seconds = r.midnight(r.digits(4), month, day) + clock
	case len(name) == 3: // Sun, 06 Nov 1994 08:49:37 GMT
		r.name(name, shortDays)
		r.literal(", ")
		day := r.digits(2)
		r.literal(" ")
		month := r.month()
		r.literal(" ")
		seconds = r.midnight(r.digits(4), month, day)
		r.literal(" ")
		seconds += r.clock()
		r.literal(" GMT")
	default: // Sunday, 06-Nov-94 08:49:37 GMT
		r.name(name, longDays)
		r.literal(", ")
		day := r.digits(2)
		r.literal("-")
		month := r.month()
		r.literal("-")
		year := fourDigits(r.digits(2), now)
		seconds = r.midnight(year, month, day)
		r.literal(" ")
		seconds += r.clock()
		r.literal(" GMT")
	}
	return seconds, r.ok && len(r.rest) == 0
}

const (
	secondsPerDay  = 24 * 60 * 60
	secondsPerYear = 31556952 // of the Gregorian calendar, on average
)

// fourDigits returns the last year that ends in the two digits and is not more
// than 50 years in the future (RFC 9110 section 5.6.7).
func fourDigits(digits int, now int64) int {
	last := 1970 + int((now+50*secondsPerYear)/secondsPerYear)
	year := last - last%100 + digits
	if year > last {
		year -= 100
	}
	return year
}

var (
	shortDays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	longDays  = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	months    = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

// dateReader reads the parts of a date one after the other. After the first
// that is wrong, ok is false and what it returns means nothing.
type dateReader struct {
	rest []byte
	ok   bool
}

func (r *dateReader) peek() byte {
	if len(r.rest) == 0 {
		return 0
	}
	return r.rest[0]
}

func (r *dateReader) take(n int) []byte {
	if len(r.rest) < n {
		r.ok = false
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *dateReader) literal(s string) {
	b := r.take(len(s))
	for i := range b {
		r.ok = r.ok && lower(b[i]) == lower(s[i])
	}
}

func (r *dateReader) word() []byte {
	n := 0
	for n < len(r.rest) && lower(r.rest[n]) >= 'a' && lower(r.rest[n]) <= 'z' {
		n++
	}
	return r.take(n)
}

// name returns the place of b among names.
func (r *dateReader) name(b []byte, names []string) int {
next:
	for i, name := range names {
		if len(name) != len(b) {
			continue
		}
		for j := range b {
			if lower(b[j]) != name[j] {
				continue next
			}
		}
		return i
	}
	r.ok = false
	return 0
}

func (r *dateReader) month() int { return 1 + r.name(r.take(3), months) }

func (r *dateReader) digits(n int) int {
	value := 0
	for _, c := range r.take(n) {
		r.ok = r.ok && isDigit(c)
		value = value*10 + int(c-'0')
	}
	return value
}

// clock reads hours, minutes and seconds. The 60 of a leap second is allowed.
func (r *dateReader) clock() int64 {
	h := r.digits(2)
	r.literal(":")
	m := r.digits(2)
	r.literal(":")
	s := r.digits(2)
	r.ok = r.ok && h < 24 && m < 60 && s <= 60
	return int64(h*60*60 + m*60 + s)
}

// midnight returns the first second of a day that exists.
func (r *dateReader) midnight(year, month, day int) int64 {
	if !r.ok || day < 1 || day > daysIn(year, month) {
		r.ok = false
		return 0
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// appendDate appends the preferred format, IMF-fixdate.
func appendDate(dst []byte, seconds int64) []byte {
	return time.Unix(seconds, 0).UTC().AppendFormat(dst, "Mon, 02 Jan 2006 15:04:05 GMT")
}
