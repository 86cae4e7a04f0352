package dataplane

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/state"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// New opens the state and makes everything that serves, but no socket. A state
// file that is damaged is moved aside and its copy takes its place, which the
// log, the status and the metrics say until it is acknowledged. It fails if there
// is no copy, or if what is deployed cannot be served under this host file.
func New(host *configs.Host, o Options) (*Gateway, error) {
	g, err := open(host, o)
	var damaged *state.DamagedError
	if !errors.As(err, &damaged) {
		return g, err
	}
	o.Logger.Error("state file is damaged; looking for its copy", "error", damaged.Err, "file", damaged.Path)
	if err := state.FallBack(host.StateDir, damaged); err != nil {
		return nil, err
	}
	return open(host, o)
}

// keepState says what opening the store has found, and has a good copy of it kept
// from now on.
func (g *Gateway) keepState(store *state.Store) {
	if f := store.Fallback(); f != nil {
		g.log.Error("serving from the copy of the state file, for the file was damaged; what was changed after the copy is lost: "+acknowledgeHint,
			"cause", f.Cause, "damaged", f.Damaged, "copied", f.Copied, "since", f.At)
	}
	store.KeepCopy(func(err error) {
		if err == nil {
			if g.copyError.Swap(nil) != nil {
				g.log.Info("state file is copied again")
			}
			return
		}
		if text := err.Error(); g.copyError.Swap(&text) == nil {
			g.log.Error("no copy of the state file could be made; the one before stays, and it is tried again", "error", err)
		}
	})
}

const acknowledgeHint = "deploy again what is missing, then run 'tidegate state acknowledge'"

func (g *Gateway) registerState() {
	g.registry.GaugeFunc(telemetry.StateFallback, func() int64 {
		if g.store.Load().Fallback() != nil {
			return 1
		}
		return 0
	})
	g.registry.GaugeFunc(telemetry.StateCopyFailing, func() int64 {
		if g.copyError.Load() != nil {
			return 1
		}
		return 0
	})
	g.registry.GaugeFunc(telemetry.StateCopied, func() int64 {
		if at := g.store.Load().Copied(); !at.IsZero() {
			return at.Unix()
		}
		return 0
	})
}

func (g *Gateway) stateStatus() *control.StateStatus {
	s := &control.StateStatus{CopyDue: g.store.Load().CopyDue()}
	if at := g.store.Load().Copied(); !at.IsZero() {
		at = at.UTC().Truncate(time.Millisecond)
		s.CopiedAt = &at
	}
	if text := g.copyError.Load(); text != nil {
		s.CopyError = *text
	}
	if f := g.store.Load().Fallback(); f != nil {
		s.Fallback = &control.StateFallback{At: f.At.Truncate(time.Millisecond), Cause: f.Cause, Damaged: f.Damaged, CopiedAt: f.Copied.Truncate(time.Millisecond)}
	}
	return s
}

// AcknowledgeFallback implements control.Gateway.
func (g *Gateway) AcknowledgeFallback() error { return g.store.Load().AcknowledgeFallback() }
