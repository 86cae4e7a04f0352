package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRowsNameTests: every row is there once, in order, with tests that exist.
func TestRowsNameTests(t *testing.T) {
	last := 0
	for _, r := range rows {
		n, err := strconv.Atoi(strings.TrimPrefix(r.id, "R"))
		if err != nil || n <= last {
			t.Errorf("%s comes after R%d", r.id, last)
		}
		last = n
		for _, p := range r.tests {
			pkg, names, _ := strings.Cut(p, " ")
			files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*_test.go"))
			if err != nil || len(files) == 0 {
				t.Errorf("%s: no tests in %s", r.id, pkg)
			}
			var text strings.Builder
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				text.Write(b)
			}
			for _, name := range strings.Fields(names) {
				if !strings.Contains(text.String(), "\nfunc "+name+"(t ") {
					t.Errorf("%s: %s has no %s", r.id, pkg, name)
				}
			}
		}
	}
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	write(&b, []result{
		{row: row{"R1", "steady", "none fails", nil}, measured: []string{"0 of 9", "flat"}, outcome: "holds"},
		{row: row{"R2", "overload", "90 %", nil}, outcome: "FAILS", output: "--- FAIL\n"},
	}, time.Unix(0, 0))
	for _, want := range []string{"| R1 | steady | none fails | 0 of 9; flat | holds |\n", "| R2 | overload | 90 % |  | FAILS |\n", "## R2\n\n```\n--- FAIL\n```\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
