// Package unit runs a program as systemd would by a service unit, where systemd does
// not run: with its capabilities, its filters of system calls and its view of the
// file system. It is for tests, which hold that the daemon works as it is installed.
package unit
