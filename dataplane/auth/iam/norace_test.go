//go:build !race

package iam

const underRace = false
