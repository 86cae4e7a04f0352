package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// DefaultAdminAddress is where the admin listener is unless the host file says
// otherwise. What it shows is not for the public: it stays on loopback.
const DefaultAdminAddress = "127.0.0.1:9090"

// Limits of the admin listener.
const (
	adminHeaderTimeout = 5 * time.Second
	adminReadTimeout   = 10 * time.Second
	adminWriteTimeout  = 30 * time.Second
	adminIdleTimeout   = 2 * time.Minute // longer than a usual scrape interval
	adminHeaderBytes   = 8 << 10
	adminConnections   = 64
)

// AdminOptions configures an AdminServer. All fields are needed.
type AdminOptions struct {
	Metrics *Registry
	Healthy func() error // nil: the process works (/healthz)
	Ready   func() error // nil: send it traffic (/readyz); an error while it starts or drains
	Logger  *slog.Logger
}

// AdminServer serves /metrics, /healthz and /readyz on a listener of its own,
// apart from the event loops, so that it answers when they are busy.
type AdminServer struct {
	server *http.Server
	open   atomic.Int64
}

// NewAdminServer makes an AdminServer; Serve starts it.
func NewAdminServer(o AdminOptions) *AdminServer {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", o.Metrics.Handler())
	mux.HandleFunc("GET /healthz", check(o.Healthy))
	mux.HandleFunc("GET /readyz", check(o.Ready))
	s := &AdminServer{}
	s.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: adminHeaderTimeout,
		ReadTimeout:       adminReadTimeout,
		WriteTimeout:      adminWriteTimeout,
		IdleTimeout:       adminIdleTimeout,
		MaxHeaderBytes:    adminHeaderBytes,
		ConnState:         s.limit,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelWarn),
	}
	return s
}

// Serve accepts connections until Shutdown, which makes it return nil. It
// closes the listener.
func (s *AdminServer) Serve(ln net.Listener) error {
	if err := s.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin listener %s: %w", ln.Addr(), err)
	}
	return nil
}

// Shutdown stops accepting, lets the running requests finish until ctx is done,
// and then cuts off what is left.
func (s *AdminServer) Shutdown(ctx context.Context) error {
	err := s.server.Shutdown(ctx)
	if err != nil {
		s.server.Close()
		return fmt.Errorf("admin listener: %w", err)
	}
	return nil
}

// limit closes connections beyond adminConnections.
func (s *AdminServer) limit(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.open.Add(1) > adminConnections {
			conn.Close()
		}
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
}

// check answers 200 "ok", or 503 with the reason.
func check(state func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := state(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}
