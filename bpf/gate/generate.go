package gate

//go:generate ../include/bpf2go -type reason program gate.c
