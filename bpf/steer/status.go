package steer

import (
	"fmt"
	"net/netip"
	"os"
)

// Status is what is in force.
type Status struct {
	Folder   string
	Tag      string // of the program, by which its build can be told; empty before Set
	InForce  bool   // false: before Set, or the program was detached or replaced by another's
	Bindings []BindingStatus
	Failed   error // interfaces cannot be followed, so private listeners are closed
}

// BindingStatus is a binding in force. Connections are counted from its first
// Set, by lookups of the kernel: a client that tries again counts again.
type BindingStatus struct {
	Name       string
	Addr       netip.AddrPort
	Shared     bool
	Interfaces []Interface
	Sockets    int

	Steered  uint64 // to its sockets
	Unserved uint64 // by its interfaces, and reset because all its sockets have closed

	// By other interfaces, over all bindings of this address and port.
	Refused uint64 // reset
	Passed  uint64 // on to public listeners
}

// Interface is a name, and the index it has now.
type Interface struct {
	Name  string
	Index int // 0: there is none
}

// Status fails with os.ErrClosed after Close.
func (s *Steer) Status() (Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Status{}, fmt.Errorf("status of steering: %w", os.ErrClosed)
	}
	status := Status{Folder: s.at.folder, InForce: s.now != nil && s.at.inForce(), Failed: s.failed}
	if s.now == nil {
		return status, nil
	}
	if info, err := s.now.objects.Steer.Info(); err == nil {
		status.Tag = info.Tag
	}
	now, err := s.now.count()
	if err != nil {
		return Status{}, err
	}
	for _, r := range s.now.rows {
		b := BindingStatus{Name: r.Name, Addr: r.Addr, Shared: r.Shared, Sockets: len(r.sockets.descriptors)}
		for _, name := range r.Interfaces {
			b.Interfaces = append(b.Interfaces, Interface{name, s.names[name]})
		}
		own := now.bindings[r.Name].plus(s.past.bindings[r.Name])
		b.Steered, b.Unserved = own[steered], own[unserved]
		for _, to := range r.addresses {
			at := now.doors[to].plus(s.past.doors[to])
			b.Refused += at[refused]
			b.Passed += at[passed]
		}
		status.Bindings = append(status.Bindings, b)
	}
	return status, nil
}
