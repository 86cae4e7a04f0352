package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// result is what became of a row.
type result struct {
	row
	measured []string
	outcome  string // "holds", "FAILS", "skipped" or "not here"
	output   string // of tests that failed, the end
}

var (
	said   = regexp.MustCompile(`FOUND (R\d+) \| (.*)`)
	passed = regexp.MustCompile(`(?m)^--- PASS: (\S+)`)
	missed = regexp.MustCompile(`(?m)^--- SKIP: (\S+)`)
)

// run runs the row's tests, a package at a time.
func (r row) run() result {
	res := result{row: r, outcome: "holds"}
	if r.id == fuzzRow {
		return res.fuzz()
	}
	if len(r.tests) == 0 {
		res.outcome = "not here"
		return res
	}
	for _, p := range r.tests {
		pkg, names, _ := strings.Cut(p, " ")
		args := []string{"test", "-count=1", "-v", "-timeout=30m", "-run", "^(" + strings.ReplaceAll(names, " ", "|") + ")$", pkg}
		cmd := exec.Command("go", args...)
		cmd.Env = append(os.Environ(), "TIDEGATE_SOAK=1")
		out, err := cmd.CombinedOutput()
		text := string(out)
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			if m[1] == r.id {
				res.measured = append(res.measured, strings.TrimSpace(m[2]))
			}
		}
		if err != nil {
			res.outcome = "FAILS"
			res.output += tail(text, 3000)
			continue
		}
		if n := len(passed.FindAllString(text, -1)); len(said.FindAllString(text, -1)) == 0 && n > 0 {
			res.measured = append(res.measured, fmt.Sprintf("%s: %d tests pass", strings.TrimPrefix(pkg, "./"), n))
		}
		if len(missed.FindAllString(text, -1)) > 0 && res.outcome == "holds" {
			res.outcome = "skipped"
		}
	}
	return res
}

// fuzz runs every fuzz target for a moment.
func (res result) fuzz() result {
	out, err := exec.Command(".ci/fuzz", fuzzTime).CombinedOutput()
	res.measured = []string{fmt.Sprintf("%d targets", strings.Count(string(out), "\n== ")+1)}
	if err != nil {
		res.outcome, res.output = "FAILS", tail(string(out), 3000)
	}
	return res
}

// tail returns the last lines, of about so many bytes.
func tail(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	text = text[len(text)-bytes:]
	_, text, _ = strings.Cut(text, "\n")
	return text
}

// machine says in a few words what this ran on.
func machine() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores, Linux %s, %s", runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version())
}
