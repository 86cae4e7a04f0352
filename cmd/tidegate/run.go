package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
	"github.com/tidegate/tidegate/dataplane/control"
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
SIGHUP reads the host file again and re-opens the access log; if the program file
has changed, it has that take over, as "tidegate upgrade" does.

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
	over, err := takingOver(e.getenv)
	if err != nil {
		return err
	}
	host, err := configs.Load(*path)
	if err != nil {
		return over.fail(&refusedError{err})
	}
	return over.fail(runHost(e, *path, host, over))
}

// runHost serves until it is told to stop. over is nil for a process that takes
// nothing over.
func runHost(e *env, path string, host *configs.Host, over *takeover) error {
	files, err := inherited(e.getenv, host.Listeners)
	if err != nil {
		return err
	}
	var sockets []dataplane.Socket
	if over != nil {
		sockets = over.sockets
		if _, err := over.wait("state"); err != nil {
			return err
		}
	}
	upgrades := make(chan *upgradeRequest)
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	gateway, err := dataplane.New(host, dataplane.Options{
		Logger:      log,
		Version:     version(),
		Inherited:   files,
		Predecessor: sockets,
		Stderr:      e.stderr,

		DropPrivileges: true,
		Upgrade:        func(ctx context.Context) (control.Successor, error) { return askForUpgrade(ctx, upgrades) },
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
		load:     func() (*configs.Host, error) { return configs.Load(path) },
		over:     over,
		program:  thisProgram(),
		config:   path,
		upgrades: upgrades,
		version:  version(),
		drain:    host.Timeouts.Drain,
		signals:  signals,
		log:      log,
		notify:   newNotifier(e.getenv),
		watchdog: watchdogInterval(e.getenv),
	}
	return d.serve()
}
