//go:build race

package sigv4

const underRace = true
