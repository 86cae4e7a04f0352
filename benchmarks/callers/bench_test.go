package callers

import (
	"testing"
	"time"
)

func BenchmarkCheck(b *testing.B) {
	all, shut, err := All()
	if err != nil {
		b.Fatal(err)
	}
	defer shut()
	for _, c := range all {
		b.Run(c.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Check(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestCost(t *testing.T) {
	all, shut, err := All()
	if err != nil {
		t.Fatal(err)
	}
	defer shut()
	for _, c := range all {
		cost, err := c.Cost(time.Millisecond)
		if err != nil || cost.Nanos <= 0 {
			t.Errorf("%s: %+v, %v", c.Name, cost, err)
		}
		t.Logf("%-28s %10.0f ns  %3.0f allocations", c.Name, cost.Nanos, cost.Allocs)
	}
}
