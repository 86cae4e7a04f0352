//go:build !race

package text

const underRace = false
