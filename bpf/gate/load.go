package gate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// pinned are the maps that outlive a process. The others belong to one program.
var pinned = []string{
	programMapCookieKeys, programMapCounters, programMapLengths4, programMapLengths6, programMapListeners, programMapNotes,
	programMapPorts, programMapPrefixMarks, programMapPrefixes4, programMapPrefixes6, programMapSentenceMarks, programMapSentences,
}

const pinnedProgram = "program"

// makeDir returns whether it made the folder.
func makeDir(dir string) (bool, error) {
	if _, err := os.Stat(dir); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make the gate's folder: %w", err)
	}
	return true, nil
}

// load makes the objects, with the maps that are pinned where they fit. It
// returns the names of those that are new, with the entries of the old copied.
func (g *Gate) load(o Options) (fresh []string, err error) {
	spec, err := loadProgram()
	if err != nil {
		return nil, err
	}
	g.maxIPs = DefaultMaxPrefixes
	if o.MaxPrefixes > 0 {
		g.maxIPs = o.MaxPrefixes
	}
	spec.Maps[programMapPrefixes4].MaxEntries = uint32(g.maxIPs)
	spec.Maps[programMapPrefixes6].MaxEntries = uint32(g.maxIPs)
	if o.MaxSentences > 0 {
		spec.Maps[programMapSentences].MaxEntries = uint32(o.MaxSentences)
	}
	var answers [len(texts)]programAnswer
	for i, text := range texts {
		answers[i] = canned(text)
	}
	if err := spec.Variables[programVarAnswers].Set(answers); err != nil {
		return nil, fmt.Errorf("write the gate's answers: %w", err)
	}

	old := map[string]*ebpf.Map{}
	defer func() {
		for _, m := range old {
			m.Close()
		}
	}()
	keep := map[string]*ebpf.Map{}
	for _, name := range pinned {
		m, err := ebpf.LoadPinnedMap(filepath.Join(g.dir, name), nil)
		if errors.Is(err, os.ErrNotExist) {
			fresh = append(fresh, name)
			continue
		}
		if err != nil {
			return nil, refused("open the gate's map "+name, err)
		}
		old[name] = m
		if spec.Maps[name].Compatible(m) == nil {
			keep[name] = m
		} else {
			fresh = append(fresh, name)
		}
	}
	if err := spec.LoadAndAssign(&g.objects, &ebpf.CollectionOptions{MapReplacements: keep}); err != nil {
		return nil, refused("load the gate's program", err)
	}
	for _, name := range fresh {
		if from := old[name]; from != nil {
			if err := migrate(from, g.mapOf(name)); err != nil {
				return nil, fmt.Errorf("move the entries of %s: %w", name, err)
			}
		}
	}
	if slices.Contains(fresh, programMapCookieKeys) {
		var key [16]byte
		_, _ = rand.Read(key[:]) // which never fails
		if err := g.objects.CookieKeys.Put(uint32(0), key); err != nil {
			return nil, fmt.Errorf("write the gate's key of cookies: %w", err)
		}
	}
	return fresh, nil
}

func (g *Gate) mapOf(name string) *ebpf.Map {
	o := &g.objects.programMaps
	return map[string]*ebpf.Map{
		programMapCookieKeys: o.CookieKeys, programMapCounters: o.Counters, programMapLengths4: o.Lengths4, programMapLengths6: o.Lengths6,
		programMapListeners: o.Listeners, programMapNotes: o.Notes, programMapPorts: o.Ports,
		programMapPrefixes4: o.Prefixes4, programMapPrefixes6: o.Prefixes6, programMapSentences: o.Sentences,
		programMapPrefixMarks: o.PrefixMarks, programMapSentenceMarks: o.SentenceMarks,
	}[name]
}

// migrate copies entries to a map of another size. Entries of another layout are
// another version's: they stay behind, for Prepare to supply anew.
func migrate(from, to *ebpf.Map) error {
	if from.KeySize() != to.KeySize() || from.ValueSize() != to.ValueSize() || from.Type() != to.Type() ||
		from.Type() == ebpf.PerCPUArray {
		return nil
	}
	var key, value []byte
	entries := from.Iterate()
	for entries.Next(&key, &value) {
		if err := to.Put(key, value); err != nil {
			return full(err)
		}
	}
	return entries.Err()
}

// publish pins what is new under the names the next Open looks for.
func (g *Gate) publish(fresh []string) error {
	for _, name := range fresh {
		if err := pin(g.mapOf(name), filepath.Join(g.dir, name)); err != nil {
			return err
		}
	}
	return pin(g.objects.Gate, filepath.Join(g.dir, pinnedProgram))
}

// pin replaces what is at path in one step.
func pin(object interface{ Pin(string) error }, path string) error {
	next := path + "-next"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("pin %s: %w", path, err)
	}
	if err := object.Pin(next); err != nil {
		return fmt.Errorf("pin %s: %w", path, err)
	}
	if err := unix.Rename(next, path); err != nil {
		return fmt.Errorf("pin %s: %w", path, err)
	}
	return nil
}

// loadPinnedProgram returns the program that was last at work, or nil.
func loadPinnedProgram(dir string) (*ebpf.Program, error) {
	p, err := ebpf.LoadPinnedProgram(filepath.Join(dir, pinnedProgram), nil)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, refused("open the gate's last program", err)
	}
	return p, nil
}
