package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func samples(measure string, values map[string][]float64) []Sample {
	var all []Sample
	for _, rival := range []string{"tidegate", "nginx"} {
		for round, v := range values[rival] {
			all = append(all, Sample{Round: round, Rival: rival, Values: map[string]float64{measure: v}})
		}
	}
	return all
}

func TestSpreadOf(t *testing.T) {
	for name, c := range map[string]struct {
		values []float64
		want   Spread
	}{
		"none":  {nil, Spread{}},
		"one":   {[]float64{3}, Spread{3, 3, 3, 3, 3}},
		"two":   {[]float64{2, 1}, Spread{1, 1.25, 1.5, 1.75, 2}},
		"five":  {[]float64{5, 1, 4, 2, 3}, Spread{1, 2, 3, 4, 5}},
		"eight": {[]float64{8, 7, 6, 5, 4, 3, 2, 1}, Spread{1, 2.75, 4.5, 6.25, 8}},
	} {
		if got := SpreadOf(c.values); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	v := []float64{2, 1}
	if SpreadOf(v); v[0] != 2 {
		t.Error("the caller's values were sorted")
	}
}

// A machine twice as slow in one round changes no ratio of pairs.
func TestRatioComparesWithinARound(t *testing.T) {
	s := samples("us", map[string][]float64{"tidegate": {9, 18, 36}, "nginx": {10, 20, 40}})
	f, err := Ratio("cpu_vs_nginx", s, "us", "tidegate", "nginx")
	if err != nil || f.Name != "cpu_vs_nginx" || f.Value != 0.9 || f.Spread.Min != 0.9 || f.Spread.Max != 0.9 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestRatioOfMedians(t *testing.T) {
	s := samples("us", map[string][]float64{"tidegate": {10, 1000, 12}, "nginx": {10, 10, 500}})
	f, err := RatioOfMedians("p99_vs_nginx", s, "us", "tidegate", "nginx")
	if err != nil || f.Value != 1.2 || f.Spread.Max != 100 {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestRatioRefusesWhatCannotBeCompared(t *testing.T) {
	for name, values := range map[string]map[string][]float64{
		"nothing":        {},
		"no rival":       {"tidegate": {1}},
		"a round short":  {"tidegate": {1, 1}, "nginx": {1}},
		"division by 0":  {"tidegate": {1}, "nginx": {0}},
		"zero over zero": {"tidegate": {0}, "nginx": {0}},
	} {
		if f, err := Ratio("x", samples("us", values), "us", "tidegate", "nginx"); err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// Rounds of a rival may measure different things in several samples.
func TestRatioTakesSamplesWithTheMeasure(t *testing.T) {
	s := samples("us", map[string][]float64{"tidegate": {9, 18}, "nginx": {10, 20}})
	s = append(s, samples("other", map[string][]float64{"tidegate": {1, 2}, "nginx": {3, 4}})...)
	f, err := Ratio("x", s, "us", "tidegate", "nginx")
	if err != nil || f.Value != 0.9 {
		t.Errorf("got %+v, %v", f, err)
	}
	if f, err := Ratio("x", s, "nothing", "tidegate", "nginx"); err == nil {
		t.Errorf("a measure that nobody took: %+v", f)
	}
}

func TestSumAndMedian(t *testing.T) {
	s := samples("failed", map[string][]float64{"tidegate": {0, 2, 1}, "nginx": {7}})
	if f := Sum("failed", s, "failed", "tidegate"); f.Value != 3 || f.Spread.Max != 2 {
		t.Errorf("sum %+v", f)
	}
	if f := Max("failed", s, "failed", "tidegate"); f.Value != 2 || f.Spread.Median != 1 {
		t.Errorf("max %+v", f)
	}
	if f := Min("failed", s, "failed", "tidegate"); f.Value != 0 {
		t.Errorf("min %+v", f)
	}
	if f := Median("failed", s, "failed", "tidegate"); f.Value != 1 {
		t.Errorf("median %+v", f)
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 0.93456: "0.935", 1: "1", 12.345: "12.3", 250: "250", 999.6: "1000",
		1234.5: "1,234", 15000: "15,000", 1234567: "1,234,567", -1234: "-1,234",
	} {
		if got := number(x); got != want {
			t.Errorf("number(%v) = %q, want %q", x, got, want)
		}
	}
}

func TestMet(t *testing.T) {
	for _, c := range []struct {
		reach Reach
		value float64
		want  bool
		says  string
	}{
		{AtMost(1), 0.5, true, "≤ 1, met"},
		{AtMost(1), 1, true, "≤ 1, met"},
		{AtMost(1), 1.01, false, "≤ 1, **missed**"},
		{AtLeast(1.8), 1.79, false, "≥ 1.8, **missed**"},
		{AtLeast(1.8), 1.8, true, "≥ 1.8, met"},
		{AtMost(0), 0, true, "≤ 0, met"},
	} {
		f := Figure{Value: c.value, Reach: &c.reach}
		if f.Met() != c.want || reach(f) != c.says {
			t.Errorf("%v: met %v, %q", c.value, f.Met(), reach(f))
		}
		var back Reach
		if b, err := json.Marshal(c.reach); err != nil || json.Unmarshal(b, &back) != nil || back.String() != c.reach.String() {
			t.Errorf("%v does not survive JSON: %s, %v", c.reach, b, err)
		}
	}
	if !(Figure{Value: 9}).Met() {
		t.Error("a figure without a bound is missed")
	}
}

func result() *Result {
	return &Result{
		Scenario: "proxy", About: "Small body.", Measure: "cpu_us",
		Figures: []Figure{{Name: "cpu_vs_nginx", Value: 0.9, Reach: new(AtMost(1))}, {Name: "seen", Value: 7}},
		Samples: samples("cpu_us", map[string][]float64{"tidegate": {27, 28}, "nginx": {30, 32}}),
	}
}

func TestSummary(t *testing.T) {
	const want = `{"scenario":"proxy","figures":{"cpu_vs_nginx":0.9,"seen":7}}`
	if got := result().Summary(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results")
	other := result()
	other.Scenario = "mock"
	for _, r := range []*Result{result(), other} {
		if err := r.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| [mock](#mock) | `cpu_vs_nginx` | **0.9** |", "≤ 1, met |", "for information |",
		"## proxy", "![proxy](proxy.svg)", "| tidegate | 27.5 |", "| nginx | 31 |", "[proxy.json](proxy.json)",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("README.md lacks %q:\n%s", want, page)
		}
	}
}

func TestChartIsWellFormed(t *testing.T) {
	r := result()
	r.Scenario = `<a&b>`
	for name, r := range map[string]*Result{"two rivals": r, "no samples": {Scenario: "x", Measure: "us"}} {
		d := xml.NewDecoder(bytes.NewReader(chart(r)))
		var texts []string
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c, ok := token.(xml.CharData); ok {
				texts = append(texts, string(c))
			}
		}
		if all := strings.Join(texts, " "); name == "two rivals" && (!strings.Contains(all, "<a&b>") || !strings.Contains(all, "27.5")) {
			t.Errorf("the chart says %q", all)
		}
	}
}

func TestNiceCeiling(t *testing.T) {
	for x, want := range map[float64]float64{0: 1, 1: 1, 31: 40, 8.1: 10, 0.3: 0.4, 1500: 2000} {
		if got := niceCeiling(x); math.Abs(got-want) > 1e-9 {
			t.Errorf("niceCeiling(%v) = %v, want %v", x, got, want)
		}
	}
}
