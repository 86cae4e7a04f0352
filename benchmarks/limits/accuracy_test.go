package limits

import (
	"testing"

	"github.com/tidegate/tidegate/limiter"
)

func TestAccuracy(t *testing.T) {
	const second = 1_000_000_000
	l := limiter.NewLimit(1, 2) // two at once, then one a second
	for name, c := range map[string]struct {
		admitted []int64
		want     Accuracy
	}{
		"all of it":            {[]int64{0, 0, 1 * second, 2 * second}, Accuracy{Used: 1, Over: 1}},
		"half of it":           {[]int64{0, 1 * second}, Accuracy{Used: 0.5, Over: 2.0 / 3}},
		"one too many":         {[]int64{0, 0, 0}, Accuracy{Used: 0.75, Over: 1.5}},
		"one too many, late":   {[]int64{0, 2 * second, 2 * second, 2 * second}, Accuracy{Used: 1, Over: 1.5}},
		"one too many at once": {[]int64{0, 0, second, second, second}, Accuracy{Used: 1.25, Over: 5.0 / 3}},
	} {
		if got := accuracy(c.admitted, 2*second, l); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMeasureAccuracy(t *testing.T) {
	for _, cores := range []int{1, 2} {
		a, err := MeasureAccuracy(cores, 0.5)
		if err != nil || a.Over > 1 || a.Used < 0.99 || a.Used > 1 {
			t.Errorf("%d cores: %+v, %v", cores, a, err)
		}
	}
}
