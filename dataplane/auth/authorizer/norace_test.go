//go:build !race

package authorizer

const underRace = false
