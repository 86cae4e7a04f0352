//go:build !race

package dataplane_test

const underRace = false
