package testnet

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// End is one end of a veth pair.
type End struct {
	Namespace *Namespace
	Name      string // of the interface
	Index     int
	MAC       net.HardwareAddr
	IPv4      netip.Addr // in 10.77.<subnet>.0/24
	IPv6      netip.Addr // in fd77:0:0:<subnet>::/64
}

// Connect joins two namespaces by a veth pair, both ends up and addressed: a
// gets .1 and ::1 of the subnet, b gets .2 and ::2. Every pair of a test takes
// a subnet of its own; the interfaces are called veth<subnet>.
func Connect(a, b *Namespace, subnet uint8) (ea, eb *End) {
	a.t.Helper()
	name := fmt.Sprintf("veth%d", subnet)
	a.IP("link", "add", name, "type", "veth", "peer", "name", name, "netns", b.Path())
	ea, eb = a.address(name, subnet, 1), b.address(name, subnet, 2)
	ea.waitUp()
	eb.waitUp()
	return ea, eb
}

// waitUp returns when the kernel has noticed that the other end is there, which
// takes it up to a second, and longer when it is busy.
func (e *End) waitUp() {
	n := e.Namespace
	n.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		out, err := n.Run("ip", "-brief", "link", "show", "dev", e.Name)
		if fields := strings.Fields(out); err == nil && len(fields) > 1 && fields[1] == "UP" {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("%s does not come up: %s, %v", e.Name, out, err)
		}
	}
}

func (n *Namespace) address(name string, subnet, host uint8) *End {
	n.t.Helper()
	e := &End{
		Namespace: n, Name: name,
		IPv4: netip.AddrFrom4([4]byte{10, 77, subnet, host}),
		IPv6: netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x77, 7: subnet, 15: host}),
	}
	n.IP("addr", "add", e.IPv4.String()+"/24", "dev", name)
	// Without duplicate address detection the address is usable at once.
	n.IP("addr", "add", e.IPv6.String()+"/64", "dev", name, "nodad")
	n.IP("link", "set", name, "up")
	if err := n.Do(func() error {
		i, err := net.InterfaceByName(name)
		if err == nil {
			e.Index, e.MAC = i.Index, i.HardwareAddr
		}
		return err
	}); err != nil {
		n.t.Fatal(err)
	}
	return e
}

// Pair makes two namespaces joined by a veth pair: one for clients, one for the
// host under test.
func Pair(t testing.TB) (client, host *End) {
	t.Helper()
	return Connect(New(t), New(t), 1)
}

// The ethtool command that switches checksum offload, of linux/ethtool.h.
const ethtoolSetTxChecksum = 0x17

// SendChecksums makes the end compute the checksums of what it sends and check
// those of what it gets. A veth pair otherwise leaves them out, and a wrong one
// would go unseen.
func (e *End) SendChecksums() {
	n := e.Namespace
	n.t.Helper()
	if err := n.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		off := struct{ command, value uint32 }{command: ethtoolSetTxChecksum}
		request := struct {
			name [unix.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [16]byte
		}{data: unsafe.Pointer(&off)}
		copy(request.name[:], e.Name)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return fmt.Errorf("switch checksum offload of %s off: %w", e.Name, errno)
		}
		return nil
	}); err != nil {
		n.t.Fatal(err)
	}
}
