// Package gate is the kernel gate: an XDP program that refuses condemned
// sources before the host spends a socket on them, and the one handle to it.
//
// # What it decides
//
// Only TCP packets to the ports of [Gate.SetListeners] are its business, and of
// these only packets whose source is condemned: by a rule on its prefix
// ([Gate.Deny], [Gate.ReplaceSet]) or by a sentence on its address
// ([Gate.Condemn]). Everything else passes untouched. The longest prefix in
// force wins, whoever owns it, and a prefix that is allowed passes sentences
// too. A fragment, or another packet whose TCP header cannot be read, is dropped
// if its source is condemned.
//
// A verdict is about new connections. A packet of a connection that the host
// holds passes, because to drop it would only stall the client: closing it is
// userspace's. So do packets to a port on which nothing listens here.
//
// # What the kernel forgets by itself
//
// Rules and sentences end by the kernel's own clock, to within two ticks. When
// the last [Gate.Beat] is older than a minute, sentences are ignored, since
// nobody is left to take them back; rules on prefixes stay in force. Entries are
// made by this handle alone, never by a packet, so no flood can push one out.
//
// # Styles
//
// [Drop] says nothing. [Reset] answers with a TCP reset. [Respond] lets the
// client connect, by a SYN cookie, and answers its first segment with HTTP and a
// FIN, all without a socket. Who was just let connect is remembered (visitor.h), to
// save time; he gets his refusal even if his source is allowed in the meantime, for
// the host knows nothing of his connection.
//
// # What a packet costs
//
// Every packet of the host passes by here, and a flood is made of those that are
// refused. So prefixes are in hashes, and only the few lengths that there are on a
// network are looked for; and what most packets have to know of a rule or a
// sentence is in one cache line of its own (marks.h, glance.h). A clean packet
// costs little more than one look-up in a hash, and so does one that is dropped,
// however many rules there are. The scenario gate-cost of the benchmarks has the
// figures.
//
// # Lifetime
//
// Maps and links are pinned in a BPF file system. A process that ends without
// [Gate.Close] leaves the gate at work; the next [Open] takes it over, and
// replaces its program in one step, with what it knew kept.
//
// # Concurrency
//
// All methods may be called from any goroutine.
package gate
