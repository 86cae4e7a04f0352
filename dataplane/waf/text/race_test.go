//go:build race

package text

const underRace = true
