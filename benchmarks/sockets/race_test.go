//go:build race

package sockets

const underRace = true
