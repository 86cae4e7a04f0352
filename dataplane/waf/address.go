package waf

import (
	"bytes"
	"net/netip"
	"unsafe"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// maxForwarded is how many proxies a request may have come through.
const maxForwarded = 10

// forwarder is a field in which proxies tell whom a request came from. Only what
// trusted proxies say counts: of a connection that is from none of them the
// address is its own, whatever the field says. Else it is read from the right, up
// to the first address that is no trusted proxy's. What is left of that is the
// word of a client.
type forwarder struct {
	name string
	id   http1.ID
}

// forwarding is what is known of a forwarder: valid for one request.
type forwarding struct {
	request uint32
	absent  bool // there is no such field
	invalid bool // it has no address where one has to be
	n       int
	hops    [maxForwarded]netip.Addr // the last proxy's first, the client last
}

// position is the addresses of a forwarder that are looked at.
type position uint8

const (
	firstHop position = iota // the client
	lastHop                  // who was seen by the last proxy
	anyHop
)

// forwarded reads the field of a forwarder.
func (in *Input) forwarded(a *ACL, n int) *forwarding {
	f := &in.work.forwardings[n]
	if f.request != in.work.request {
		*f = forwarding{request: in.work.request}
		a.forwarders[n].read(a, in, f)
	}
	return f
}

func (w *forwarder) read(a *ACL, in *Input, f *forwarding) {
	if !a.trusted(in.source) {
		f.add(in.source)
		return
	}
	f.absent = true
	r := in.Request
	for i := r.Len() - 1; i >= 0; i-- {
		if r.ID(i) != w.id || w.id == http1.Other && !http1.EqualFold(r.Name(i), w.name) {
			continue
		}
		f.absent = false
		for list, more := r.Value(i), true; more; {
			element := list
			comma := bytes.LastIndexByte(list, ',')
			if more = comma >= 0; more {
				list, element = list[:comma], list[comma+1:]
			}
			addr, ok := parseAddr(bytes.Trim(element, " \t"))
			if !ok || f.n == maxForwarded {
				f.invalid = true
				return
			}
			if f.add(addr); !a.trusted(addr) {
				return
			}
		}
	}
}

func (f *forwarding) add(addr netip.Addr) {
	f.hops[f.n] = addr
	f.n++
}

// one returns the address at a position; it is not valid where none is.
func (f *forwarding) one(p position) netip.Addr {
	switch {
	case f.n == 0, p == firstHop && f.invalid:
		return netip.Addr{}
	case p == firstHop:
		return f.hops[f.n-1]
	}
	return f.hops[0]
}

// parseAddr reads an address as proxies write it: also with a port, and an IPv6
// one in brackets.
func parseAddr(b []byte) (addr netip.Addr, ok bool) {
	if len(b) > 2 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return addr, false
		}
		b = b[1:end]
	} else if colon := bytes.IndexByte(b, ':'); colon >= 0 && bytes.IndexByte(b[colon+1:], ':') < 0 {
		b = b[:colon]
	}
	if len(b) == 0 || bytes.IndexByte(b, '%') >= 0 {
		return addr, false
	}
	// A string of its own would be allocated. This one does not outlive the call:
	// an error, which would have it, is dropped.
	addr, err := netip.ParseAddr(unsafe.String(&b[0], len(b)))
	return addr.Unmap(), err == nil
}
