//go:build !race

package crs

const underRace = false
