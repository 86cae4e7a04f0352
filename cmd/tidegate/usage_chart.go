package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// print shows a table with a row for each day, and on a terminal a bar beside
// it: the busiest day's is the longest.
func (u *planUsage) print(e *env, key *control.APIKey) error {
	fmt.Fprintf(e.stdout, "API key %s in usage plan %s: %s\n", keyKind.label(key), planKind.label(&u.plan), describePlan(&u.plan))
	first, err := time.Parse(time.DateOnly, u.usage.StartDate)
	if err != nil {
		return fmt.Errorf("the daemon's answer has the date %q: %w", u.usage.StartDate, err)
	}
	rows, most := [][]string{}, int64(0)
	for i, day := range u.usage.Values[key.ID] {
		used, remaining := day[0], ""
		if day[1] != definition.NoQuota {
			remaining = strconv.FormatInt(day[1], 10)
		}
		rows = append(rows, []string{first.AddDate(0, 0, i).Format(time.DateOnly), strconv.FormatInt(used, 10), remaining})
		most = max(most, used)
	}
	width, headings := barColumns(e.columns, rows), []string{"day", "used", "remaining"}
	if most == 0 {
		width = 0
	}
	if width > 0 {
		headings = append(headings, " ")
	}
	t := newTable(e.stdout, headings...)
	for i, row := range rows {
		if width > 0 {
			row = append(row, bar(u.usage.Values[key.ID][i][0], most, width))
		}
		t.row(row...)
	}
	return t.flush()
}

// maxBarColumns keeps bars readable on a wide terminal.
const maxBarColumns = 60

// barColumns is how wide bars may be beside the table; 0 is no bars.
func barColumns(columns int, rows [][]string) int {
	if columns == 0 {
		return 0
	}
	widths := []int{len("day"), len("used"), len("remaining")}
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for _, w := range widths {
		columns -= w + 2
	}
	return max(0, min(columns, maxBarColumns))
}

// eighths are the blocks of one to seven eighths of a column, from the left.
var eighths = []string{"▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar draws n of most in width columns. What is more than nothing shows, and
// nothing is a space, so that the table keeps the column.
func bar(n, most int64, width int) string {
	if n <= 0 {
		return " "
	}
	parts := max(1, int(float64(n)/float64(most)*float64(width)*8))
	text := strings.Repeat("█", parts/8)
	if rest := parts % 8; rest > 0 {
		text += eighths[rest-1]
	}
	return text
}
