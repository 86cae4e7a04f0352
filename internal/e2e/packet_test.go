package e2e

import (
	wire "encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/testnet"
)

// segment is a TCP segment over IPv4 to be sent as it is.
type segment struct {
	from, to netip.AddrPort
	flags    byte
	tag      uint16 // VLAN id; 0 for none
}

const (
	flagSYN = 2
	flagACK = 16
)

// frames are the segment in one Ethernet frame or, in fragments, in two.
func (s *segment) frames(source, destination net.HardwareAddr, fragments bool) [][]byte {
	tcp := make([]byte, 20)
	wire.BigEndian.PutUint16(tcp, s.from.Port())
	wire.BigEndian.PutUint16(tcp[2:], s.to.Port())
	wire.BigEndian.PutUint32(tcp[4:], 1000)
	tcp[12], tcp[13], tcp[14] = 5<<4, s.flags, 0xff
	from, to := s.from.Addr().As4(), s.to.Addr().As4()
	pseudo := append(append(append([]byte{}, from[:]...), to[:]...), 0, unix.IPPROTO_TCP, 0, byte(len(tcp)))
	wire.BigEndian.PutUint16(tcp[16:], checksum(append(pseudo, tcp...)))
	frame := func(payload []byte, fragment uint16) []byte {
		ip := make([]byte, 20)
		ip[0], ip[8], ip[9] = 0x45, 64, unix.IPPROTO_TCP
		wire.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(payload)))
		wire.BigEndian.PutUint16(ip[4:], s.from.Port()) // the same of both fragments
		wire.BigEndian.PutUint16(ip[6:], fragment)
		copy(ip[12:], from[:])
		copy(ip[16:], to[:])
		wire.BigEndian.PutUint16(ip[10:], checksum(ip))
		b := append(append([]byte{}, destination...), source...)
		if s.tag != 0 {
			b = wire.BigEndian.AppendUint16(wire.BigEndian.AppendUint16(b, unix.ETH_P_8021Q), s.tag)
		}
		b = wire.BigEndian.AppendUint16(b, unix.ETH_P_IP)
		return append(append(b, ip...), payload...)
	}
	if !fragments {
		return [][]byte{frame(tcp, 0)}
	}
	const more = 1 << 13
	return [][]byte{frame(tcp[:8], more), frame(tcp[8:], 1)}
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(wire.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// tapped is a packet socket on an end.
type tapped struct {
	t   testing.TB
	fd  int
	end *testnet.End
}

func tap(t testing.TB, end *testnet.End) *tapped {
	t.Helper()
	w := &tapped{t: t, end: end}
	all := wire.NativeEndian.Uint16(wire.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
	if err := end.Namespace.Do(func() (err error) {
		if w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return err
		}
		return unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: end.Index})
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(w.fd) })
	return w
}

func (w *tapped) send(frame []byte) {
	if err := unix.Sendto(w.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: w.end.Index}); err != nil {
		w.t.Fatal(err)
	}
}

// said is what a host says in answer.
type said struct {
	synAck, reset bool
	bytes         int // of TCP payload
}

// hear listens for so long to what comes from a port.
func (w *tapped) hear(port uint16, length time.Duration) (heard said) {
	w.t.Helper()
	timeout := unix.NsecToTimeval(int64(20 * time.Millisecond))
	if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		w.t.Fatal(err)
	}
	buf := make([]byte, 2048)
	for end := time.Now().Add(length); time.Now().Before(end); {
		n, from, err := unix.Recvfrom(w.fd, buf, 0)
		if ll, ok := from.(*unix.SockaddrLinklayer); err != nil || ok && ll.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		if n < 54 || wire.BigEndian.Uint16(buf[12:]) != unix.ETH_P_IP || buf[23] != unix.IPPROTO_TCP {
			continue
		}
		ip := buf[14:n]
		tcp := ip[int(ip[0]&15)*4 : wire.BigEndian.Uint16(ip[2:])]
		if wire.BigEndian.Uint16(tcp) != port {
			continue
		}
		heard.synAck = heard.synAck || tcp[13]&(flagSYN|flagACK) == flagSYN|flagACK
		heard.reset = heard.reset || tcp[13]&4 != 0
		heard.bytes += len(tcp) - int(tcp[12]>>4)*4
	}
	return heard
}
