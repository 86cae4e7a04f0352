package pipeline

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/overload"
)

// TestPriorityNames: documents and the monitor speak of the same priorities.
func TestPriorityNames(t *testing.T) {
	for p, name := range overload.PriorityNames {
		if p >= len(definition.Priorities) || definition.Priorities[p] != name {
			t.Errorf("priority %d is %q, and %v in documents", p, name, definition.Priorities)
		}
	}
}

// TestAllowances: a priority is refused when there is one more than it may have.
func TestAllowances(t *testing.T) {
	a := Allowances{8, 9, 10}
	for p, want := range a {
		if a.exceeded(overload.Priority(p), want) || !a.exceeded(overload.Priority(p), want+1) {
			t.Errorf("%s: not refused beyond %d", overload.Priority(p), want)
		}
	}
	if none := (Allowances{}); none.exceeded(overload.Low, 1<<40) {
		t.Error("no limit refuses")
	}
}
