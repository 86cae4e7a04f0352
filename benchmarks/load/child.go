package load

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Subcommands of the bench binary that are load generators. Each takes its
// parameters as one JSON argument and runs until its standard input is closed.
const (
	OpenLoopCommand = "open-loop"
	HoldCommand     = "hold"
	crowdCommand    = "crowd"
)

// IsCommand tells whether a subcommand is for [ServeCommand].
func IsCommand(name string) bool {
	return name == OpenLoopCommand || name == HoldCommand || name == crowdCommand
}

// child is this binary, running a generator subcommand.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   io.ReadCloser
	log   bytes.Buffer
}

func spawn(ctx context.Context, subcommand string, parameters any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.CommandContext(ctx, self, subcommand, string(arg))}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.Stderr = &c.log
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("load generator: %w", err)
	}
	return c, nil
}

// release lets the child end.
func (c *child) release() { _ = c.stdin.Close() }

// wait reads the JSON the child prints at its end.
func (c *child) wait(into any) error {
	out, err := io.ReadAll(c.out)
	if failed := c.cmd.Wait(); failed != nil {
		return fmt.Errorf("load generator: %w: %s", failed, strings.TrimSpace(c.log.String()))
	}
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		return fmt.Errorf("load generator: %w: %s", err, out)
	}
	return nil
}

// ServeCommand runs the generator subcommand of this process, stopped by the
// end of stdin, and prints its outcome to stdout.
func ServeCommand(subcommand, parameters string, stdin *os.File, stdout io.Writer) error {
	switch subcommand {
	case OpenLoopCommand:
		var o OpenLoop
		if err := json.Unmarshal([]byte(parameters), &o); err != nil {
			return fmt.Errorf("load: parameters: %w", err)
		}
		s, err := o.Run(stdin)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(s)
	case HoldCommand:
		var h Hold
		if err := json.Unmarshal([]byte(parameters), &h); err != nil {
			return fmt.Errorf("load: parameters: %w", err)
		}
		return h.Run(stdin, stdout)
	case crowdCommand:
		var c Crowd
		if err := json.Unmarshal([]byte(parameters), &c); err != nil {
			return fmt.Errorf("load: parameters: %w", err)
		}
		return c.Run(stdin, stdout)
	default:
		return fmt.Errorf("load: no generator %q", subcommand)
	}
}
