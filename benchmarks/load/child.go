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

	"github.com/tidegate/tidegate/benchmarks/network"
)

// Subcommands of the bench binary that are load generators. Each takes its
// parameters as one JSON argument and runs until its standard input is closed.
const (
	openLoopCommand = "open-loop"
	holdCommand     = "hold"
	freshCommand    = "fresh"
	crowdCommand    = "crowd"
)

// IsCommand tells whether a subcommand is for [ServeCommand].
func IsCommand(name string) bool {
	return name == openLoopCommand || name == holdCommand || name == freshCommand || name == crowdCommand
}

// child is this binary, running a generator subcommand.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   io.ReadCloser
	log   bytes.Buffer
}

// spawn starts the child on a host, nil being that of this process.
func spawn(ctx context.Context, from *network.Host, subcommand string, parameters any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	argv := []string{self, subcommand, string(arg)}
	if from != nil {
		argv = from.Command(argv...)
	}
	c := &child{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
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
	case openLoopCommand:
		var o OpenLoop
		if err := json.Unmarshal([]byte(parameters), &o); err != nil {
			return fmt.Errorf("load: parameters: %w", err)
		}
		s, err := o.Run(stdin)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(s)
	case freshCommand:
		var f Fresh
		if err := json.Unmarshal([]byte(parameters), &f); err != nil {
			return fmt.Errorf("load: parameters: %w", err)
		}
		s, err := f.Run(stdin)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(s)
	case holdCommand:
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
