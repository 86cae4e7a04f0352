package steer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"
)

// DefaultFolder is where the program is pinned unless Options say otherwise.
const DefaultFolder = "/sys/fs/bpf/tidegate/steer"

// Options of [Open]. The zero value is fine.
type Options struct {
	Folder string       // on a BPF file system; DefaultFolder if empty
	Logger *slog.Logger // hears of interfaces that come and go; nil for none

	// Privileged calls a function with CAP_NET_ADMIN in effect, which the kernel
	// may want to see when an interface comes or goes: for a process that has
	// dropped it otherwise. nil calls it as it is.
	Privileged func(func() error) error
}

// Steer is the program in the network namespace that Open was called in. All
// methods may be called from any goroutine.
type Steer struct {
	log        *slog.Logger
	privileged func(func() error) error
	at         *attachment

	mu         sync.Mutex
	now        *generation // nil before the first Set
	names      map[string]int
	past       past
	interfaces *interfaces
	failed     error // interfaces are no longer followed
	closed     bool
	watch      sync.WaitGroup
}

// Open loads the program and takes over what a process before left pinned,
// which stays in force until the first [Steer.Set].
//
// It fails with [*UnsupportedError] where the host or the process lacks what it
// takes, [ErrBusy] while another process has the folder, and [ErrForeign] where
// what is pinned there is another's.
func Open(options Options) (_ *Steer, err error) {
	folder := options.Folder
	if folder == "" {
		folder = DefaultFolder
	}
	s := &Steer{log: options.Logger, privileged: options.Privileged}
	if s.privileged == nil {
		s.privileged = func(f func() error) error { return f() }
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := checkHost(folder); err != nil {
		return nil, err
	}
	// An empty generation shows whether the kernel takes the program.
	trial, err := load(&table{})
	if err != nil {
		return nil, explain(err)
	}
	trial.close()
	if s.at, err = openAttachment(folder); err != nil {
		return nil, err
	}
	if s.interfaces, err = openInterfaces(); err != nil {
		s.at.close()
		return nil, err
	}
	s.names = s.interfaces.names
	s.watch.Go(func() { s.interfaces.follow(s.changed) })
	return s, nil
}

// Set puts these bindings in force, instead of all before, by one switch:
// every connection is decided by the old ones or by the new ones. An error
// leaves everything as it was.
//
// The copies that Set keeps of a listener's sockets hold them open: leave a
// binding out before its listener closes, or its clients wait for a listener
// that accepts nothing.
func (s *Steer) Set(bindings []Binding) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("set bindings: %w", os.ErrClosed)
	}
	t, err := compile(bindings)
	if err != nil {
		return err
	}
	copied, err := s.join(t)
	if err == nil {
		err = s.replace(t)
	}
	if err != nil {
		for _, g := range copied {
			g.close()
		}
		return err
	}
	return nil
}

// join gives every row its sockets, and returns those it copied.
func (s *Steer) join(t *table) (copied []*group, err error) {
	hidden := map[netip.AddrPort]string{}
	for _, r := range t.rows {
		if len(r.Sockets) > 0 {
			if r.sockets, err = copyGroup(r.Sockets); err == nil {
				copied = append(copied, r.sockets)
			}
		} else if r.sockets = s.now.socketsOf(r.Name); r.sockets == nil {
			err = errors.New("it has no sockets")
		}
		if err != nil {
			return copied, fmt.Errorf("binding %q: %w", r.Name, err)
		}
		if !r.sockets.serves(r.Addr.Addr()) {
			return copied, fmt.Errorf("binding %q: its sockets are not for the address family of %s", r.Name, r.Addr)
		}
		if other, ok := hidden[r.sockets.at]; ok {
			return copied, fmt.Errorf("binding %q: it has the sockets of %q", r.Name, other)
		}
		hidden[r.sockets.at] = r.Name
		r.Sockets = nil // the caller's
		r.first = t.sockets
		t.sockets += uint32(len(r.sockets.descriptors))
	}
	return copied, nil
}

// replace builds a generation of the table and puts it in force.
func (s *Steer) replace(t *table) error {
	next, err := load(t)
	if err != nil {
		return err
	}
	err = next.fill(s.names)
	if err == nil {
		err = s.at.publish(next.objects.Steer)
	}
	if err != nil {
		next.close()
		if s.now != nil { // sockets that were kept have the filters of next
			err = errors.Join(err, s.now.openAll(s.names))
		}
		return err
	}
	before := s.now
	s.now = next
	if before == nil {
		return nil
	}
	s.past.add(before, next)
	for _, r := range before.rows {
		if next.socketsOf(r.Name) != r.sockets {
			r.sockets.close()
		}
	}
	before.close()
	return nil
}

// changed takes the interfaces that there are now.
func (s *Steer) changed(names map[string]int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.names, s.failed = names, err
	if err != nil {
		s.log.Error("private listeners are closed: "+err.Error()+"; restart the gateway", "error", err)
	}
	if s.now == nil {
		return
	}
	var rows []*row
	err = s.privileged(func() (err error) {
		rows, err = s.now.follow(names)
		return err
	})
	for _, r := range rows {
		s.log.Info("interfaces of a private listener changed", "listener", r.Name, "indexes", r.indexes)
	}
	if err != nil {
		s.log.Error("private listener does not follow its interfaces", "error", err)
	}
}

// Close ends the work of this process. The program stays in force, for the
// process after: as sockets close, connections to private addresses are reset.
func (s *Steer) Close() error {
	s.shutdown()
	return nil
}

// Remove is Close that also takes the program out of the kernel. Nothing
// reaches private sockets then; what else listens at their addresses is no
// longer guarded.
func (s *Steer) Remove() error {
	s.mu.Lock()
	var err error
	if !s.closed {
		err = s.at.remove()
	}
	s.mu.Unlock()
	s.shutdown()
	return err
}

func (s *Steer) shutdown() {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return
	}
	s.interfaces.close()
	s.watch.Wait()
	if s.now != nil {
		for _, r := range s.now.rows {
			r.sockets.close()
		}
		s.now.close()
	}
	s.at.close()
}
