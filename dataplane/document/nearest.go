package document

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// Nearest returns the key of known that name is most likely a misspelling of:
// at most two edits away, or one for short names. It returns "" if there is
// none.
func Nearest[V any](name string, known map[string]V) string {
	if len(name) > 80 {
		return ""
	}
	best, bestEdits := "", 3
	if len(name) < 6 {
		bestEdits = 2
	}
	for candidate := range sortedKeys(known) {
		if d := edits(strings.ToLower(name), strings.ToLower(candidate)); d < bestEdits {
			best, bestEdits = candidate, d
		}
	}
	return best
}

func sortedKeys[V any](m map[string]V) iter.Seq[string] {
	return slices.Values(slices.Sorted(maps.Keys(m)))
}

// edits is the Levenshtein distance of a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// DidYouMean is Nearest as the end of a sentence.
func DidYouMean[V any](name string, known map[string]V) string {
	if near := Nearest(name, known); near != "" {
		return `; did you mean "` + near + `"?`
	}
	return ""
}
