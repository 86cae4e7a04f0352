package gate

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Mode is how an interface runs the program.
type Mode uint8

// Modes. Generic works on every interface, later and slower: the kernel has
// made a socket buffer of the packet by then.
const (
	Auto Mode = iota // native where the driver can
	Native
	Generic
)

func (m Mode) String() string {
	return [...]string{"none", "native", "generic"}[m]
}

type attached struct {
	name  string
	index int
	link  link.Link
}

// linkPrefix and the index name a pinned link; the file system takes no dots,
// which names of VLAN interfaces have.
const linkPrefix = "link-"

func (g *Gate) linkPath(index int) string {
	return filepath.Join(g.dir, linkPrefix+strconv.Itoa(index))
}

// attach puts the program on an interface, in place of before if the gate is
// there already. undo goes back.
func (g *Gate) attach(name string, mode Mode, before *ebpf.Program) (a *attached, undo func(), err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, nil, &Unavailable{Missing: []string{"interface " + name}, Interface: name}
	}
	path := g.linkPath(i.Index)
	a = &attached{name: name, index: i.Index}
	if a.link = pinnedLink(path, i.Index); a.link != nil {
		if err := a.link.Update(g.objects.Gate); err != nil {
			a.link.Close()
			return nil, nil, fmt.Errorf("replace the gate on %s: %w", name, err)
		}
		undo = func() {
			if before != nil {
				a.link.Update(before)
			}
		}
		return a, undo, g.verify(a)
	}
	if a.link, err = g.attachNew(i, mode); err != nil {
		return nil, nil, err
	}
	undo = func() {
		a.link.Detach()
		os.Remove(path)
	}
	if err := a.link.Pin(path); err != nil {
		undo()
		a.link.Close()
		return nil, nil, fmt.Errorf("pin the gate's link to %s: %w", name, err)
	}
	return a, undo, g.verify(a)
}

// pinnedLink returns the link of an earlier process, or nil. The pin of one whose
// interface is gone is removed.
func pinnedLink(path string, index int) link.Link {
	l, err := link.LoadPinnedLink(path, nil)
	if err != nil {
		return nil
	}
	if info, err := l.Info(); err == nil && info.XDP() != nil && int(info.XDP().Ifindex) == index {
		return l
	}
	l.Close()
	os.Remove(path)
	return nil
}

func (g *Gate) attachNew(i *net.Interface, mode Mode) (link.Link, error) {
	try := func(flags link.XDPAttachFlags) (link.Link, error) {
		return link.AttachXDP(link.XDPOptions{Program: g.objects.Gate, Interface: i.Index, Flags: flags})
	}
	// A veth drops what its program sends back unless the peer polls (NAPI).
	if mode == Native || mode == Auto && driver(i.Name) != "veth" {
		l, err := try(link.XDPDriverMode)
		if err == nil || mode == Native || busy(err) {
			return l, attachError(i.Name, err)
		}
	}
	l, err := try(link.XDPGenericMode)
	return l, attachError(i.Name, err)
}

func busy(err error) bool { return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EEXIST) }

// attachError never asks to replace another's program: an interface takes one.
func attachError(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case busy(err):
		return &Unavailable{Missing: []string{"interface " + name + " free of other XDP programs (ip link show " + name + ")"}, Interface: name}
	default:
		return refused("attach the gate to "+name, err)
	}
}

// driver returns the name of the interface's driver, or "".
func driver(name string) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, name)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Driver[:])
}

// verify makes sure that the link runs our program and no other of its name.
func (g *Gate) verify(a *attached) error {
	ours, err := g.objects.Gate.Info()
	if err != nil {
		return fmt.Errorf("ask for the gate's program: %w", err)
	}
	id, ok := ours.ID()
	info, err := a.link.Info()
	if err != nil {
		return fmt.Errorf("ask for the gate's link to %s: %w", a.name, err)
	}
	if ok && info.Program != id {
		return fmt.Errorf("interface %s runs program %d instead of %d, tag %s", a.name, info.Program, id, ours.Tag)
	}
	return nil
}

// detachOthers ends the links of interfaces that are no longer asked for.
func (g *Gate) detachOthers() error {
	files, err := os.ReadDir(g.dir)
	if err != nil {
		return fmt.Errorf("list the gate's links: %w", err)
	}
	for _, file := range files {
		digits, ok := strings.CutPrefix(file.Name(), linkPrefix)
		index, err := strconv.Atoi(digits)
		if !ok || err != nil || g.links[index] != nil {
			continue
		}
		path := filepath.Join(g.dir, file.Name())
		if l := pinnedLink(path, index); l != nil {
			err := errors.Join(l.Detach(), os.Remove(path), l.Close())
			if err != nil {
				return fmt.Errorf("detach the gate from interface %d: %w", index, err)
			}
		}
	}
	return nil
}
