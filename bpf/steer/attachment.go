package steer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

var (
	// ErrBusy is from Open while another process steers from the same folder.
	ErrBusy = errors.New("another process steers here; stop it or choose another folder")

	// ErrForeign is from Open and Set where what is attached is not what this
	// package pinned, so that it is not replaced.
	ErrForeign = errors.New("not the program that was pinned here; remove the folder if nothing else needs it")
)

// What the folder holds. The link keeps its program attached when the process
// is gone, and the program its maps. The program is pinned so that the next
// process can tell that the link still has it: finding a program by its number
// would take CAP_SYS_ADMIN.
const (
	pinLink    = "link"
	pinProgram = "program"
	pinNext    = "next" // no dots on a BPF file system
)

// attachment is the program in force in one network namespace, and its pins.
// The folder is locked while it is open.
type attachment struct {
	folder    string
	lock      *os.File
	namespace *os.File
	link      *link.NetNsLink // nil before the first publish on this host
	program   *ebpf.Program   // in force; nil with link
}

// openAttachment takes over what a process before left in the folder.
func openAttachment(folder string) (_ *attachment, err error) {
	a := &attachment{folder: folder}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of pins: %w", err)
	}
	if a.lock, err = os.Open(folder); err != nil {
		return nil, fmt.Errorf("open the folder of pins: %w", err)
	}
	if err := unix.Flock(int(a.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", folder, ErrBusy)
	} else if err != nil {
		return nil, fmt.Errorf("lock %s: %w", folder, err)
	}
	if a.namespace, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return nil, fmt.Errorf("open the network namespace: %w", err)
	}
	if err := a.adopt(); err != nil {
		return nil, fmt.Errorf("%s: %w", a.path(pinLink), err)
	}
	return a, nil
}

func (a *attachment) path(name string) string { return filepath.Join(a.folder, name) }

func (a *attachment) adopt() error {
	pinned, err := link.LoadPinnedLink(a.path(pinLink), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	l, ok := pinned.(*link.NetNsLink)
	if !ok {
		_ = pinned.Close()
		return ErrForeign
	}
	a.link = l
	info, err := l.Info()
	if err != nil {
		return err
	}
	here, err := a.namespace.Stat()
	if err != nil {
		return err
	}
	switch inode := info.NetNs().NetnsInode; {
	case inode == 0: // its namespace has ended, and the link with it
		return a.remove()
	case uint64(inode) != here.Sys().(*syscall.Stat_t).Ino:
		return errors.New("it is for another network namespace; choose another folder")
	}
	// The process before may have ended between an update and the rename.
	for _, name := range []string{pinProgram, pinNext} {
		p, err := ebpf.LoadPinnedProgram(a.path(name), nil)
		if err != nil {
			continue
		}
		if is, err := p.Info(); err == nil {
			if id, ok := is.ID(); ok && id == info.Program {
				a.program = p
				return nil
			}
		}
		_ = p.Close()
	}
	return ErrForeign
}

// publish puts a program in force by one switch: every lookup runs the one
// before, or this one. It keeps a copy of p.
func (a *attachment) publish(p *ebpf.Program) (err error) {
	next, err := p.Clone()
	if err != nil {
		return fmt.Errorf("copy the program: %w", err)
	}
	_ = os.Remove(a.path(pinNext))
	if err := next.Pin(a.path(pinNext)); err != nil {
		_ = next.Close()
		return fmt.Errorf("pin the program: %w", err)
	}
	if a.link == nil {
		a.link, err = a.attach(next)
	} else {
		err = a.update(next)
	}
	if err != nil {
		_ = os.Remove(a.path(pinNext))
		_ = next.Close()
		return err
	}
	if a.program != nil {
		_ = a.program.Close()
	}
	a.program = next
	// Should this fail, the program is in force all the same, and adopt looks at
	// both names.
	_ = os.Rename(a.path(pinNext), a.path(pinProgram))
	return nil
}

func (a *attachment) attach(p *ebpf.Program) (*link.NetNsLink, error) {
	l, err := link.AttachNetNs(int(a.namespace.Fd()), p)
	if err != nil {
		return nil, fmt.Errorf("attach to the network namespace: %w", err)
	}
	if err := l.Pin(a.path(pinLink)); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("pin the link: %w", err)
	}
	return l, nil
}

// update replaces the program we know to be there, and no other.
func (a *attachment) update(p *ebpf.Program) error {
	err := a.link.UpdateArgs(link.RawLinkUpdateOptions{New: p, Old: a.program, Flags: unix.BPF_F_REPLACE})
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%s: %w", a.path(pinLink), ErrForeign)
	}
	if err != nil {
		return fmt.Errorf("replace the program: %w", err)
	}
	return nil
}

// inForce says whether the link still has our program and our namespace.
func (a *attachment) inForce() bool {
	if a.link == nil {
		return false
	}
	now, err := a.link.Info()
	if err != nil || now.NetNs().NetnsInode == 0 {
		return false
	}
	ours, err := a.program.Info()
	if err != nil {
		return false
	}
	id, ok := ours.ID()
	return ok && id == now.Program
}

// remove takes the program out of the kernel.
func (a *attachment) remove() error {
	var errs []error
	for _, name := range []string{pinLink, pinProgram, pinNext} {
		if err := os.Remove(a.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	a.release()
	return errors.Join(errs...)
}

func (a *attachment) release() {
	if a.link != nil {
		_ = a.link.Close()
		a.link = nil
	}
	if a.program != nil {
		_ = a.program.Close()
		a.program = nil
	}
}

func (a *attachment) close() {
	a.release()
	if a.namespace != nil {
		_ = a.namespace.Close()
	}
	if a.lock != nil {
		_ = a.lock.Close()
	}
}
