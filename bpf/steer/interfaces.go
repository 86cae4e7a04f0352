package steer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// interfaces follows which interface has which name in one network namespace,
// by rtnetlink(7). It needs no privilege.
type interfaces struct {
	file  *os.File
	conn  syscall.RawConn
	buf   []byte
	names map[string]int // to index
	by    map[int]string // index to name
	fresh map[int]string // by, while a list is being read
}

// openInterfaces reads the interfaces of the calling thread's namespace.
func openInterfaces() (*interfaces, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	n := &interfaces{file: os.NewFile(uintptr(fd), "rtnetlink"), buf: make([]byte, 64<<10)}
	if n.conn, err = n.file.SyscallConn(); err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK})
	}
	if err == nil {
		err = n.list()
	}
	for err == nil && n.fresh != nil {
		err = n.read()
	}
	if err != nil {
		_ = n.file.Close()
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	return n, nil
}

// list asks for all interfaces; the answer comes among the events.
func (n *interfaces) list() error {
	const length = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg
	request := make([]byte, length)
	binary.NativeEndian.PutUint32(request, length)
	binary.NativeEndian.PutUint16(request[4:], unix.RTM_GETLINK)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	n.fresh = map[int]string{}
	var err error
	if closed := n.conn.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		return err != unix.EAGAIN
	}); closed != nil {
		return closed
	}
	return err
}

// read waits for the next messages and brings names up to date. After an error
// of the kernel's nothing is known; os.ErrClosed is from close.
func (n *interfaces) read() error {
	var length int
	var from unix.Sockaddr
	var err error
	if closed := n.conn.Read(func(fd uintptr) bool {
		length, _, _, from, err = unix.Recvmsg(int(fd), n.buf, nil, 0)
		return err != unix.EAGAIN
	}); closed != nil {
		return closed
	}
	if errors.Is(err, unix.ENOBUFS) { // events were lost
		return n.list()
	}
	if err != nil {
		return err
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return nil // not the kernel
	}
	messages, err := syscall.ParseNetlinkMessage(n.buf[:length])
	if err != nil {
		return err
	}
	for i := range messages {
		if err := n.take(&messages[i]); err != nil {
			return err
		}
	}
	if n.fresh == nil {
		n.names = make(map[string]int, len(n.by))
		for index, name := range n.by {
			n.names[name] = index
		}
	}
	return nil
}

func (n *interfaces) take(m *syscall.NetlinkMessage) error {
	switch m.Header.Type {
	case unix.NLMSG_ERROR:
		if len(m.Data) >= 4 {
			return unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
		}
		return unix.EBADMSG
	case unix.NLMSG_DONE:
		if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
			return n.list()
		}
		n.by, n.fresh = n.fresh, nil
		return nil
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
	default:
		return nil
	}
	// Other families tell of an interface's part in a bridge, and its end.
	if len(m.Data) < unix.SizeofIfInfomsg || m.Data[0] != unix.AF_UNSPEC {
		return nil
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return err
	}
	index := int(int32(binary.NativeEndian.Uint32(m.Data[4:])))
	for _, a := range attributes {
		if a.Attr.Type == unix.IFLA_IFNAME {
			n.set(index, unix.ByteSliceToString(a.Value), m.Header.Type == unix.RTM_NEWLINK)
		}
	}
	return nil
}

func (n *interfaces) set(index int, name string, there bool) {
	for _, by := range []map[int]string{n.by, n.fresh} {
		switch {
		case by == nil:
		case there:
			by[index] = name
		default:
			delete(by, index)
		}
	}
}

// follow calls changed with the names after every change, from one goroutine,
// until close; if the kernel fails it, with none at last.
func (n *interfaces) follow(changed func(names map[string]int, err error)) {
	last := n.names
	for {
		err := n.read()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			changed(nil, fmt.Errorf("follow the interfaces: %w", err))
			return
		}
		if n.fresh == nil && !maps.Equal(last, n.names) {
			last = n.names
			changed(last, nil)
		}
	}
}

func (n *interfaces) close() { _ = n.file.Close() }
