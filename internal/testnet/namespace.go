package testnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace of its own with its loopback up. It lasts
// until the test ends or, should the test be killed, until its process does.
// All methods may be called from any goroutine.
type Namespace struct {
	t    testing.TB
	file *os.File
}

// New makes an empty namespace.
func New(t testing.TB) *Namespace {
	t.Helper()
	need.Root(t)
	need.Tool(t, "ip")
	n := &Namespace{t: t}
	err := onThread(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		n.file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.file.Close() })
	n.IP("link", "set", "lo", "up")
	return n
}

// Do runs f inside the namespace, on an operating system thread of its own.
// What f starts as a goroutine runs outside; sockets and file descriptors that
// f opens stay inside for as long as they live.
func (n *Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := n.enter(); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return f()
	})
}

// enter may come late, when a client still dials as its test ends.
func (n *Namespace) enter() error {
	file, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	entered := errors.New("it is gone")
	return errors.Join(file.Control(func(fd uintptr) { entered = unix.Setns(int(fd), unix.CLONE_NEWNET) }), entered)
}

// onThread runs f on a thread that ends with it, so that no other goroutine
// inherits the namespace f entered.
func onThread(f func() error) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		failed <- f()
	}()
	return <-failed
}

// Fd returns the descriptor of the namespace, for link.AttachNetNs. The
// namespace keeps owning it.
func (n *Namespace) Fd() int { return int(n.file.Fd()) }

// Path returns a path that names the namespace while the test process lives.
func (n *Namespace) Path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd())
}

// Run runs a program inside the namespace and returns what it wrote, standard
// output and error together.
func (n *Namespace) Run(name string, args ...string) (string, error) {
	return n.RunContext(context.Background(), name, args...)
}

// RunContext is Run for a program that is killed when ctx ends.
func (n *Namespace) RunContext(ctx context.Context, name string, args ...string) (string, error) {
	var out []byte
	err := n.Do(func() (err error) {
		out, err = exec.CommandContext(ctx, name, args...).CombinedOutput()
		return err
	})
	if err != nil {
		err = fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), err
}

// IP runs the ip tool inside the namespace; its failure ends the test.
func (n *Namespace) IP(args ...string) {
	n.t.Helper()
	if out, err := n.Run(need.Tool(n.t, "ip"), args...); err != nil {
		n.t.Fatalf("%v: %s", err, out)
	}
}

// Sysctl writes a setting of the namespace, such as net/ipv4/tcp_timestamps.
func (n *Namespace) Sysctl(name, value string) {
	n.t.Helper()
	if err := n.Do(func() error {
		return os.WriteFile("/proc/sys/"+name, []byte(value), 0)
	}); err != nil {
		n.t.Fatal(err)
	}
}

// Listen opens a TCP listener inside the namespace, until the test ends.
// Its address must be literal, and so must those of Dial.
func (n *Namespace) Listen(network, address string) net.Listener {
	n.t.Helper()
	var l net.Listener
	err := n.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { l.Close() })
	return l
}

// Dial connects from inside the namespace. It fits http.Transport.DialContext.
func (n *Namespace) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}
