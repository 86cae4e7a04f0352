package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var upgradeCommand = &command{
	name:    "upgrade",
	args:    "[--json]",
	summary: "replace the running daemon by what is installed now",
	help: `
Starts the program file that the daemon was started from, which may be another
version by now, and has it take over: listening sockets, state, the counts of
quotas and limits, what is in the kernel, saved caches. No request fails. When the
new process says that it serves, the old one serves what is connected to it to its
end, at most for timeouts.drain, and exits.

If the new process does not get that far within 10 seconds, it is ended and the
old one goes on; the error says why.

"systemctl reload tidegate" does the same when the program file has changed.

Examples:
  tidegate upgrade
  sudo install bin/tidegate /usr/bin/tidegate && sudo tidegate upgrade`,
}

func init() { upgradeCommand.run = upgrade }

func upgrade(e *env, args []string) error {
	r := newRemote(e, upgradeCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var s *control.Successor
	err := r.call("starting the new process", func(ctx context.Context, c *control.Client) (err error) {
		s, err = c.Upgrade(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, s)
	}
	_, err = fmt.Fprintf(e.stdout, "process %d serves, version %s\n", s.PID, s.Version)
	return err
}
