// Command bench compares Tidegate with nginx, HAProxy, Caddy and Varnish on this
// machine, and its packages with others in Go.
//
//	bench [-scenario NAME|all] [-tidegate PATH] [-out DIR] [-rounds N] [-duration D] [-self-check]
//
// Progress goes to stderr; tables to stdout, where the last line of each
// scenario is one JSON object with its figures. The exit status is 1 when a
// scenario could not be measured; a figure out of reach is no error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tidegate/tidegate/benchmarks/caches"
	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/scenarios"
	"github.com/tidegate/tidegate/benchmarks/sockets"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	if len(args) == 2 && load.IsCommand(args[0]) {
		return load.ServeCommand(args[0], args[1], os.Stdin, stdout)
	}
	if len(args) == 2 && args[0] == caches.Command {
		return caches.ServeCommand(args[1], os.Stdin, stdout)
	}
	if len(args) == 2 && args[0] == sockets.Command {
		return sockets.ServeCommand(args[1])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		name     = flags.String("scenario", "all", "what to measure: all, "+strings.Join(scenarios.Names(), ", "))
		tidegate = flags.String("tidegate", "../bin/tidegate", "the tidegate `binary`")
		out      = flags.String("out", "results", "`folder` for results")
		rounds   = flags.Int("rounds", 0, "rounds of all rivals (0: as many as the scenario says)")
		window   = flags.Duration("duration", 0, "of one rival's turn (0: as long as the scenario says)")
		self     = flags.Bool("self-check", false, "put one of the others, mostly a second nginx, in Tidegate's place: all ratios must be about 1")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := scenarios.Find(*name)
	if err != nil {
		return err
	}
	o := scenarios.Options{SelfCheck: *self, Rounds: *rounds, Window: *window, Log: stderr}
	if !*self {
		if o.Tidegate, err = binary(*tidegate); err != nil {
			return err
		}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var failed []error
	for _, s := range chosen {
		r, err := s.Run(ctx, o)
		if skipped := new(scenarios.Skipped); *name == "all" && errors.As(err, &skipped) {
			fmt.Fprintln(stderr, "bench: skipped", err)
			continue
		}
		if err == nil {
			r.Table(stdout)
			fmt.Fprintln(stdout)
			err = r.Write(*out)
		}
		if err != nil {
			failed = append(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		fmt.Fprintln(stdout, r.Summary())
	}
	return errors.Join(failed...)
}

// binary returns the absolute path of the binary, as rivals run in folders of their own.
func binary(path string) (string, error) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("no tidegate binary at %s: build it with make build, or name it with -tidegate", path)
	}
	return filepath.Abs(path)
}
