//go:build race

package iam

const underRace = true
