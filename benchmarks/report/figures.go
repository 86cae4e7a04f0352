package report

import (
	"fmt"
	"math"
	"slices"
)

// Spread describes values over the rounds by their quartiles and extremes.
type Spread struct {
	Min    float64 `json:"min"`
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
	Max    float64 `json:"max"`
}

// SpreadOf returns the spread of the values, which it leaves as they are. A
// quartile between two values is interpolated. No values give zeros.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	at := func(p float64) float64 {
		x := p * float64(len(v)-1)
		i := int(x)
		if i == len(v)-1 {
			return v[i]
		}
		return v[i] + (v[i+1]-v[i])*(x-float64(i))
	}
	return Spread{v[0], at(0.25), at(0.5), at(0.75), v[len(v)-1]}
}

// Values returns what the rival measured, round by round.
func Values(samples []Sample, rival, measure string) []float64 {
	var v []float64
	for _, s := range samples {
		if value, ok := s.Values[measure]; ok && s.Rival == rival {
			v = append(v, value)
		}
	}
	return v
}

// Ratio is the figure of two rivals compared pair by pair: the median, over the
// rounds, of one's value divided by the other's in the same round. What slows
// the machine for a while slows both, so this holds where medians of each do not.
func Ratio(name string, samples []Sample, measure, one, other string) (Figure, error) {
	ratios, err := pairs(samples, measure, one, other)
	if err != nil {
		return Figure{}, err
	}
	s := SpreadOf(ratios)
	return Figure{Name: name, Value: s.Median, Spread: s}, nil
}

// RatioOfMedians divides the medians of two rivals. It suits values whose
// single rounds jump, as a p99 does; the spread is that of the pairs.
func RatioOfMedians(name string, samples []Sample, measure, one, other string) (Figure, error) {
	ratios, err := pairs(samples, measure, one, other)
	if err != nil {
		return Figure{}, err
	}
	a, b := SpreadOf(Values(samples, one, measure)), SpreadOf(Values(samples, other, measure))
	return Figure{Name: name, Value: a.Median / b.Median, Spread: SpreadOf(ratios)}, nil
}

func pairs(samples []Sample, measure, one, other string) ([]float64, error) {
	divisor := map[int]float64{}
	for _, s := range samples {
		if value, ok := s.Values[measure]; ok && s.Rival == other {
			divisor[s.Round] = value
		}
	}
	var ratios []float64
	for _, s := range samples {
		value, ok := s.Values[measure]
		if !ok || s.Rival != one {
			continue
		}
		r := value / divisor[s.Round]
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return nil, fmt.Errorf("report: round %d: %s of %s and %s cannot be compared: %v and %v",
				s.Round, measure, one, other, value, divisor[s.Round])
		}
		ratios = append(ratios, r)
	}
	if len(ratios) == 0 {
		return nil, fmt.Errorf("report: no samples of %s with %s", one, measure)
	}
	return ratios, nil
}

// Median is the figure of one rival's own values.
func Median(name string, samples []Sample, measure, rival string) Figure {
	s := SpreadOf(Values(samples, rival, measure))
	return Figure{Name: name, Value: s.Median, Spread: s}
}

// Max is the figure of one rival's largest value.
func Max(name string, samples []Sample, measure, rival string) Figure {
	s := SpreadOf(Values(samples, rival, measure))
	return Figure{Name: name, Value: s.Max, Spread: s}
}

// Min is the figure of one rival's smallest value.
func Min(name string, samples []Sample, measure, rival string) Figure {
	s := SpreadOf(Values(samples, rival, measure))
	return Figure{Name: name, Value: s.Min, Spread: s}
}

// Sum is the figure that adds one rival's values up.
func Sum(name string, samples []Sample, measure, rival string) Figure {
	v := Values(samples, rival, measure)
	f := Figure{Name: name, Spread: SpreadOf(v)}
	for _, x := range v {
		f.Value += x
	}
	return f
}
