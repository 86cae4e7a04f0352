package limits

import (
	"strings"
	"testing"
	"time"
)

var all = append(append(Uncontended(), Hot(2)...), Underused(2))

// What a loop times are admitted spends.
func TestAllSpendsAreAdmitted(t *testing.T) {
	for _, l := range all {
		if got := l.Spend(0, momentNow(), 3); got != 3 {
			t.Errorf("%s admits %d of 3", l.Name, got)
		}
	}
	o := Overloaded(2)
	if got := o.Spend(1, momentNow(), 10_000); got < 4_000 || got > 5_000 {
		t.Errorf("the account's limit admits %d at once", got)
	}
}

func TestCost(t *testing.T) {
	for _, l := range Uncontended() {
		c, err := l.Cost(time.Millisecond)
		if err != nil || c.Nanos <= 0 || c.Allocs != 0 {
			t.Errorf("%s: %+v, %v", l.Name, c, err)
		}
	}
	spent := Overloaded(1)
	spent.Spend(0, momentNow(), 10_000)
	if _, err := spent.Cost(time.Millisecond); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("denied spends: %v", err)
	}
}

func TestScaling(t *testing.T) {
	// The pace is that of a clock, so each core adds as much.
	paced := Limiter{"paced", func(_ int, _ Moment, n int) int {
		time.Sleep(time.Millisecond)
		return n
	}}
	s := paced.Scaling(2, 80*time.Millisecond)
	if s.One <= 0 || s.Ratio() < 1.3 || s.Ratio() > 3 {
		t.Errorf("%+v, ratio %v", s, s.Ratio())
	}
}
