package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// unknownColumns stands for the width of a terminal that does not tell it.
const unknownColumns = 60

// isTerminal reports whether f is a character device, which a terminal is and
// a pipe or a file is not.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// columns returns the width of the terminal that f is, and 0 when it is none.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	switch {
	case err != nil:
		return 0
	case size.Col == 0:
		return unknownColumns
	}
	return int(size.Col)
}
