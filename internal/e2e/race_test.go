//go:build race

package e2e

// underRace makes TestMain build the daemon with the race detector too, and
// tests that count to a large number count to a smaller one.
const underRace = true
