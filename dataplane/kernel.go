package dataplane

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// kernelGate is the gateway's hold on the XDP gate. The gate is an addition:
// whatever it lacks is said, in notes, and denied in userspace.
type kernelGate struct {
	log      *slog.Logger
	failures atomic.Uint64 // sources that could not be condemned

	change sync.Mutex // one change at a time
	wants  gateWants
	there  map[string]int // indexes of the named interfaces, when they were last looked at
	barred error          // why it may not be opened

	mu       sync.RWMutex // to write while the handle is replaced
	handle   *gate.Gate   // nil: off
	notes    []string     // what it lacks, in words
	replaced chan struct{}
}

// gateWants is what the gate is to be and to hold.
type gateWants struct {
	dir                       string
	interfaces                []string // none: off
	maxPrefixes, maxSentences int
	listeners                 []gate.Listener
	never                     []netip.Prefix
	lists                     []list
	denies                    []definition.DenyRule
}

var errGateOff = errors.New("the kernel gate is off")

func newKernelGate(log *slog.Logger) *kernelGate {
	return &kernelGate{log: log, replaced: make(chan struct{})}
}

// with calls f with the open gate, or returns errGateOff.
func (k *kernelGate) with(f func(*gate.Gate) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.handle == nil {
		return errGateOff
	}
	return f(k.handle)
}

func (k *kernelGate) isOn() bool { return k.with(func(*gate.Gate) error { return nil }) == nil }

// set makes the gate what is wanted: opens it, replaces it in one step, or takes
// it out of the kernel. It never fails: what cannot be had is noted.
func (k *kernelGate) set(wants gateWants) {
	k.change.Lock()
	defer k.change.Unlock()
	before := k.wants
	k.wants = wants
	switch {
	case len(wants.interfaces) == 0:
		k.close()
	case k.barred != nil:
		k.mu.Lock()
		defer k.mu.Unlock()
		k.tell([]string{k.barred.Error()})
	case k.fits(&before):
		k.fill()
	default:
		k.open()
	}
}

// fits says whether the open gate needs no more than other contents. k.change is
// held.
func (k *kernelGate) fits(before *gateWants) bool {
	w := &k.wants
	return k.isOn() && len(k.notes) == 0 && slices.Equal(before.interfaces, w.interfaces) && before.dir == w.dir &&
		before.maxPrefixes == w.maxPrefixes && before.maxSentences == w.maxSentences && maps.Equal(k.there, indexes(w.interfaces))
}

// fill gives the open gate what it is to hold. k.change is held.
func (k *kernelGate) fill() {
	var notes []string
	err := k.with(func(g *gate.Gate) (err error) {
		notes, err = k.wants.fill(g)
		return err
	})
	if err != nil {
		notes = append(notes, err.Error())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tell(notes)
}

// close takes the gate out of the kernel. k.change is held.
func (k *kernelGate) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notes = nil
	if k.handle == nil {
		return
	}
	if err := privileged(k.handle.Close); err != nil {
		k.log.Error("the kernel gate cannot be taken out of the kernel", "error", err)
	}
	k.take(nil)
	k.log.Info("the kernel gate is off")
}

// open attaches the gate to those of its interfaces that can be had. While it
// does, nobody can be condemned; that takes a fraction of a second. k.change is
// held.
func (k *kernelGate) open() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.there = indexes(k.wants.interfaces)
	var notes []string
	names := slices.Sorted(maps.Keys(k.there))
	for _, name := range k.wants.interfaces {
		if _, ok := k.there[name]; !ok {
			notes = append(notes, "the kernel gate waits for interface "+name)
		}
	}
	var next *gate.Gate
	var err error
	for {
		err = privileged(func() (err error) {
			next, err = gate.Open(gate.Options{Dir: k.wants.dir, Interfaces: names, MaxPrefixes: k.wants.maxPrefixes,
				MaxSentences: k.wants.maxSentences, Prepare: func(g *gate.Gate) error {
					full, err := k.wants.fill(g)
					notes = append(notes, full...)
					return err
				}})
			return err
		})
		var without *gate.Unavailable
		if !errors.As(err, &without) || without.Interface == "" || !slices.Contains(names, without.Interface) {
			break
		}
		notes = append(notes, "the kernel gate is not on "+without.Interface+", for lack of "+strings.Join(without.Missing, ", "))
		names = slices.DeleteFunc(names, func(name string) bool { return name == without.Interface })
	}
	if err != nil {
		notes = append(notes, err.Error())
		if _, left := os.Stat(k.wants.dir); left == nil && k.handle == nil {
			notes = append(notes, "what an earlier run left in the kernel is at work without anybody to change it (as root: rm -r "+k.wants.dir+")")
		}
	}
	k.tell(notes)
	if err != nil {
		return // what was at work still is
	}
	before := k.handle
	k.take(next)
	if before != nil {
		if err := before.Leave(); err != nil {
			k.log.Warn("the kernel gate's last program", "error", err)
		}
	}
	k.announce()
}

// tell logs what is lacking, once.
func (k *kernelGate) tell(notes []string) {
	for _, n := range notes {
		if !slices.Contains(k.notes, n) {
			k.log.Warn(n)
		}
	}
	k.notes = notes
}

func (k *kernelGate) take(next *gate.Gate) {
	k.handle = next
	close(k.replaced)
	k.replaced = make(chan struct{})
}

func (k *kernelGate) announce() {
	status, err := k.handle.Status()
	if err != nil {
		k.log.Warn("the kernel gate does not say how it is", "error", err)
		return
	}
	for _, i := range status.Interfaces {
		k.log.Info("kernel gate", "interface", i.Name, "mode", i.Mode.String(), "program", status.Tag)
	}
}

// bar says why the gate may not be opened; nil lifts that.
func (k *kernelGate) bar(reason error) {
	k.change.Lock()
	defer k.change.Unlock()
	k.barred = reason
}

// again attaches the gate anew, after another process had it.
func (k *kernelGate) again() {
	k.change.Lock()
	defer k.change.Unlock()
	if len(k.wants.interfaces) > 0 && k.barred == nil {
		k.open()
	}
}

// follow opens the gate anew when one of its interfaces appeared, or was made
// again.
func (k *kernelGate) follow() {
	k.change.Lock()
	defer k.change.Unlock()
	if len(k.wants.interfaces) > 0 && k.barred == nil && !maps.Equal(k.there, indexes(k.wants.interfaces)) {
		k.open()
	}
}

func indexes(names []string) map[string]int {
	there := map[string]int{}
	for _, name := range names {
		if i, err := net.InterfaceByName(name); err == nil {
			there[name] = i.Index
		}
	}
	return there
}

// beat tells the kernel that somebody is there to pardon.
func (k *kernelGate) beat() {
	if err := k.with((*gate.Gate).Beat); err != nil && !errors.Is(err, errGateOff) {
		k.log.Error("the kernel gate's heartbeat failed; its sentences end within a minute", "error", err)
	}
}

// setDenies replaces the rules of operators.
func (k *kernelGate) setDenies(denies []definition.DenyRule) {
	k.change.Lock()
	defer k.change.Unlock()
	k.wants.denies = denies
	err := k.with(func(g *gate.Gate) error { return k.wants.fillRules(g) })
	if err != nil && !errors.Is(err, errGateOff) {
		k.log.Error("the kernel gate does not take a rule; it holds in userspace", "error", err)
	}
}

// setLists replaces the lists of networks.
func (k *kernelGate) setLists(lists []list) {
	k.change.Lock()
	defer k.change.Unlock()
	k.wants.lists = lists
	err := k.with(func(g *gate.Gate) error { return k.wants.fillLists(g) })
	if err != nil && !errors.Is(err, errGateOff) {
		k.log.Error("the kernel gate does not take all of a list; it holds in userspace", "error", err)
	}
}

// end lets go of the gate, which stays at work unless closing.
func (k *kernelGate) end(closing bool) error {
	k.change.Lock()
	defer k.change.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	handle := k.handle
	if handle == nil {
		return nil
	}
	k.take(nil)
	if !closing {
		return handle.Leave()
	}
	if err := privileged(handle.Close); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("close the kernel gate: %w", err)
	}
	return nil
}
