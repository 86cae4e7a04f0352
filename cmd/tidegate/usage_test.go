package main

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// noon is a Wednesday.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func dayNumber(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// newUsage is a fixture with the key shop in the plan gold, which it has used
// 40 times yesterday and 10 times today.
func newUsage(t *testing.T) (f *fixture, shop keyRow) {
	t.Helper()
	f = newFixture(t)
	f.now = noon
	f.must(t, "plans", "create", "gold", "--quota", "100/week")
	shop = decoded[keyRow](t, f.must(t, "keys", "create", "shop", "--plan", "gold", "--json"))
	day := definition.Usage{PlanID: shop.Plans[0].ID, KeyID: shop.ID, Period: definition.PeriodWeek}
	for _, d := range [][3]int64{{dayNumber(noon) - 1, 40, 60}, {dayNumber(noon), 10, 50}} {
		day.Day, day.Used, day.Remaining = d[0], d[1], d[2]
		f.keyring.usage = append(f.keyring.usage, day)
	}
	return f, shop
}

func TestUsage30Days(t *testing.T) {
	f, shop := newUsage(t)
	out := f.must(t, "usage", "shop")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 2+30 || !strings.HasPrefix(lines[2], "2026-02-03  0 ") || strings.Contains(out, "█") {
		t.Errorf("printed\n%s", out)
	}
	printed(t, out, "API key shop ("+shop.ID+") in usage plan gold (", "): quota 100/week\n", "2026-03-03  40    60\n2026-03-04  10    50\n")

	list := only[control.Usage](t, f.must(t, "usage", shop.ID, "--json"))
	one := decoded[control.Usage](t, f.must(t, "usage", "shop", "--plan", "gold", "--json"))
	if len(list.Values[shop.ID]) != 30 || len(one.Values[shop.ID]) != 30 || one.UsagePlanID != shop.Plans[0].ID {
		t.Errorf("%+v %+v", list, one)
	}
}

func TestUsageDays(t *testing.T) {
	f, _ := newUsage(t)
	for _, c := range []struct{ from, to, first, last string }{
		{"2026-03-01", "", "2026-03-01", "2026-03-04"},
		{"2026-03-03", "2026-03-03", "2026-03-03", "2026-03-03"},
		{"", "2026-02-28", "2026-01-30", "2026-02-28"},
		{"2026-03-01", "2027-01-01", "2026-03-01", "2026-03-04"}, // not what has not come
	} {
		args := []string{"usage", "shop", "--plan", "gold", "--json"}
		if c.from != "" {
			args = append(args, "--from", c.from)
		}
		if c.to != "" {
			args = append(args, "--to", c.to)
		}
		if u := decoded[control.Usage](t, f.must(t, args...)); u.StartDate != c.first || u.EndDate != c.last {
			t.Errorf("%v: %s to %s, want %s to %s", args, u.StartDate, u.EndDate, c.first, c.last)
		}
	}
	f.refused(t, exitUsage, `--from "yesterday": write a date`, "usage", "shop", "--from", "yesterday")
	f.refused(t, exitUsage, `--to "2026-02-30": write a date`, "usage", "shop", "--to", "2026-02-30")
	f.refused(t, exitUsage, "--from 2026-03-05 is after 2026-03-04", "usage", "shop", "--from", "2026-03-05")
	f.refused(t, exitRefused, "at most 89 days after startDate", "usage", "shop", "--from", "2025-01-01")
}

func TestUsageChart(t *testing.T) {
	f, _ := newUsage(t)
	for _, c := range []struct{ columns, bars int }{{80, 51}, {60, 31}, {200, 60}, {30, 1}, {29, 0}, {10, 0}} {
		f.columns = c.columns
		out := f.must(t, "usage", "shop", "--from", "2026-03-02")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if strings.ContainsAny(lines[2], "█▏") || strings.Count(lines[3], "█") != c.bars || strings.Count(lines[4], "█") != c.bars/4 {
			t.Errorf("%d columns:\n%s", c.columns, out)
		}
		for _, line := range lines[1:] {
			if n := len([]rune(line)); n > max(c.columns, 29) {
				t.Errorf("%d columns: a line has %d:\n%s", c.columns, n, out)
			}
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		n, most int64
		width   int
		want    string
	}{
		{8, 8, 3, "███"}, {1, 1 << 40, 10, "▏"}, {4, 8, 3, "█▌"}, {1, 8, 1, "▏"}, {7, 8, 1, "▉"}, {1 << 62, 1 << 62, 2, "██"}, {0, 8, 3, " "}, {0, 0, 3, " "},
	} {
		if got := bar(c.n, c.most, c.width); got != c.want {
			t.Errorf("bar(%d, %d, %d) = %q, want %q", c.n, c.most, c.width, got, c.want)
		}
	}
}

func TestGrant(t *testing.T) {
	f, shop := newUsage(t)
	// The server's day is the real one, which may end in between.
	today := definition.Usage{PlanID: shop.Plans[0].ID, KeyID: shop.ID, Day: dayNumber(time.Now()), Used: 100, Period: definition.PeriodWeek}
	tomorrow := today
	tomorrow.Day++
	f.keyring.usage = []definition.Usage{today, tomorrow}
	printed(t, f.must(t, "usage", "shop", "--remaining", "500"), "  100   500\n")
	u := decoded[control.Usage](t, f.must(t, "usage", "shop", "--remaining", "7", "--json"))
	if days := u.Values[shop.ID]; len(days) != 1 || days[0] != [2]int64{100, 7} {
		t.Errorf("%+v", u)
	}

	f.refused(t, exitUsage, "whole number", "usage", "shop", "--remaining", "much")
	f.refused(t, exitUsage, "takes no --from", "usage", "shop", "--remaining", "1", "--from", "2026-03-01")
	f.must(t, "plans", "create", "free")
	f.must(t, "plans", "add-key", "free", "shop")
	f.refused(t, exitRefused, "is in 2 usage plans; choose one with --plan", "usage", "shop", "--remaining", "1")
	f.refused(t, exitRefused, "has no quota", "usage", "shop", "--remaining", "1", "--plan", "free")
	if out := f.must(t, "usage", "shop"); strings.Count(out, "in usage plan ") != 2 || !strings.Contains(out, ": no limit\n") {
		t.Errorf("two plans:\n%s", out)
	}
	f.must(t, "plans", "remove-key", "free", "shop")
	f.must(t, "plans", "remove-key", "gold", "shop")
	f.refused(t, exitRefused, "is in no usage plan; name one that it was in with --plan", "usage", "shop")
	printed(t, f.must(t, "usage", "shop", "--plan", "gold", "--to", strconv.Itoa(noon.Year())+"-03-04"), "in usage plan gold")
}
