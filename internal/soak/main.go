// Soak runs the full forms of the reliability table's rows and prints the table: what
// must hold, and what was measured. It exits with 1 if a row does not hold.
//
//	go run ./internal/soak [-o FILE] [ROW...]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	file := flag.String("o", "", "also write the table to this file")
	flag.Parse()
	var results []result
	failed := false
	for _, r := range rows {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), r.id) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s ...\n", r.id, r.name)
		began := time.Now()
		res := r.run()
		fmt.Fprintf(os.Stderr, "%s %s: %s in %s\n", r.id, r.name, res.outcome, time.Since(began).Round(time.Second))
		failed = failed || res.outcome == "FAILS"
		results = append(results, res)
	}
	var text strings.Builder
	write(&text, results, time.Now())
	fmt.Print(text.String())
	if *file != "" {
		if err := os.WriteFile(*file, []byte(text.String()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// write prints the table in Markdown.
func write(w io.Writer, results []result, now time.Time) {
	fmt.Fprintf(w, "# Reliability, as measured\n\n`make soak` made this on %s, on %s.\n\n", now.Format("2 January 2006"), machine())
	fmt.Fprintln(w, "| row | what | must hold | measured | outcome |\n| --- | --- | --- | --- | --- |")
	for _, r := range results {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", r.id, r.name, r.bound, strings.Join(r.measured, "; "), r.outcome)
	}
	for _, r := range results {
		if r.output != "" {
			fmt.Fprintf(w, "\n## %s\n\n```\n%s```\n", r.id, r.output)
		}
	}
}
