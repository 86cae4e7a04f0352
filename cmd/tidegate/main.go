// Command tidegate is the API gateway: "tidegate run" is the daemon, and every
// other subcommand talks to its control socket or works on files alone.
package main

import (
	"os"
)

func main() {
	e := &env{
		args:     os.Args[1:],
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		getenv:   os.Getenv,
		terminal: isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb",
	}
	os.Exit(dispatch(e))
}

// isTerminal reports whether f is a character device, which a terminal is and
// a pipe or a file is not.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
