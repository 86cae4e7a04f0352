package main

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

func TestOffenders(t *testing.T) {
	f := newFixture(t)
	if out := f.must(t, "offenders"); out != "SOURCE  DENIED  REASON  FIRST  LAST  UNTIL\n" {
		t.Errorf("nobody: %q", out)
	}
	if out := f.must(t, "offenders", "--json"); out != "[]\n" {
		t.Errorf("nobody: %q", out)
	}
	until := noon.Add(time.Minute)
	f.offenders = []control.Offender{
		{Source: "192.0.2.1", Denied: 12, Reason: "QUOTA_EXCEEDED", FirstSeen: noon, LastSeen: noon, Until: &until},
		{Source: "2001:db8::/64", Denied: 1, Reason: "INVALID_API_KEY", FirstSeen: noon, LastSeen: noon},
	}
	printed(t, f.must(t, "offenders"),
		"192.0.2.1      12      QUOTA_EXCEEDED   2026-03-04 12:00:00Z  2026-03-04 12:00:00Z  2026-03-04 12:01:00Z\n",
		"2001:db8::/64  1       INVALID_API_KEY  2026-03-04 12:00:00Z  2026-03-04 12:00:00Z  -\n")
	if list := decoded[[]control.Offender](t, f.must(t, "offenders", "--json")); len(list) != 2 || list[0].Denied != 12 {
		t.Errorf("%+v", list)
	}
}
