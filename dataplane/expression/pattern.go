package expression

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// Bounds on a selection pattern. What it matches has three digits; a short
// pattern with nested repetition can compile to megabytes.
const (
	maxPatternBytes = 512
	maxPatternSize  = 5_000
)

// CheckPattern checks a selection pattern, a regular expression in RE2 syntax.
func CheckPattern(pattern string) error {
	if len(pattern) > maxPatternBytes {
		return errors.New("a selection pattern has at most 512 bytes")
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fmt.Errorf("the pattern cannot be matched in linear time or is not a regular expression (%s); write it in RE2 syntax, without lookaround, backreferences or possessive repetition",
			strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	if patternSize(re) > maxPatternSize {
		return errors.New("the pattern repeats too much for a status of three digits; simplify it")
	}
	return nil
}

// patternSize estimates the instructions that a pattern compiles to.
func patternSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		size += patternSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return min(size, maxPatternSize+1)
}
