package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// DefaultDir is where the gate is pinned.
const DefaultDir = "/sys/fs/bpf/tidegate/gate"

// Limits of the maps. Each that may be takes 16 bytes of kernel memory, each that
// is some 100 more.
const (
	DefaultMaxPrefixes  = 1 << 20 // of each IP version
	DefaultMaxSentences = 1 << 18
)

// Options of Open.
type Options struct {
	Dir          string   // in a BPF file system; "" is DefaultDir
	Interfaces   []string // names; the gate leaves those of an earlier run that are not here
	Mode         Mode     // Auto unless a test knows better
	MaxPrefixes  int      // of each IP version, 0 is DefaultMaxPrefixes
	MaxSentences int      // 0 is DefaultMaxSentences
	// Prepare is called before the new program sees a packet, to fill what this
	// process knows: listeners and sets. What is pinned is there already.
	Prepare func(*Gate) error
}

// Gate is the handle. It has to be ended by Close or by Leave.
type Gate struct {
	dir     string
	objects programObjects
	links   map[int]*attached // by index of the interface
	lengths lengths
	marks   struct{ prefixes, sentences marks }
	maxIPs  int

	mu       sync.Mutex // held by every change
	notes    notes
	rules    map[netip.Prefix]programRule // the operator's
	sets     map[string]*set
	control  programControl
	swept    uint64
	reported bool // whether Events runs
}

// Open loads the program and attaches it to the interfaces, or takes over what
// an earlier process left: the program is replaced in one step, and the maps are
// kept, or copied where their size changed. On failure everything is as it was.
// An [*Unavailable] says what the host lacks.
func Open(o Options) (_ *Gate, err error) {
	if o.Dir == "" {
		o.Dir = DefaultDir
	}
	if err := require(o.Dir, o.Interfaces); err != nil {
		return nil, err
	}
	created, err := makeDir(o.Dir)
	if err != nil {
		return nil, err
	}
	g := &Gate{dir: o.Dir, links: map[int]*attached{}}
	defer func() {
		if err != nil {
			g.closeFiles()
			if created {
				os.RemoveAll(o.Dir)
			}
		}
	}()
	fresh, err := g.load(o)
	if err != nil {
		return nil, err
	}
	if err := g.recover(); err != nil {
		return nil, err
	}
	if err := g.Beat(); err != nil {
		return nil, err
	}
	if o.Prepare != nil {
		if err := o.Prepare(g); err != nil {
			return nil, fmt.Errorf("prepare the kernel gate: %w", err)
		}
	}
	return g, g.goLive(o, fresh)
}

// goLive is the step from the old program to the new. Whatever of it fails is
// undone.
func (g *Gate) goLive(o Options, fresh []string) (err error) {
	before, err := loadPinnedProgram(g.dir)
	if err != nil {
		return err
	}
	var undo []func()
	defer func() {
		if err != nil {
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
		}
		before.Close()
	}()
	for _, name := range o.Interfaces {
		a, back, err := g.attach(name, o.Mode, before)
		if err != nil {
			return err
		}
		undo = append(undo, back)
		g.links[a.index] = a
	}
	if err := g.publish(fresh); err != nil {
		return err
	}
	return g.detachOthers()
}

// Close detaches the gate and removes everything it pinned.
func (g *Gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var failed []error
	for _, a := range g.links {
		if err := a.link.Detach(); !errors.Is(err, unix.ENOLINK) { // the interface is gone
			failed = append(failed, err)
		}
	}
	failed = append(failed, os.RemoveAll(g.dir), g.closeFiles())
	return errors.Join(failed...)
}

// Leave ends the handle and leaves the gate at work, for the next Open. Until
// then sentences hold for a minute more, and rules for as long as they say.
func (g *Gate) Leave() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closeFiles()
}

func (g *Gate) closeFiles() error {
	failed := []error{g.objects.Close()}
	for _, a := range g.links {
		failed = append(failed, a.link.Close())
	}
	g.links = map[int]*attached{}
	return errors.Join(failed...)
}

// Beat tells the program that the daemon lives; call it every few seconds. Once
// a minute it also clears away what has expired.
func (g *Gate) Beat() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, err := now()
	if err != nil {
		return err
	}
	g.control.Beat = at
	if err := g.putControl(); err != nil {
		return err
	}
	if left(g.swept, at) < time.Minute {
		return nil
	}
	return g.sweep(at)
}

func (g *Gate) putControl() error {
	if err := g.objects.Control.Set(g.control); err != nil {
		return fmt.Errorf("write the gate's heartbeat: %w", err)
	}
	return nil
}

// sweep deletes what has expired. Before, it only took room.
func (g *Gate) sweep(at uint64) error {
	g.swept = at
	for prefix, rule := range g.rules {
		if rule.Until != 0 && rule.Until <= at {
			if err := g.removeRule(prefix); err != nil {
				return err
			}
		}
	}
	others, err := g.sweepSentences(at)
	if err != nil {
		return err
	}
	return g.marks.sentences.rebuild(others) // it may have made room for marks
}

// Status is what the gate says of itself.
type Status struct {
	Dir        string
	Tag        string // the kernel's hash of the program
	Interfaces []InterfaceStatus
}

// InterfaceStatus is one interface of the gate's.
type InterfaceStatus struct {
	Name  string
	Index int
	Mode  Mode // Native or Generic; Auto if the interface is gone
}

// Status returns where the gate is at work.
func (g *Gate) Status() (Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	info, err := g.objects.Gate.Info()
	if err != nil {
		return Status{}, fmt.Errorf("ask for the gate's program: %w", err)
	}
	s := Status{Dir: g.dir, Tag: info.Tag}
	modes, err := modesByIndex()
	if err != nil {
		return Status{}, err
	}
	for _, a := range g.links {
		s.Interfaces = append(s.Interfaces, InterfaceStatus{Name: a.name, Index: a.index, Mode: modes[a.index]})
	}
	return s, nil
}
