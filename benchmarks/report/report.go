// Package report turns the samples of a scenario into figures, and writes
// them as JSON, a Markdown table and an SVG chart.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Sample is what one rival did in one round.
type Sample struct {
	Round  int                `json:"round"`
	Rival  string             `json:"rival"`
	Values map[string]float64 `json:"values"` // by measure, whose name ends with its unit
}

// Result is the outcome of a scenario.
type Result struct {
	Scenario string    `json:"scenario"`
	About    string    `json:"about"`
	Measure  string    `json:"measure"` // the one the chart shows
	Started  time.Time `json:"started"`
	Machine  Machine   `json:"machine"`
	Figures  []Figure  `json:"figures"`
	Samples  []Sample  `json:"samples"` // raw, all rounds
}

// Figure is one number a scenario is judged by.
type Figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Spread Spread  `json:"spread"`          // over the rounds
	Reach  *Reach  `json:"reach,omitempty"` // nil: for information
}

// Reach is the bound a figure is to keep: one of the two is set.
type Reach struct {
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
}

// AtMost is the bound of a figure that is better the smaller it is.
func AtMost(bound float64) Reach { return Reach{AtMost: &bound} }

// AtLeast is the bound of a figure that is better the larger it is.
func AtLeast(bound float64) Reach { return Reach{AtLeast: &bound} }

func (r Reach) String() string {
	if r.AtLeast != nil {
		return "≥ " + number(*r.AtLeast)
	}
	return "≤ " + number(*r.AtMost)
}

// Met says whether the figure keeps its bound.
func (f Figure) Met() bool {
	switch {
	case f.Reach == nil:
		return true
	case f.Reach.AtLeast != nil:
		return f.Value >= *f.Reach.AtLeast
	default:
		return f.Value <= *f.Reach.AtMost
	}
}

// Rivals returns the names of the rivals in the order of their first samples.
func (r *Result) Rivals() []string {
	var names []string
	for _, s := range r.Samples {
		if !slices.Contains(names, s.Rival) {
			names = append(names, s.Rival)
		}
	}
	return names
}

// Measures returns the names of all measures, sorted, the main one first.
func (r *Result) Measures() []string {
	var names []string
	for _, s := range r.Samples {
		for name := range s.Values {
			if name != r.Measure && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return append([]string{r.Measure}, names...)
}

// Summary is the line that ends a run: {"scenario": ..., "figures": {...}}.
func (r *Result) Summary() string {
	figures := make(map[string]float64, len(r.Figures))
	for _, f := range r.Figures {
		figures[f.Name] = f.Value
	}
	b, err := json.Marshal(struct {
		Scenario string             `json:"scenario"`
		Figures  map[string]float64 `json:"figures"`
	}{r.Scenario, figures})
	if err != nil {
		panic(fmt.Sprintf("report: a figure is no number: %v", err))
	}
	return string(b)
}

// Write writes SCENARIO.json and SCENARIO.svg into dir and renews its
// README.md from all results that lie there.
func (r *Result) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %s: %w", r.Scenario, err)
	}
	for name, content := range map[string][]byte{r.Scenario + ".json": append(b, '\n'), r.Scenario + ".svg": chart(r)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	all, err := readAll(dir)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	writePage(&page, all)
	return os.WriteFile(filepath.Join(dir, "README.md"), page.Bytes(), 0o644)
}

func readAll(dir string) ([]*Result, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []*Result
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r := new(Result)
		if err := json.Unmarshal(b, r); err != nil {
			return nil, fmt.Errorf("report: %s is not a result, remove it: %w", file, err)
		}
		all = append(all, r)
	}
	return all, nil
}
