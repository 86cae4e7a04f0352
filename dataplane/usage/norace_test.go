//go:build !race

package usage

const underRace = false
