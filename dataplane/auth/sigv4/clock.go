package sigv4

import (
	"strconv"
	"time"
)

const (
	// maxSkewSeconds is how far the client's clock may be off.
	maxSkewSeconds = 5 * 60

	secondsPerDay = 24 * 60 * 60
)

const isoLayout = "20060102T150405Z"

// readTime reads an X-Amz-Date.
func (c *claim) readTime(text []byte) *Failure {
	seconds, ok := parseISO(text)
	if !ok {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '" + string(text) + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	copy(c.iso[:], text)
	c.seconds = seconds
	return nil
}

// readDate reads a Date, which is the time only without X-Amz-Date: any form of
// HTTP-date (RFC 9110 section 5.6.7), or that of X-Amz-Date.
func (c *claim) readDate(text []byte) *Failure {
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			c.seconds = t.Unix()
			t.AppendFormat(c.iso[:0], isoLayout)
			return nil
		}
	}
	return c.readTime(text)
}

// parseISO returns the seconds since the Unix epoch of YYYYMMDDTHHMMSSZ.
func parseISO(text []byte) (seconds int64, ok bool) {
	if len(text) != len(isoLayout) || text[8] != 'T' || text[15] != 'Z' {
		return 0, false
	}
	number := func(from, to int) (n int) {
		for _, b := range text[from:to] {
			if b < '0' || b > '9' {
				ok = false
			}
			n = n*10 + int(b-'0')
		}
		return n
	}
	ok = true
	year, month, day := number(0, 4), number(4, 6), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	if !ok || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), t.Day() == day // 31 April would be 1 May
}

// checkTime compares the time of the signature with now, in seconds since the
// Unix epoch.
func (c *claim) checkTime(now int64) *Failure {
	valid := int64(maxSkewSeconds)
	if c.expires >= 0 {
		valid = c.expires
	}
	switch {
	case c.seconds < now-valid:
		return invalid("Signature expired: " + string(c.iso[:]) + " is now earlier than " + iso(now-valid) + " (" + iso(now) + " - " + period(valid) + ")")
	case c.seconds > now+maxSkewSeconds:
		return invalid("Signature not yet current: " + string(c.iso[:]) + " is still later than " + iso(now+maxSkewSeconds) + " (" + iso(now) + " + 5 min.)")
	}
	return nil
}

// period words seconds as AWS does, which speaks of minutes.
func period(seconds int64) string {
	if seconds%60 == 0 {
		return strconv.FormatInt(seconds/60, 10) + " min."
	}
	return strconv.FormatInt(seconds, 10) + " sec."
}

func iso(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(isoLayout) }
