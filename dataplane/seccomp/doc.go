// Package seccomp has the kernel refuse the system calls that a gateway never
// makes, so that whoever gets code to run in it finds less of the kernel to reach.
//
// It is a list of what is denied, and not of what is allowed: a new release of Go
// or of a library may begin to use any harmless call, and a gateway that fails in
// the middle of serving is worse than a call too many. Where systemd starts the
// daemon, its unit has a list of what is allowed before that.
//
// The filter holds for every thread, for good, and for the programs that the
// process starts. To start them stays allowed, since a gateway is replaced by
// starting its successor. Source: seccomp(2).
package seccomp
