package gate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// The kernel's structures hold network byte order; Go sees their fields as
// numbers of the host's.

func native16(b [2]byte) uint16 { return binary.NativeEndian.Uint16(b[:]) }

func networkPort(port uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], port)
	return native16(b)
}

// words returns an address as the program reads it, IPv4 in the first word.
func words(a netip.Addr) (w [4]uint32) {
	if a.Is4() {
		b := a.As4()
		w[0] = binary.NativeEndian.Uint32(b[:])
		return w
	}
	b := a.As16()
	for i := range w {
		w[i] = binary.NativeEndian.Uint32(b[4*i:])
	}
	return w
}

// address undoes words.
func address(w [4]uint32, is4 bool) netip.Addr {
	var b [16]byte
	for i := range w {
		binary.NativeEndian.PutUint32(b[4*i:], w[i])
	}
	if is4 {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16(b)
}

// now returns the program's clock, CLOCK_MONOTONIC, in nanoseconds.
func now() (uint64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, fmt.Errorf("read the monotonic clock: %w", err)
	}
	return uint64(t.Nano()), nil
}

// left returns how long it is from now until then.
func left(now, then uint64) time.Duration { return time.Duration(int64(then - now)) }

// batch is how many entries a system call moves.
const batch = 1 << 15

// each calls f with every entry of a map.
func each[K, V any](m *ebpf.Map, f func(K, V)) error {
	keys, values := make([]K, batch), make([]V, batch)
	var cursor ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		for i := range n {
			f(keys[i], values[i])
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil // all seen
		}
		if err != nil {
			return fmt.Errorf("read map %s: %w", m, err)
		}
	}
}

// ErrFull says that a map of the gate holds as much as it may. Nothing was
// changed; userspace has to refuse by itself what did not fit.
var ErrFull = errors.New("the kernel gate is full: raise its limits or shorten its lists")

// full turns the kernel's words for a full map into ErrFull.
func full(err error) error {
	if errors.Is(err, unix.E2BIG) || errors.Is(err, unix.ENOSPC) {
		return ErrFull
	}
	return err
}
