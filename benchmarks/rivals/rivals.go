// Package rivals starts the gateways that are compared, each from a
// configuration written for it: one worker, access logs off, kept-alive
// connections to one backend, on a free port of loopback or of a host of package
// network. All are stopped with their whole family of processes.
package rivals

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/benchmarks/firewall"
	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/procstat"
)

// Names under which samples and figures speak of the rivals.
const (
	TidegateName = "tidegate"
	NginxName    = "nginx"
	HAProxyName  = "haproxy"
	CaddyName    = "caddy"
	VarnishName  = "varnish"
)

// Stage is the first path segment of every address: all APIs are served at it.
const Stage = "prod"

// Site is what every rival is told to serve.
type Site struct {
	Backend     string // host:port of the backend
	Certificate *Certificate
	APIs        []API
	// On is where the rival runs and listens; nil is the host of this process, and
	// its loopback.
	On *network.End
}

// cached says whether answers are to be kept, which is asked of all APIs alike.
func (s Site) cached() bool { return len(s.APIs) > 0 && s.APIs[0].Cached }

// limited says whether nginx has to count the requests of its clients.
func (s Site) limited() bool {
	return slices.ContainsFunc(s.APIs, func(api API) bool { return api.Denied == ByLimit })
}

// API is a set of routes. HAProxy and Caddy hand every request to the backend
// with its path unchanged and ignore it, as does Varnish.
type API struct {
	Name   string
	Routes []Route
	// Key, when set, is what requests must send as X-Api-Key; Tidegate then
	// charges them to limits of every kind, none of which ever denies.
	Key string
	// Cached has the rival keep what the backend answers to GETs for an hour, by
	// the path's parameters. Varnish always does.
	Cached bool
	// WebACL, when set, has Tidegate hold requests against it first.
	WebACL *firewall.ACL
	// Denied has every request refused with 429. Tidegate's stage has a throttle of
	// 0 for it.
	Denied Denial
}

// Denial is how nginx refuses an API's requests. The zero value does not.
type Denial uint8

// Denials.
const (
	ByReturn Denial = 1 + iota // what costs nginx the least: return 429
	ByLimit                    // limit_req, which lets one request a second pass
)

// Route is one method and path, which may hold {name} parameters.
type Route struct {
	Method string
	Path   string // below the stage, such as /pets/{id}
	Target string // path at the backend; empty when the rival answers itself, with SmallBody
}

// Rival is a gateway that can be started.
type Rival struct {
	Name  string
	start func(ctx context.Context, dir string, s Site) (*Server, error)
}

// As returns the rival under another name, as when two of a kind are compared.
func (r Rival) As(name string) Rival {
	r.Name = name
	return r
}

// Server is a started rival.
type Server struct {
	Name        string
	URL         string      // scheme://host:port
	Hosts       []string    // the Host header that reaches each API of the site
	Republisher Republisher // nil unless the rival can serve new routes without a restart

	proc    *process
	on      *network.End // nil: the host of this process
	scratch string       // a folder that is removed when the server has ended; empty for none
}

// Republisher replaces an API of a running server.
type Republisher interface {
	// Put hands the new routes over; they are not served yet.
	Put(ctx context.Context, api API) error
	// Publish asks for the routes of the last Put to be served. When it
	// returns they need not be in effect.
	Publish(ctx context.Context) error
}

// Start starts the rival in a new folder below dir and returns when path
// (which begins with a slash) answers 200.
func (r Rival) Start(ctx context.Context, dir string, s Site, path string) (*Server, error) {
	own, err := os.MkdirTemp(dir, r.Name+"-")
	if err != nil {
		return nil, err
	}
	srv, err := r.start(ctx, own, s)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", r.Name, err)
	}
	srv.Name, srv.on = r.Name, s.On
	if err := srv.waitReady(ctx, path); err != nil {
		srv.Stop()
		return nil, fmt.Errorf("start %s: %w%s", r.Name, err, srv.proc.logTail())
	}
	return srv, nil
}

// Address is the host:port the server listens on.
func (s *Server) Address() string {
	_, address, _ := strings.Cut(s.URL, "://")
	return address
}

// PIDs returns the server's processes: its master and workers. The loader of
// nginx's caches is not among them: it does nothing but end after a minute.
func (s *Server) PIDs() ([]int, error) {
	pids, err := procstat.Tree(s.proc.cmd.Process.Pid)
	return slices.DeleteFunc(pids, func(pid int) bool {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		return err == nil && bytes.Contains(command, []byte("cache loader"))
	}), err
}

// Stop ends the server and waits for it. It may be called more than once.
func (s *Server) Stop() {
	s.proc.stop()
	if s.scratch != "" {
		_ = os.RemoveAll(s.scratch)
	}
}

// readyWithin bounds the start of a rival: Tidegate compiles 10,000 routes in it.
const readyWithin = 20 * time.Second

func (s *Server) waitReady(ctx context.Context, path string) error {
	transport := insecureTransport()
	if s.on != nil {
		transport.DialContext = s.on.Host.Dial
	}
	client := &http.Client{Timeout: 2 * time.Second, Transport: transport}
	defer client.CloseIdleConnections()
	deadline := time.Now().Add(readyWithin)
	for {
		status, err := s.get(ctx, client, path)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("status %d", status)
		}
		switch {
		case s.proc.ended():
			return errors.New("the process ended")
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("%s%s does not answer 200: %w", s.URL, path, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *Server) get(ctx context.Context, client *http.Client, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return 0, err
	}
	if len(s.Hosts) > 0 {
		req.Host = s.Hosts[0]
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// memoryFolder makes a folder in memory, for what a server keeps in files and
// has no need of a disk for, and a link to it. Without such a file system it is
// on disk.
func memoryFolder(link string) (string, error) {
	dir, err := os.MkdirTemp("/dev/shm", "tidegate-bench-")
	if err != nil {
		dir, err = os.MkdirTemp("", "tidegate-bench-")
	}
	if err != nil {
		return "", err
	}
	if err := os.Symlink(dir, link); err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}

// freeAddress returns an address that nobody uses at the moment, on loopback or
// on the host of the site.
func (s Site) freeAddress() (address string, err error) {
	if s.On == nil {
		return freeAddress(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	err = s.On.Host.Do(func() error {
		address, err = freeAddress(s.On.Address)
		return err
	})
	return address, err
}

// freeAddress picks a port below those which Linux gives to clients: the harness
// makes so many connections that one could take the port before the server does.
func freeAddress(ip netip.Addr) (string, error) {
	var lastErr error
	for range 100 {
		address := netip.AddrPortFrom(ip, uint16(10_000+rand.IntN(22_000))).String()
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
		lastErr = err
	}
	return "", fmt.Errorf("no free port: %w", lastErr)
}

// Version returns what the binary says about itself, in one line.
func Version(binary string, args ...string) string {
	path, err := find(binary)
	if err != nil {
		return "not installed"
	}
	out, _ := exec.Command(path, args...).CombinedOutput() // wrk says its version and fails
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimPrefix(line, "nginx version: ")
}
