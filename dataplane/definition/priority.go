package definition

import (
	"fmt"
	"slices"
)

// Priorities are the names of the priorities, the first of them being shed first.
var Priorities = []string{PriorityLow, PriorityNormal, PriorityHigh}

// Priorities of requests, when the host has too much to do. AWS does not have
// them.
const (
	PriorityLow    = "low"
	PriorityNormal = "normal"
	PriorityHigh   = "high"
)

// CheckPriority refuses what is no priority.
func CheckPriority(name string) error {
	if !slices.Contains(Priorities, name) {
		return fmt.Errorf("%.40q is no priority; use low, normal or high", name)
	}
	return nil
}
