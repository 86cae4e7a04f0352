package steer

//go:generate ../include/bpf2go program steer.c
