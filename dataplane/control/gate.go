package control

import (
	"context"
	"net/netip"
	"time"
)

// Gate is the kernel gate and the steering of private listeners, as the control
// socket sees them. Its methods may be called from any goroutine.
type Gate interface {
	// Status says how they are.
	Status() GateStatus

	// Entries lists who is kept out and who never is: the rules of operators
	// first, then sentences, lists and protected networks.
	Entries() ([]GateEntry, error)

	// Never returns the networks that nothing may shut out.
	Never() []netip.Prefix

	// KeptOut says whether a rule or a list keeps an address out, by the change
	// of the last Update at the latest.
	KeptOut(netip.Addr) bool

	// Release ends the sentences of the sources in a network, and forgets what
	// they did. It returns those it ended.
	Release(netip.Prefix) ([]netip.Prefix, error)

	// Stats returns what the gate has counted.
	Stats() (GateStats, error)

	// Trace samples the packets of sources that are kept out until ctx ends and
	// the channel is closed: of each reason one of every so many on each CPU. What
	// the channel has no room for is left out. One trace runs at a time.
	Trace(ctx context.Context, every uint64) (<-chan GateEvent, error)
}

// GateStatus is how the kernel gate and the private listeners are.
type GateStatus struct {
	On         bool            `json:"on"`                // the program is loaded
	PinDir     string          `json:"pinDir,omitempty"`  // where it outlives the daemon
	Program    string          `json:"program,omitempty"` // the kernel's hash of it
	Interfaces []GateInterface `json:"interfaces"`        // those that the host file names
	Sentences  int             `json:"sentences"`         // sources shut out at present
	Denied     int             `json:"denied"`            // networks denied by operators
	Listed     int             `json:"listed"`            // networks on the host file's lists and in IP sets that keep out
	Private    []PrivateStatus `json:"private,omitempty"`
	Notes      []string        `json:"notes,omitempty"` // what is lacking, in words
}

// Values of GateInterface.Mode.
const (
	GateNative  = "native"  // in the driver
	GateGeneric = "generic" // later and slower: the driver cannot
	GateNone    = "none"    // the gate is not on it
)

// GateInterface is an interface that the gate is to look at.
type GateInterface struct {
	Name string `json:"name"`
	Mode string `json:"mode"`
}

// PrivateStatus is a private listener. Counts are since the listener was opened.
type PrivateStatus struct {
	Listener   string          `json:"listener"`
	Address    string          `json:"address"`
	Endpoint   string          `json:"endpoint"`
	Interfaces []InterfaceName `json:"interfaces"`
	Steered    bool            `json:"steered"`  // by the kernel; else bound to its interfaces
	Led        uint64          `json:"led"`      // connections led to it
	Refused    uint64          `json:"refused"`  // reset, since they came by another interface
	Unserved   uint64          `json:"unserved"` // reset, since it had no socket
}

// InterfaceName is a name that leads to a private listener.
type InterfaceName struct {
	Name  string `json:"name"`
	There bool   `json:"there"` // there is such an interface now
}

// Values of GateEntry.Kind.
const (
	GateDeny     = "deny"     // by an operator
	GateSentence = "sentence" // all its requests were denied
	GateList     = "list"     // of the host file, or an IP set
	GateNever    = "never"    // never shut out
)

// GateEntry is one who is kept out, or never is.
type GateEntry struct {
	Kind     string     `json:"kind"`
	Network  string     `json:"network,omitempty"`  // an address, or a CIDR prefix; empty for a list
	Networks int        `json:"networks,omitempty"` // how many a list has
	Reason   string     `json:"reason,omitempty"`
	Status   int        `json:"status,omitempty"` // of the answer, where the listener gives one
	Until    *time.Time `json:"until,omitempty"`  // nil: until it is taken back
}

// GateStats are sums since the gate was first attached.
type GateStats struct {
	On      bool        `json:"on"`
	Reasons []GateCount `json:"reasons"` // all of them, also those with none
	// What the present program took, if the host measures programs
	// (sysctl kernel.bpf_stats_enabled=1).
	Runs           uint64 `json:"runs,omitempty"`
	RunNanoseconds int64  `json:"runNanoseconds,omitempty"`
}

// GateCount counts the packets that left the gate for a reason, such as
// drop_sentence: what became of them and why.
type GateCount struct {
	Reason  string `json:"reason"`
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// GateEvent is one packet of a source that is kept out.
type GateEvent struct {
	Time      time.Time `json:"time"`
	Source    string    `json:"source"` // address and port
	Port      int       `json:"port"`   // of the gateway
	Interface string    `json:"interface"`
	Bytes     int       `json:"bytes"`
	Reason    string    `json:"reason"`        // what became of it
	Why       string    `json:"why,omitempty"` // why the source is kept out
}

// DenyInput keeps a network out.
type DenyInput struct {
	CIDR    string `json:"cidr"`              // or an address
	Seconds int64  `json:"seconds,omitempty"` // 0: until it is taken back
	Reason  string `json:"reason,omitempty"`
	Status  int    `json:"status,omitempty"` // 403 or 429; 403 when 0
}

// DenyResult is a network that is kept out now.
type DenyResult struct {
	GateEntry
	Warnings []string `json:"warnings,omitempty"`
}

// AllowResult is what allowing a network came to.
type AllowResult struct {
	Removed  []string `json:"removed"`  // denied networks taken back
	Released []string `json:"released"` // sources whose sentence was ended
	Warnings []string `json:"warnings,omitempty"`
}
