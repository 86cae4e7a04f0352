package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
)

// defaultConfig is where the package and make install put the host file.
const defaultConfig = "/etc/tidegate/tidegate.yaml"

var runCommand = &command{
	name:    "run",
	args:    "[--config FILE]",
	summary: "serve: the daemon",
	help: `
Loads the host file, opens the listeners and serves until it is told to stop.
Logs go to standard error.

SIGTERM or SIGINT drains: no new requests, those in flight finish (at most
timeouts.drain), then the daemon exits; a second signal exits at once.
SIGHUP reads the host file again and re-opens the access log.

Under systemd it reports readiness and watchdog pings, and takes over sockets
whose FileDescriptorName is the name of a listener.

Examples:
  tidegate run
  tidegate run --config configs/examples/quickstart/tidegate.yaml`,
}

func init() { runCommand.run = runDaemon }

func runDaemon(e *env, args []string) error {
	f := newFlags(e, runCommand)
	path := f.String("config", defaultConfig, "host `FILE`")
	operands, err := f.parse(args)
	if err != nil {
		return err
	}
	if len(operands) > 0 {
		return usagef("unexpected %q; the host file is named by --config", operands[0])
	}
	host, err := configs.Load(*path)
	if err != nil {
		return &refusedError{err}
	}
	files, err := inherited(e.getenv, host.Listeners)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	gateway, err := dataplane.New(host, dataplane.Options{
		Logger:    log,
		Version:   version(),
		Inherited: files,
		Stderr:    e.stderr,

		DropPrivileges: true,
	})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGHUP)
	if !signal.Ignored(syscall.SIGINT) { // as it is for a script's background process
		signal.Notify(signals, syscall.SIGINT)
	}
	defer signal.Stop(signals)
	d := &daemon{
		gateway:  gateway,
		load:     func() (*configs.Host, error) { return configs.Load(*path) },
		drain:    host.Timeouts.Drain,
		signals:  signals,
		log:      log,
		notify:   newNotifier(e.getenv),
		watchdog: watchdogInterval(e.getenv),
	}
	return d.serve()
}
