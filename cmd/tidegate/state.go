package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tidegate/tidegate/dataplane/control"
)

var stateCommand = &command{
	name:    "state",
	args:    "[acknowledge] [--json]",
	summary: "show how well the state is kept, and end the alarm after damage",
	help: `
Shows when the copy of the state file was made, why a newer one could not be made,
and whether a start found the state file damaged and went back to the copy. What was
changed after the copy is lost then: deploy it again, and acknowledge.

Examples:
  tidegate state
  tidegate state acknowledge`,
	verbs: []*command{stateAcknowledgeCommand},
}

var stateAcknowledgeCommand = &command{
	name:    "state acknowledge",
	args:    "[--json]",
	summary: "end the alarm that the state file was damaged",
	help: `
Ends the alarm that a start found the state file damaged and went back to its copy.
The damaged file stays where it was moved to, until you remove it.

Examples:
  tidegate state acknowledge`,
}

func init() {
	stateCommand.run = showState
	stateAcknowledgeCommand.run = acknowledgeState
}

func showState(e *env, args []string) error {
	r := newRemote(e, stateCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var status *control.Status
	err := r.call("asking the daemon", func(ctx context.Context, c *control.Client) (err error) {
		status, err = c.Status(ctx)
		return err
	})
	if err != nil {
		return err
	}
	kept := status.Kept
	if kept == nil {
		kept = &control.StateStatus{}
	}
	if *r.json {
		return printJSON(e.stdout, kept)
	}
	printState(e.stdout, kept)
	return nil
}

func printState(w io.Writer, s *control.StateStatus) {
	copied := "there is none yet"
	if s.CopiedAt != nil {
		copied = stamp(*s.CopiedAt)
	}
	if s.CopyDue {
		copied += ", another one is due"
	}
	fmt.Fprintf(w, "copy      %s\n", copied)
	if s.CopyError != "" {
		fmt.Fprintf(w, "failing   %s\n", visible(s.CopyError))
	}
	if s.Fallback == nil {
		fmt.Fprintln(w, "fallback  none to acknowledge")
		return
	}
	fmt.Fprintln(w, "fallback  "+fallbackText(s.Fallback))
}

func fallbackText(f *control.StateFallback) string {
	text := fmt.Sprintf("at %s the state file was found damaged (%s)", stamp(f.At), visible(f.Cause))
	if f.Damaged != "" {
		text += ", moved to " + visible(f.Damaged)
	}
	return text + " and replaced by the copy of " + stamp(f.CopiedAt) +
		": deploy again what was changed after that, then run 'tidegate state acknowledge'"
}

func acknowledgeState(e *env, args []string) error {
	r := newRemote(e, stateAcknowledgeCommand)
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	err := r.call("acknowledging", func(ctx context.Context, c *control.Client) error { return c.AcknowledgeFallback(ctx) })
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, map[string]bool{"acknowledged": true})
	}
	_, err = fmt.Fprintln(e.stdout, "acknowledged")
	return err
}
