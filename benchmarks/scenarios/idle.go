package scenarios

import (
	"context"
	"fmt"
	"syscall"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/procstat"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

const (
	idleConnections = 15_000
	idleDescriptors = 18_000 // those, and upstream connections, listeners, files
)

// idle starts every server anew in each round: what a gateway keeps from
// earlier connections would hide what the next ones cost.
func idle(ctx context.Context, b *bench) ([]report.Figure, error) {
	if err := raiseDescriptors(); err != nil {
		return nil, err
	}
	err := interleave(ctx, b, []rivals.Rival{b.tidegate, rivals.Nginx}, func(r rivals.Rival) string { return r.Name },
		func(_ int, r rivals.Rival) (map[string]float64, error) { return b.rest(ctx, r) })
	return []report.Figure{
		report.Median("bytes_per_conn", b.samples, "bytes_per_conn", b.tidegate.Name),
		report.Median("bytes_per_conn_nginx", b.samples, "bytes_per_conn", rivals.NginxName),
	}, err
}

// rest measures a fresh server before its connections and after they have
// rested for the window.
func (b *bench) rest(ctx context.Context, r rivals.Rival) (map[string]float64, error) {
	const path = "/prod/small"
	srv, err := b.start(ctx, r, standard(b.backend), path)
	if err != nil {
		return nil, err
	}
	defer srv.Stop()
	if err := pause(ctx, b.settle); err != nil {
		return nil, err
	}
	before, err := memory(srv)
	if err != nil {
		return nil, err
	}
	held, err := load.Hold{Address: srv.Address(), Path: path, Connections: idleConnections}.Start(ctx)
	if err != nil {
		return nil, err
	}
	pauseErr := pause(ctx, b.window)
	after, memoryErr := memory(srv)
	s, err := held.Release()
	for _, err := range []error{pauseErr, memoryErr, err} {
		if err != nil {
			return nil, err
		}
	}
	if s.Open != idleConnections {
		return nil, fmt.Errorf("%d of %d idle connections were closed", idleConnections-s.Open, idleConnections)
	}
	return map[string]float64{
		"bytes_per_conn":      float64(after-before) / idleConnections,
		"memory_before_bytes": float64(before),
		"memory_after_bytes":  float64(after),
	}, nil
}

func memory(s *rivals.Server) (int64, error) {
	pids, err := s.PIDs()
	if err != nil {
		return 0, err
	}
	return procstat.UserMemory(pids)
}

// raiseDescriptors raises the limit of open files, for the processes that are
// started from here too, as far as it may.
func raiseDescriptors() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if l.Max < idleDescriptors {
		return fmt.Errorf("the limit of open files is %d and %d are needed: raise it (ulimit -Hn %d)", l.Max, idleDescriptors, idleDescriptors)
	}
	// Setting it, even to what it is, makes Go hand it on to child processes.
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	return nil
}
