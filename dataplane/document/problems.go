package document

import (
	"fmt"
	"strings"
)

// maxProblems bounds what one import reports, and with it what a hostile
// document can make the gateway print and store.
const maxProblems = 50

// Problem is one thing wrong with a document, and what to do about it.
type Problem struct {
	Location string // "paths./pets.get.x-amazon-apigateway-integration.uri"; empty for the document as a whole
	Line     int    // 1-based; 0 when there is none
	Message  string
}

// String returns "line 12: location: message".
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Location != "" {
		b.WriteString(p.Location + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Errors is every problem of one document, in the order they were found, of
// which the first 50 are kept.
type Errors struct {
	Problems []Problem
	Omitted  int // problems beyond the ones kept
}

// Error returns one problem per line.
func (e *Errors) Error() string {
	return strings.Join(lines(e.Problems, e.Omitted), "\n")
}

func lines(list []Problem, omitted int) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	if omitted > 0 {
		out = append(out, fmt.Sprintf("and %d more", omitted))
	}
	return out
}

// Problems collects what is wrong (errors) and what is odd (cautions) while one
// goroutine reads a document. The zero value is ready.
type Problems struct {
	errors, cautions report
}

// report is a bounded list without repetition: a part that many operations
// refer to is reported once.
type report struct {
	list    []Problem
	seen    map[Problem]bool
	omitted int
}

func (r *report) add(p Problem) {
	if r.seen[p] {
		return
	}
	if len(r.list) == maxProblems {
		r.omitted++
		return
	}
	if r.seen == nil {
		r.seen = map[Problem]bool{}
	}
	r.seen[p] = true
	r.list = append(r.list, p)
}

// Add tells what is wrong at a place, and what to do about it.
func (p *Problems) Add(at Node, format string, args ...any) {
	p.errors.add(Problem{at.Place.String(), at.KeyLine, fmt.Sprintf(format, args...)})
}

// Warn tells what is odd at a place.
func (p *Problems) Warn(at Node, format string, args ...any) {
	p.cautions.add(Problem{at.Place.String(), at.KeyLine, fmt.Sprintf(format, args...)})
}

// Err returns what is wrong as an *Errors, or nil.
func (p *Problems) Err() error {
	if len(p.errors.list) == 0 {
		return nil
	}
	return &Errors{Problems: p.errors.list, Omitted: p.errors.omitted}
}

// Warnings returns what is odd, one text each, in the order it was found.
func (p *Problems) Warnings() []string { return lines(p.cautions.list, p.cautions.omitted) }
