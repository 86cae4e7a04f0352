package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/need"
)

func host(t *testing.T) *Host {
	t.Helper()
	need.Root(t)
	need.Tool(t, "ip")
	h, err := New(AnyCPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func TestConnect(t *testing.T) {
	a, b := host(t), host(t)
	ea, eb, err := Connect(a, b, 7)
	if err != nil {
		t.Fatal(err)
	}
	if ea.Interface != "veth7" || ea.Address.String() != "10.78.7.1" || eb.Address.String() != "10.78.7.2" {
		t.Errorf("ends %+v and %+v", ea, eb)
	}
	address := netip.AddrPortFrom(eb.Address, 80).String()
	var l net.Listener
	if err := b.Do(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := a.Dial(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.RemoteAddr().String(); got != address {
		t.Errorf("connected to %s", got)
	}
	conn.Close()
	if _, err := host(t).Dial(ctx, "tcp", address); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("from a host without a link: %v", err)
	}
	if _, err := a.Dial(ctx, "tcp", netip.AddrPortFrom(eb.Address, 81).String()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a port without a listener: %v", err)
	}
}

// A program runs inside as the very process that was started.
func TestCommand(t *testing.T) {
	h := host(t)
	argv := h.Command("sh", "-c", "echo $$; exec ip -brief link")
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, links, _ := strings.Cut(string(out), "\n")
	if want := strconv.Itoa(cmd.Process.Pid); pid != want {
		t.Errorf("process %s, want %s", pid, want)
	}
	if lines := strings.Split(strings.TrimSpace(links), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], "lo") {
		t.Errorf("a new host has %q, want lo alone", links)
	}
	if err := h.Run("sh", "-c", "echo broken >&2; exit 3"); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("a program that fails: %v", err)
	}
}

func TestHostOfOneCPU(t *testing.T) {
	need.Root(t)
	need.Tool(t, "ip")
	h, err := New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, _, err := Connect(host(t), h, 3); err != nil {
		t.Fatal(err)
	}
	argv := h.Command("grep", "Cpus_allowed_list", "/proc/self/status")
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if f := strings.Fields(string(out)); err != nil || len(f) != 2 || f[1] != "0" {
		t.Errorf("programs run on %q, %v", out, err)
	}
	var mask []byte
	if err := h.Do(func() (err error) {
		mask, err = os.ReadFile("/sys/class/net/veth3/queues/rx-0/rps_cpus")
		return err
	}); err != nil || strings.Trim(string(mask), "0,\n") != "1" {
		t.Errorf("packets are received on %q, %v", mask, err)
	}
}

// What is mounted for a host is not seen by the process, and a setting of the
// host is not the process's.
func TestHostIsApart(t *testing.T) {
	h := host(t)
	dir := t.TempDir()
	if err := h.MountBPF(dir); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "made")
	if err := h.Do(func() error { return os.Mkdir(made, 0o700) }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(made); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is pinned for the host is seen outside: %v", err)
	}
	const name = "net/ipv4/ip_default_ttl"
	before, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Sysctl(name, "33"); err != nil {
		t.Fatal(err)
	}
	var inside []byte
	if err := h.Do(func() (err error) { inside, err = os.ReadFile("/proc/sys/" + name); return err }); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if string(inside) != "33\n" || string(after) != string(before) {
		t.Errorf("inside %q, outside %q, before %q", inside, after, before)
	}
}
