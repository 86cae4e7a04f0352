// Command tidegate is the API gateway: "tidegate run" is the daemon, and every
// other subcommand talks to its control socket or works on files alone.
package main

import (
	"os"
	"time"
)

func main() {
	e := &env{
		args:     os.Args[1:],
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		getenv:   os.Getenv,
		terminal: isTerminal(os.Stderr) && os.Getenv("TERM") != "dumb",
		columns:  columns(os.Stdout),
		now:      time.Now,
	}
	os.Exit(dispatch(e))
}
