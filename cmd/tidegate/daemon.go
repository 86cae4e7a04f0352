package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/configs"
)

// gateway is the part of dataplane.Gateway that the daemon drives.
type gateway interface {
	Start() error
	Reload(*configs.Host) error
	Drain(context.Context) error
	Close() error
	Healthy() error

	releaser
	heir
	Retire(context.Context) error
}

// daemon turns signals and watchdog ticks into calls of the gateway.
type daemon struct {
	gateway  gateway
	load     func() (*configs.Host, error) // reads the host file again
	drain    time.Duration                 // longest wait for requests in flight
	signals  <-chan os.Signal
	log      *slog.Logger
	notify   notifier
	watchdog time.Duration // between signs of life; 0 is none

	over     *takeover // nil for a process that takes nothing over
	program  program
	config   string // the host file
	upgrades <-chan *upgradeRequest
	version  string
}

// serve starts the gateway and returns when it has stopped. The error is nil
// after a complete drain.
func (d *daemon) serve() error {
	if err := d.start(); err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), d.gateway.Close())
	}
	d.notify.ready("serving")
	var tick <-chan time.Time
	if d.watchdog > 0 {
		ticker := time.NewTicker(d.watchdog)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-tick:
			d.signOfLife()
		case u := <-d.upgrades:
			if p := d.upgrade(u, tick); p != nil {
				return errors.Join(d.retire(p), d.gateway.Close())
			}
		case s := <-d.signals:
			if s == syscall.SIGHUP {
				if !d.program.changed() {
					d.reload()
				} else if p := d.upgrade(nil, tick); p != nil {
					return errors.Join(d.retire(p), d.gateway.Close())
				}
				continue
			}
			d.log.Info("draining", "signal", s.String(), "at_most", d.drain)
			return errors.Join(d.stop(tick), d.gateway.Close())
		}
	}
}

// start has the gateway serve, where a predecessor was if there is one.
func (d *daemon) start() error {
	if d.over == nil {
		return d.gateway.Start()
	}
	h, err := d.over.wait("debts")
	if err != nil {
		return err
	}
	d.gateway.Owe(h.Debts)
	if err := d.gateway.Start(); err != nil {
		return err
	}
	return d.over.serve(d.gateway, d.version)
}

// stop drains the gateway, or gives up at the second signal.
func (d *daemon) stop(tick <-chan time.Time) error {
	d.notify.stopping(d.drain)
	ctx, cancel := context.WithTimeout(context.Background(), d.drain)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- d.gateway.Drain(ctx) }()
	for {
		select {
		case err := <-drained:
			if err != nil {
				return fmt.Errorf("drain: %w", err)
			}
			d.log.Info("drained")
			return nil
		case <-tick:
			d.signOfLife()
		case s := <-d.signals:
			if s != syscall.SIGHUP {
				return fmt.Errorf("drain cut short by a second signal (%s)", s)
			}
		}
	}
}

// reload applies the changed host file. The gateway keeps the old one when the
// new one is wrong or needs a restart.
func (d *daemon) reload() {
	d.notify.reloading()
	defer d.notify.ready("serving")
	host, err := d.load()
	if err == nil {
		err = d.gateway.Reload(host)
	}
	if err != nil {
		d.log.Error("host file not applied; the old one stays in force", "error", err)
		return
	}
	d.drain = host.Timeouts.Drain
	d.log.Info("host file applied")
}

// signOfLife tells the watchdog that the gateway works. While it does not, the
// watchdog hears nothing, and in the end systemd restarts the daemon.
func (d *daemon) signOfLife() {
	if err := d.gateway.Healthy(); err != nil {
		d.log.Error("not healthy; the watchdog is not told otherwise", "error", err)
		d.notify.status("not healthy: " + err.Error())
		return
	}
	d.notify.watchdog()
}
