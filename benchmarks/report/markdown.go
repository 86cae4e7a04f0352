package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Table writes the figures and the medians of every rival as Markdown.
func (r *Result) Table(w io.Writer) {
	fmt.Fprintf(w, "| figure | value | spread (min, quartiles, max) | reach |\n|---|---|---|---|\n")
	for _, f := range r.Figures {
		fmt.Fprintf(w, "| `%s` | **%s** | %s | %s |\n", f.Name, number(f.Value), f.Spread, reach(f))
	}
	measures := r.Measures()
	fmt.Fprintf(w, "\n| median of | %s |\n|---|%s\n", strings.Join(measures, " | "), strings.Repeat("---|", len(measures)))
	for _, rival := range r.Rivals() {
		fmt.Fprintf(w, "| %s |", rival)
		for _, m := range measures {
			cell := ""
			if v := Values(r.Samples, rival, m); len(v) > 0 {
				cell = number(SpreadOf(v).Median)
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		fmt.Fprintln(w)
	}
}

// String writes the spread as min, q1, q3, max around the median.
func (s Spread) String() string {
	return fmt.Sprintf("%s, %s · %s · %s, %s", number(s.Min), number(s.Q1), number(s.Median), number(s.Q3), number(s.Max))
}

func reach(f Figure) string {
	switch {
	case f.Reach == nil:
		return "for information"
	case f.Met():
		return f.Reach.String() + ", met"
	default:
		return f.Reach.String() + ", **missed**"
	}
}

// number writes three significant digits, and whole numbers from 1,000 up.
func number(x float64) string {
	if x >= 1000 || x <= -1000 {
		return thousands(strconv.FormatFloat(x, 'f', 0, 64))
	}
	s := strconv.FormatFloat(x, 'g', 3, 64)
	if strings.Contains(s, "e") {
		s = strconv.FormatFloat(x, 'f', 0, 64)
	}
	return s
}

func thousands(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// writePage writes the README of a results folder.
func writePage(w io.Writer, all []*Result) {
	fmt.Fprint(w, "# Results\n\nWritten by the harness; see [../README.md](../README.md) for what is measured and how. ",
		"Compare within a row only: ratios come from one interleaved run.\n\n",
		"| scenario | figure | value | spread (min, quartiles, max) | reach |\n|---|---|---|---|---|\n")
	for _, r := range all {
		for _, f := range r.Figures {
			fmt.Fprintf(w, "| [%s](#%s) | `%s` | **%s** | %s | %s |\n", r.Scenario, r.Scenario, f.Name, number(f.Value), f.Spread, reach(f))
		}
	}
	for _, r := range all {
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n", r.Scenario, r.About)
		r.Table(w)
		fmt.Fprintf(w, "\n![%s](%s.svg)\n\n", r.Scenario, r.Scenario)
		fmt.Fprintf(w, "Taken %s on %s, %d cores, Linux %s", r.Started.UTC().Format("2006-01-02 15:04 UTC"), r.Machine.CPU, r.Machine.Cores, r.Machine.Kernel)
		for _, name := range slices.Sorted(maps.Keys(r.Machine.Versions)) {
			fmt.Fprintf(w, "; %s: %s", name, r.Machine.Versions[name])
		}
		fmt.Fprintf(w, ". Raw rounds: [%s.json](%s.json).\n", r.Scenario, r.Scenario)
	}
}
