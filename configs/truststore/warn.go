package truststore

import (
	"fmt"
	"time"
)

// Warnings says what is wrong with certificates and lists at a time, one text
// each: some clients are refused, or more are trusted than one might think.
func (s *Store) Warnings(now time.Time) (warnings []string) {
	for i := range s.entries {
		e := &s.entries[i]
		problem := e.problem
		switch {
		case now.After(e.NotAfter):
			problem = "has expired on " + date(e.NotAfter) + ": nobody is trusted by it"
		case now.Before(e.NotBefore):
			problem = "is not valid before " + date(e.NotBefore)
		}
		if problem != "" {
			warnings = append(warnings, fmt.Sprintf("%s: the certificate of %q %s", e.at, clip(Name(e.RawSubject)), problem))
		}
	}
	for _, l := range s.lists {
		if err := l.current(now); err != nil {
			warnings = append(warnings, err.Error()+": whom that authority has certified is refused")
		}
	}
	return warnings
}

func date(t time.Time) string { return t.UTC().Format(time.DateTime + " UTC") }
