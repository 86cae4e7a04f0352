//go:build !race

package waf

const underRace = false
