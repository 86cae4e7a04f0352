package overload

import "fmt"

// Priority is whose requests are shed first.
type Priority uint8

// The priorities. Those of the highest are never shed because a signal is high;
// only hard limits refuse them.
const (
	Low Priority = iota
	Normal
	High
	numPriorities
)

// PriorityNames are the names of the priorities, in order.
var PriorityNames = [numPriorities]string{"low", "normal", "high"}

func (p Priority) String() string { return PriorityNames[p] }

// ParsePriority reads a name; an empty one is Normal.
func ParsePriority(name string) (Priority, error) {
	if name == "" {
		return Normal, nil
	}
	for p, known := range PriorityNames {
		if name == known {
			return Priority(p), nil
		}
	}
	return Normal, fmt.Errorf("priority %.40q is unknown; use low, normal or high", name)
}
