package rfc9111

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// RFC 9110 section 5.6.7; RFC 9111 section 4.2.
func TestParseDate(t *testing.T) {
	const want = t0 / second
	for _, row := range []struct {
		text string
		want int64
	}{
		{"Sun, 06 Nov 1994 08:49:37 GMT", want},
		{"Sunday, 06-Nov-94 08:49:37 GMT", want},
		{"Sun Nov  6 08:49:37 1994", want},
		{"Sun Nov 06 08:49:37 1994", want},
		{"Wed Nov 16 08:49:37 1994", want + 10*day},
		// A cache matches in any case.
		{"sun, 06 nov 1994 08:49:37 gmt", want},
		{"SUNDAY, 06-NOV-94 08:49:37 GMT", want},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Mon, 31 Dec 1990 23:59:60 GMT", 662688000},
		{"Thu, 29 Feb 1996 00:00:00 GMT", 825552000},
		{"Mon, 01 Jan 0001 00:00:00 GMT", -62135596800},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
		// The day's name says nothing that the date does not.
		{"Mon, 06 Nov 1994 08:49:37 GMT", want},
	} {
		if got, ok := parseDate([]byte(row.text), want); !ok || got != row.want {
			t.Errorf("%s: %d, %v; want %d", row.text, got, ok, row.want)
		}
	}
	for _, text := range []string{
		"", "0", "-1", "now", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49 GMT", "Sun, 06-Nov-1994 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994  08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
		"Wed, 29 Feb 1995 00:00:00 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
		"Xxx, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "784111777", "Sunday, 06-Nov-94 08:49:37",
		"Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT", "Sunday Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "\"Sun, 06 Nov 1994 08:49:37 GMT\"",
	} {
		if got, ok := parseDate([]byte(text), want); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}

// RFC 9110 section 5.6.7: a two-digit year that appears to be more than 50 years
// in the future is the most recent past one.
func TestTwoDigitYears(t *testing.T) {
	for _, row := range []struct{ now, digits, want int }{
		{1994, 94, 1994}, {1994, 93, 1993}, {1994, 95, 1995}, {1994, 0, 2000}, {1994, 43, 2043}, {1994, 45, 1945},
		{2026, 75, 2075}, {2026, 78, 1978}, {2026, 26, 2026}, {2026, 99, 1999}, {2026, 0, 2000},
		{2070, 10, 2110}, {2070, 70, 2070}, {2070, 21, 2021},
	} {
		now := time.Date(row.now, 6, 1, 0, 0, 0, 0, time.UTC).Unix()
		if got := fourDigits(row.digits, now); got != row.want {
			t.Errorf("in %d, %02d is %d, want %d", row.now, row.digits, got, row.want)
		}
	}
}

func TestDatesDoNotAllocate(t *testing.T) {
	var dst [64]byte
	text := []byte("Sunday, 06-Nov-94 08:49:37 GMT")
	if n := testing.AllocsPerRun(100, func() {
		seconds, _ := parseDate(text, t0/second)
		appendDate(dst[:0], seconds)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzDate: a date that is read is one that net/http reads alike, but for what
// caches are more tolerant in.
func FuzzDate(f *testing.F) {
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add("Sunday, 06-Nov-94 08:49:37 GMT")
	f.Add("Sun Nov  6 08:49:37 1994")
	f.Add("Mon, 31 Dec 1990 23:59:60 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		const now = t0 / second
		got, ok := parseDate([]byte(text), now)
		theirs, err := http.ParseTime(text)
		if ok {
			again, ok := parseDate(appendDate(nil, got), now)
			if !ok || again != got {
				t.Fatalf("%q: %d, written and read again %d", text, got, again)
			}
		}
		if ok && err == nil && theirs.Unix() != got && text[3] == ',' {
			t.Fatalf("%q: %d, net/http has %d", text, got, theirs.Unix())
		}
		if !ok && err == nil && len(text) == 29 && text[3] == ',' && text[26:] == "GMT" && !strings.Contains(text, "  ") {
			t.Fatalf("%q: not read, net/http has %d", text, theirs.Unix())
		}
	})
}
