// Package network gives scenarios networks of their own: hosts, which are
// network namespaces without a name, and links between them, which are veth
// pairs. All of it takes root, and vanishes with this process, however that ends.
package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Host is a network namespace with its loopback up, and a view of the file
// system of its own, so that what is mounted for it is seen by nobody else.
// Methods may be called from any goroutine; those that run something inside wait
// for one another.
type Host struct {
	work chan func() // for the thread that is inside
	file *os.File    // of the network namespace
	cpu  int         // AnyCPU for all
}

// AnyCPU is for a host that shares all CPUs with others.
const AnyCPU = -1

// New makes a host, which has to be closed. One of a single CPU is like another
// machine: the programs that [Host.Command] runs have no other, and what comes
// over its links is received on it.
func New(cpu int) (*Host, error) {
	h := &Host{work: make(chan func()), cpu: cpu}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := h.enter()
		entered <- err
		if err != nil {
			return
		}
		for f := range h.work {
			f()
		}
	}()
	if err := <-entered; err != nil {
		return nil, err
	}
	if err := h.IP("link", "set", "lo", "up"); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// enter leaves the namespaces of the process. The thread's own mounts are cut off
// first, as they would otherwise spread to the process's; /sys shows the network
// that it was mounted from.
func (h *Host) enter() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("new network namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	h.file, err = os.Open("/proc/thread-self/ns/net")
	return err
}

// Close ends the host. Processes inside keep its network alive until they end.
func (h *Host) Close() error {
	close(h.work)
	return h.file.Close()
}

// Do runs f inside the host, on its thread. What f starts as a goroutine runs
// outside; sockets and file descriptors that f opens stay inside.
func (h *Host) Do(f func() error) error {
	done := make(chan error)
	h.work <- func() { done <- f() }
	return <-done
}

// Command returns argv as it has to be to run inside the host. The process is the
// program itself, with no other one around it.
func (h *Host) Command(argv ...string) []string {
	enter := []string{"nsenter", "--net=" + h.path(), "--"}
	if h.cpu != AnyCPU {
		enter = append(enter, "taskset", "--cpu-list", strconv.Itoa(h.cpu))
	}
	return append(enter, argv...)
}

// path names the namespace for as long as this process lives.
func (h *Host) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.file.Fd()) }

// Run runs a program inside the host to its end.
func (h *Host) Run(argv ...string) error {
	entered := h.Command(argv...)
	if out, err := exec.Command(entered[0], entered[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// IP runs the ip tool inside the host.
func (h *Host) IP(args ...string) error { return h.Run(append([]string{"ip"}, args...)...) }

// Sysctl writes a setting of the host's network, such as net/ipv4/tcp_tw_reuse.
func (h *Host) Sysctl(name, value string) error {
	return h.Do(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
}

// MountBPF mounts a BPF file system on a folder, for what runs inside by Do.
func (h *Host) MountBPF(dir string) error {
	return h.Do(func() error {
		if err := unix.Mount("bpffs", dir, "bpf", 0, ""); err != nil {
			return fmt.Errorf("mount a BPF file system: %w", err)
		}
		return nil
	})
}

// Dial connects from inside the host to a literal address. It fits
// http.Transport.DialContext.
func (h *Host) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = h.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}
