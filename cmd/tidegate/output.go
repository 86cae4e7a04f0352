package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// printJSON writes v as indented JSON and a newline.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// table collects rows and aligns their columns.
type table struct {
	w     *tabwriter.Writer
	uncut bool // cells keep all their runes
}

// newTable starts a table; headings are written in capitals.
func newTable(w io.Writer, headings ...string) *table {
	t := &table{w: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for i := range headings {
		headings[i] = strings.ToUpper(headings[i])
	}
	t.row(headings...)
	return t
}

// row adds a row. An empty cell shows as "-", and control characters, which
// could rewrite the terminal, show as "?".
func (t *table) row(cells ...string) {
	for i, c := range cells {
		if t.uncut && c != "" {
			cells[i] = visible(c)
		} else {
			cells[i] = cell(c)
		}
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), " "))
}

func (t *table) flush() error { return t.w.Flush() }

const maxCellRunes = 60

func cell(s string) string {
	if s == "" {
		return "-"
	}
	runes := []rune(visible(s))
	if len(runes) > maxCellRunes {
		return string(runes[:maxCellRunes-1]) + "…"
	}
	return string(runes)
}

// visible shows control characters as "?".
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// yesNo shows a switch.
func yesNo(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// stamp shows a time in UTC to the second.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
