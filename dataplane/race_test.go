//go:build race

package dataplane_test

// underRace says that the race detector is on, under which pools forget.
const underRace = true
