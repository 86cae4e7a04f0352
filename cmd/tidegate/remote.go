package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// defaultSocket is control.socket of a host file that does not name it.
const defaultSocket = "/run/tidegate/control.sock"

// remote is what subcommands that talk to the daemon share: two flags and the
// way to call.
type remote struct {
	*flags
	env    *env
	socket *string
	json   *bool
}

func newRemote(e *env, c *command) *remote {
	f := newFlags(e, c)
	return &remote{
		flags:  f,
		env:    e,
		socket: f.String("socket", "", "`PATH` of the control socket"),
		json:   f.Bool("json", false, "print JSON"),
	}
}

// operands parses args and checks how many operands there are; what names them
// in the error.
func (r *remote) operands(args []string, least, most int, what string) ([]string, error) {
	operands, err := r.parse(args)
	switch {
	case err != nil:
		return nil, err
	case len(operands) < least:
		return nil, usagef("missing %s", what)
	case len(operands) > most:
		return nil, usagef("unexpected %q", operands[most])
	}
	return operands, nil
}

// call runs do with a client of the daemon, showing a progress line when it
// takes long. Ctrl-C ends it.
func (r *remote) call(what string, do func(context.Context, *control.Client) error) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	client := control.Dial(r.path())
	defer client.Close()
	return withProgress(r.env, what, func() error { return classify(do(ctx, client)) })
}

// follow runs do until it is done, or Ctrl-C ends it, which is how such commands
// end and no failure.
func (r *remote) follow(do func(context.Context, *control.Client) error) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	client := control.Dial(r.path())
	defer client.Close()
	err := do(ctx, client)
	if ctx.Err() != nil {
		return nil
	}
	return classify(err)
}

// watchEvery is how often what is watched is shown.
const watchEvery = time.Second

// watch runs do each second until Ctrl-C.
func (r *remote) watch(do func(context.Context, *control.Client) error) error {
	return r.follow(func(ctx context.Context, c *control.Client) error {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			if err := do(ctx, c); err != nil {
				return err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// newScreen begins what watch shows with the time: on a terminal over what it
// showed before, elsewhere below it.
func (r *remote) newScreen(again bool) {
	if r.env.columns > 0 {
		fmt.Fprint(r.env.stdout, "\x1b[H\x1b[2J")
	} else if again {
		fmt.Fprintln(r.env.stdout)
	}
	fmt.Fprintln(r.env.stdout, stamp(r.env.now()))
}

func (r *remote) path() string {
	if *r.socket != "" {
		return *r.socket
	}
	if path := r.env.getenv("TIDEGATE_SOCKET"); path != "" {
		return path
	}
	return defaultSocket
}

// classify gives an error of the client its exit code: the daemon's answer is
// a refusal or the daemon's own failure, and any other error of the client
// means that no answer came.
func classify(err error) error {
	var answered *control.Error
	var usage *usageError
	var refused *refusedError
	switch {
	case err == nil, errors.Is(err, errReported), errors.As(err, &usage), errors.As(err, &refused):
		return err
	case errors.As(err, &answered) && answered.Status < 500:
		return &refusedError{err}
	case errors.As(err, &answered):
		return err
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	}
	return &unreachableError{err}
}

// refusef is a request that makes no sense with what the daemon has.
func refusef(format string, args ...any) error {
	return &refusedError{fmt.Errorf(format, args...)}
}
