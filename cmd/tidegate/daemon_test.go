package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
)

// fakeGateway records what the daemon asks of it.
type fakeGateway struct {
	mu       sync.Mutex
	calls    []string
	startErr error
	reload   error
	sick     error
	drain    func(context.Context) error
}

func (g *fakeGateway) note(call string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, call)
}

func (g *fakeGateway) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.calls)
}

func (g *fakeGateway) Start() error               { g.note("start"); return g.startErr }
func (g *fakeGateway) Reload(*configs.Host) error { g.note("reload"); return g.reload }
func (g *fakeGateway) Close() error               { g.note("close"); return nil }
func (g *fakeGateway) Healthy() error             { return g.sick }
func (g *fakeGateway) Drain(ctx context.Context) error {
	g.note("drain")
	if g.drain != nil {
		return g.drain(ctx)
	}
	return nil
}

func (g *fakeGateway) Sockets() ([]dataplane.Socket, error) { g.note("sockets"); return nil, nil }
func (g *fakeGateway) Release() error                       { g.note("release"); return nil }
func (g *fakeGateway) Reclaim() error                       { g.note("reclaim"); return nil }
func (g *fakeGateway) Debts() dataplane.Debts               { g.note("debts"); return dataplane.Debts{} }
func (g *fakeGateway) LateDebts() dataplane.Debts           { return dataplane.Debts{} }
func (g *fakeGateway) TakeLate() []dataplane.Late           { return nil }
func (g *fakeGateway) Owe(dataplane.Debts)                  { g.note("owe") }
func (g *fakeGateway) AddLate([]dataplane.Late)             { g.note("late") }
func (g *fakeGateway) Retire(context.Context) error         { g.note("retire"); return nil }

// manager is a service manager that listens on a notify socket.
type manager struct{ *net.UnixConn }

func newManager(t *testing.T) (manager, notifier) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{conn}, newNotifier(func(string) string { return path })
}

// expect reads one message and checks its start.
func (m manager) expect(t *testing.T, want string) {
	t.Helper()
	buf := make([]byte, 1024)
	if err := m.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := m.Read(buf)
	if err != nil {
		t.Fatalf("waiting for %q: %v", want, err)
	}
	if got := string(buf[:n]); !strings.HasPrefix(got, want) {
		t.Errorf("message %q, want %q", got, want)
	}
}

func startDaemon(t *testing.T, g *fakeGateway, d *daemon) (chan<- os.Signal, <-chan error) {
	t.Helper()
	signals, result := make(chan os.Signal, 4), make(chan error, 1)
	d.gateway, d.signals = g, signals
	d.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	if d.drain == 0 {
		d.drain = 5 * time.Second
	}
	go func() { result <- d.serve() }()
	return signals, result
}

func TestDaemonTellsSystemdAndStops(t *testing.T) {
	m, n := newManager(t)
	g := &fakeGateway{}
	signals, result := startDaemon(t, g, &daemon{notify: n, load: func() (*configs.Host, error) { return configs.Defaults(), nil }})
	m.expect(t, "READY=1")
	signals <- syscall.SIGHUP
	m.expect(t, "RELOADING=1\nMONOTONIC_USEC=")
	m.expect(t, "READY=1")
	signals <- syscall.SIGTERM
	m.expect(t, "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=35000000")
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if want := []string{"start", "reload", "drain", "close"}; !slices.Equal(g.seen(), want) {
		t.Errorf("calls %v, want %v", g.seen(), want)
	}
}

func TestDaemonKeepsServingAfterBadReload(t *testing.T) {
	m, n := newManager(t)
	g := &fakeGateway{}
	signals, result := startDaemon(t, g, &daemon{notify: n, load: func() (*configs.Host, error) { return nil, errors.New("line 3") }})
	m.expect(t, "READY=1")
	signals <- syscall.SIGHUP
	m.expect(t, "RELOADING=1")
	m.expect(t, "READY=1")
	if slices.Contains(g.seen(), "reload") {
		t.Error("a host file that does not load reached the gateway")
	}
	signals <- syscall.SIGINT
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

func TestDaemonWatchdog(t *testing.T) {
	m, n := newManager(t)
	signals, result := startDaemon(t, &fakeGateway{}, &daemon{notify: n, watchdog: 10 * time.Millisecond})
	m.expect(t, "READY=1")
	m.expect(t, "WATCHDOG=1")
	m.expect(t, "WATCHDOG=1")
	signals <- syscall.SIGTERM
	<-result

	m, n = newManager(t)
	signals, result = startDaemon(t, &fakeGateway{sick: errors.New("poller 1 hangs")}, &daemon{notify: n, watchdog: 10 * time.Millisecond})
	m.expect(t, "READY=1")
	m.expect(t, "STATUS=not healthy: poller 1 hangs")
	signals <- syscall.SIGTERM
	<-result
}

func TestDaemonSecondSignalExitsAtOnce(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	g := &fakeGateway{drain: func(context.Context) error { <-release; return nil }}
	signals, result := startDaemon(t, g, &daemon{})
	signals <- syscall.SIGTERM
	for !slices.Contains(g.seen(), "drain") {
		time.Sleep(time.Millisecond)
	}
	signals <- syscall.SIGHUP // does not count
	signals <- syscall.SIGTERM
	if err := <-result; err == nil || !strings.Contains(err.Error(), "second signal") {
		t.Errorf("error %v", err)
	}
}

func TestDaemonDrainIsBounded(t *testing.T) {
	g := &fakeGateway{drain: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	signals, result := startDaemon(t, g, &daemon{drain: 20 * time.Millisecond})
	signals <- syscall.SIGTERM
	if err := <-result; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestDaemonStartFailureCloses(t *testing.T) {
	g := &fakeGateway{startErr: errors.New("address in use")}
	_, result := startDaemon(t, g, &daemon{})
	if err := <-result; err == nil || !strings.Contains(err.Error(), "address in use") {
		t.Errorf("error %v", err)
	}
	if want := []string{"start", "close"}; !slices.Equal(g.seen(), want) {
		t.Errorf("calls %v, want %v", g.seen(), want)
	}
}

func TestWatchdogInterval(t *testing.T) {
	own := fmt.Sprint(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0}, {"10000000", "", 5 * time.Second}, {"10000000", own, 5 * time.Second},
		{"10000000", "1", 0}, {"-1", "", 0}, {"soon", "", 0},
	} {
		vars := map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid}
		if got := watchdogInterval(func(k string) string { return vars[k] }); got != c.want {
			t.Errorf("WATCHDOG_USEC=%q WATCHDOG_PID=%q: %v, want %v", c.usec, c.pid, got, c.want)
		}
	}
}

func TestInheritedRefusals(t *testing.T) {
	listeners := []configs.Listener{{Name: "public"}}
	for _, c := range []struct{ pid, fds, names, want string }{
		{"1", "1", "public", ""}, // meant for another process
		{"self", "x", "", "not a count"},
		{"self", "1", "", "has no name"},
		{"self", "1", "other", "no listener of that name"},
	} {
		vars := map[string]string{"LISTEN_PID": c.pid, "LISTEN_FDS": c.fds, "LISTEN_FDNAMES": c.names}
		if c.pid == "self" {
			vars["LISTEN_PID"] = fmt.Sprint(os.Getpid())
		}
		files, err := inherited(func(k string) string { return vars[k] }, listeners)
		if len(files) > 0 {
			t.Errorf("%v: files %v", c, files)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: error %v, want %q", c, err, c.want)
		}
	}
}
