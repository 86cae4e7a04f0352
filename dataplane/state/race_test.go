//go:build race

package state

const underRace = true
