package main

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// env is what a subcommand may touch of the process, so that tests run it in
// process.
type env struct {
	args     []string // without the program's name
	stdin    io.Reader
	stdout   io.Writer
	stderr   io.Writer
	getenv   func(string) string
	terminal bool // stderr is a terminal
	columns  int  // of the terminal that stdout is; 0 when it is none
	now      func() time.Time
}

// Exit codes. Scripts rely on them; docs/operations.md lists them.
const (
	exitOK          = 0
	exitFailure     = 1 // anything not below
	exitUsage       = 2 // the command line is wrong
	exitUnreachable = 3 // no daemon answers on the control socket
	exitRefused     = 4 // a file is not valid, or the daemon refused the request
)

// usageError is a command line that makes no sense.
type usageError struct{ problem string }

func (e *usageError) Error() string { return e.problem }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// refusedError is a file or request that was understood and refused.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// unreachableError is a control socket that nobody answers on.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

// errReported is a failure that the subcommand has already told the user.
var errReported = errors.New("reported")

// exitCode is the exit code that an error of a subcommand stands for.
func exitCode(err error) int {
	var usage *usageError
	var refused *refusedError
	var unreachable *unreachableError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &unreachable):
		return exitUnreachable
	case errors.As(err, &refused):
		return exitRefused
	}
	return exitFailure
}
