package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// TestStateAlarm: damage is shown by status and state until it is acknowledged.
func TestStateAlarm(t *testing.T) {
	f := newFixture(t)
	if out := f.must(t, "state"); !strings.Contains(out, "copy      there is none yet\n") || !strings.Contains(out, "fallback  none") {
		t.Errorf("of a daemon without a copy:\n%s", out)
	}
	copied := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	f.kept = &control.StateStatus{CopiedAt: &copied, CopyError: "no space\x1b left", Fallback: &control.StateFallback{
		At: copied.Add(time.Hour), Cause: "it is empty", Damaged: "/state/tidegate.db.damaged-1", CopiedAt: copied,
	}}
	alarm := "at 2026-11-22 13:00:00Z the state file was found damaged (it is empty), moved to /state/tidegate.db.damaged-1 and replaced by the copy of 2026-11-22 12:00:00Z: "
	out := f.must(t, "state")
	for _, want := range []string{"copy      2026-11-22 12:00:00Z\n", "failing   no space? left\n", "fallback  " + alarm} {
		if !strings.Contains(out, want) {
			t.Errorf("state printed\n%s\nwithout %q", out, want)
		}
	}
	out = f.must(t, "status")
	for _, want := range []string{"ALARM: " + alarm, "note: no copy of the state file: no space? left\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("status printed\n%s\nwithout %q", out, want)
		}
	}
	var kept control.StateStatus
	if err := json.Unmarshal([]byte(f.must(t, "state", "--json")), &kept); err != nil || kept.Fallback == nil || kept.Fallback.Cause != "it is empty" {
		t.Errorf("state --json: %v, %+v", err, kept)
	}
	if out := f.must(t, "state", "acknowledge"); out != "acknowledged\n" {
		t.Errorf("state acknowledge printed %q", out)
	}
	if out := f.must(t, "status"); strings.Contains(out, "ALARM") {
		t.Errorf("after it was acknowledged:\n%s", out)
	}
	f.refused(t, exitUsage, "", "state", "forget")
}
