// Package steer binds private listeners to network interfaces in the kernel. A
// BPF sk_lookup program chooses the socket of a new TCP connection by the
// interface that its first packet came in by: private and public listeners may
// have one address and port, and of a private one nothing can be reached from
// anywhere else.
//
// # Who gets what
//
// A packet to an address and port that has private listeners goes to the one
// that its interface is bound to. From all other interfaces it is answered with
// a reset, or goes on to public listeners if the binding is shared with them.
// The address itself comes before the wildcard of its family. Everything else
// is left to the kernel as ever; public listeners need no binding.
//
// # How private sockets listen
//
// They listen at a hidden address ([Listen]): one that no packet is ever
// delivered to, at a port that the kernel picks. So the ordinary lookup never
// finds them, from no interface and not from this host either; only the program
// does. This fails closed: without the program, after a crash or [Steer.Remove],
// private listeners are out of reach rather than open. It also lets a private
// listener share a port with any public one, however that was opened, and needs
// one socket for each event loop, not for each interface as well. Accepted
// connections have the address that the client connected to; only the listener
// itself shows the hidden one, so show [Binding].Addr.
//
// Behind the program is a second line: a socket filter on each private socket,
// inherited by its connections, ignores what arrives by any other interface,
// segment by segment. SO_BINDTODEVICE would be weaker there. It goes, as
// sk_lookup does, by what routing takes for the incoming interface, which for
// packets of this host to its own addresses is the interface that has the
// address: local processes would pass for neighbours. It also forces one socket
// for each interface, and stays with an interface that is gone. Where the
// program cannot be had, SO_BINDTODEVICE and the filter together are the
// fallback: [ListenControl].
//
// A local process that connects to a private address counts as coming by "lo"
// and is reset like others; one that binds a different source address of the
// host before meets the filter, and so silence.
//
// # Names
//
// Bindings are to names. The names are followed by netlink: an interface that
// appears, or takes a name, leads to the listener as soon as the kernel tells;
// one that goes or loses the name no longer does. Connections that were
// accepted before go on for as long as their interface is there.
//
// # Sharing with others
//
// The link is pinned, and the folder of the pins is locked, so at most one
// process steers by it; the next one replaces the program in place, and only
// the program that was pinned there. Other sk_lookup programs may be attached
// to the same namespace. The kernel runs all, in the order they were attached,
// and one that selects a socket overrides another's reset; so a foreign program
// can answer where this one refuses, but with its own sockets only.
//
// It takes CAP_BPF, CAP_NET_ADMIN, a BPF file system and Linux 5.17 (the first
// to tell sk_lookup programs the interface).
//
// Sources: Documentation/bpf/prog_sk_lookup.rst, rtnetlink(7), socket(7).
package steer
