//go:build race

package waf

const underRace = true
