package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
)

// Sizes of the chart, in pixels.
const (
	chartWidth  = 720
	labelWidth  = 130
	valueWidth  = 90
	chartTop    = 56
	rowHeight   = 38
	barHeight   = 20
	chartBottom = 30
)

// chart draws the main measure: a bar to the median of each rival, a whisker
// from its smallest to its largest round.
func chart(r *Result) []byte {
	rivals := slices.DeleteFunc(r.Rivals(), func(name string) bool { return len(Values(r.Samples, name, r.Measure)) == 0 })
	var top float64
	for _, s := range r.Samples {
		top = max(top, s.Values[r.Measure])
	}
	axis := niceCeiling(top)
	x := func(v float64) float64 { return labelWidth + v/axis*(chartWidth-labelWidth-valueWidth) }
	height := chartTop + len(rivals)*rowHeight + chartBottom

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" fill="#333">`+"\n", chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", chartWidth, height)
	fmt.Fprintf(&b, `<text x="12" y="22" font-size="15" font-weight="bold">%s</text>`+"\n", escape(r.Scenario))
	fmt.Fprintf(&b, `<text x="12" y="42" fill="#666">%s: median, and whiskers from the smallest to the largest round</text>`+"\n", escape(r.Measure))
	bottom := height - chartBottom
	for i := range 5 {
		v := axis * float64(i) / 4
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#ddd"/>`+"\n", x(v), chartTop, x(v), bottom)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#666">%s</text>`+"\n", x(v), bottom+18, number(v))
	}
	for i, rival := range rivals {
		s := SpreadOf(Values(r.Samples, rival, r.Measure))
		middle := chartTop + i*rowHeight + rowHeight/2
		colour := "#9aa5b1"
		if i == 0 { // Tidegate comes first
			colour = "#1f77b4"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", labelWidth-8, middle+4, escape(rival))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", labelWidth, middle-barHeight/2, x(s.Median)-labelWidth, barHeight, colour)
		fmt.Fprintf(&b, `<path d="M%.1f %dV%dM%.1f %dH%.1fM%.1f %dV%d" stroke="#333" fill="none"/>`+"\n",
			x(s.Min), middle-5, middle+5, x(s.Min), middle, x(s.Max), x(s.Max), middle-5, middle+5)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s</text>`+"\n", max(x(s.Max), x(s.Median))+8, middle+4, number(s.Median))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// niceCeiling returns the smallest 1, 2, 4 or 8 times a power of ten that is
// not below x, so that a quarter of it is a short number.
func niceCeiling(x float64) float64 {
	if x <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 4, 8} {
		if x <= m*power {
			return m * power
		}
	}
	return 10 * power
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // into memory: cannot fail
	return b.String()
}
