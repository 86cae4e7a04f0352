package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// upgradeRequest is somebody's wish that the daemon be replaced.
type upgradeRequest struct {
	result chan upgradeResult // takes one without waiting
}

type upgradeResult struct {
	successor control.Successor
	err       error
}

// askForUpgrade has the daemon replaced, and waits until another serves.
func askForUpgrade(ctx context.Context, upgrades chan<- *upgradeRequest) (control.Successor, error) {
	u := &upgradeRequest{make(chan upgradeResult, 1)}
	select {
	case upgrades <- u:
	case <-ctx.Done():
		return control.Successor{}, errors.New("the daemon is busy with another upgrade, or is stopping")
	}
	r := <-u.result
	return r.successor, r.err
}

// upgrade starts the successor, and tells who asked, who may be nobody. It is nil
// if there is none, and then everything is as it was.
func (d *daemon) upgrade(u *upgradeRequest, tick <-chan time.Time) *pair {
	d.notify.status("handing over")
	d.log.Info("starting the successor", "program", d.program.path)
	var s *successor
	var p *pair
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		s, p, err = handOver(d.gateway, d.program.path, d.config)
	}()
	for waiting := true; waiting; {
		select {
		case <-tick: // that takes longer than the watchdog waits
			d.signOfLife()
		case <-done:
			waiting = false
		}
	}
	if err != nil {
		d.log.Error("not replaced; this process goes on", "error", err)
		d.notify.status("serving")
		err = fmt.Errorf("not replaced, the running process goes on: %w", err)
	} else {
		d.log.Info("the successor serves", "pid", s.PID, "version", s.Version)
		d.notify.mainPID(s.PID)
	}
	if u != nil {
		r := upgradeResult{err: err}
		if s != nil {
			r.successor = control.Successor{PID: s.PID, Version: s.Version}
		}
		u.result <- r
	}
	return p
}

// retire serves what is connected here to its end, while the successor is told
// what is counted. A signal cuts that short.
func (d *daemon) retire(p *pair) error {
	ctx, cancel := context.WithTimeout(context.Background(), d.drain)
	defer cancel()
	served, told := make(chan struct{}), make(chan struct{})
	go func() {
		p.tellLate(d.gateway, served)
		close(told)
	}()
	retired := make(chan error, 1)
	go func() { retired <- d.gateway.Retire(ctx) }()
	for {
		select {
		case err := <-retired:
			if d.over != nil { // what its predecessor counts is told through this one
				select {
				case <-d.over.told:
				case <-ctx.Done():
				}
			}
			close(served)
			<-told
			if err != nil {
				return fmt.Errorf("serve to the end: %w", err)
			}
			d.log.Info("all is served; the successor has the rest")
			return nil
		case s := <-d.signals:
			if s != syscall.SIGHUP {
				cancel()
			}
		}
	}
}

// program is the file that this process runs.
type program struct {
	path string
	was  os.FileInfo // nil if it cannot be known
}

func thisProgram() (p program) {
	p.path, _ = os.Executable()
	p.was, _ = os.Stat(p.path)
	return p
}

// changed reports whether another program is at the path by now.
func (p *program) changed() bool {
	now, err := os.Stat(p.path)
	return err == nil && p.was != nil && (!os.SameFile(now, p.was) || !now.ModTime().Equal(p.was.ModTime()) || now.Size() != p.was.Size())
}
