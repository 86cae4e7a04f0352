package steer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
)

// generation is a program with the maps of one table. A new table gets a new
// generation, so that what is in force is never half of one.
type generation struct {
	*table
	objects programObjects
}

// load makes the kernel objects of a table, each map as large as it needs.
func load(t *table) (*generation, error) {
	spec, err := loadProgram()
	if err != nil {
		return nil, err
	}
	for name, entries := range map[string]int{
		programMapDoors:    len(t.doors),
		programMapWays:     int(t.ways),
		programMapSockets:  int(t.sockets),
		programMapCounters: len(t.rows) + len(t.doors),
	} {
		spec.Maps[name].MaxEntries = uint32(max(entries, 1))
	}
	var ports [1024]uint64
	for to := range t.doors {
		ports[to.Port/64] |= 1 << (to.Port % 64)
	}
	if err := spec.Variables[programVarPorts].Set(ports); err != nil {
		return nil, fmt.Errorf("set the ports: %w", err)
	}
	g := &generation{table: t}
	if err := spec.LoadAndAssign(&g.objects, nil); err != nil {
		return nil, fmt.Errorf("load the program: %w", err)
	}
	return g, nil
}

// fill writes the table into the maps, with the interfaces that are there.
func (g *generation) fill(names map[string]int) error {
	for to, door := range g.doors {
		if err := g.objects.Doors.Put(to, door); err != nil {
			return fmt.Errorf("write the map of addresses: %w", err)
		}
	}
	for _, r := range g.rows {
		for i, fd := range r.sockets.descriptors {
			if err := g.objects.Sockets.Put(r.first+uint32(i), uint64(fd)); err != nil {
				return fmt.Errorf("binding %q: write the map of sockets: %w", r.Name, err)
			}
		}
	}
	return g.openAll(names)
}

func (g *generation) openAll(names map[string]int) error {
	for number, r := range g.rows {
		if err := g.open(number, r.there(names)); err != nil {
			return err
		}
	}
	return nil
}

// there returns the indexes of the interfaces that are there, in order.
func (r *row) there(names map[string]int) []int {
	var indexes []int
	for _, name := range r.Interfaces {
		if index, ok := names[name]; ok {
			indexes = append(indexes, index)
		}
	}
	slices.Sort(indexes)
	return indexes
}

// follow makes the interfaces that have the names now, and no others, lead to
// the sockets, and returns the rows that this changed. All that no longer lead
// anywhere are shut first: names may have been exchanged between bindings of
// one address.
func (g *generation) follow(names map[string]int) (changed []*row, err error) {
	var errs []error
	var numbers []int
	for number, r := range g.rows {
		want := r.there(names)
		if slices.Equal(want, r.indexes) {
			continue
		}
		numbers, changed = append(numbers, number), append(changed, r)
		for _, index := range r.indexes {
			if !slices.Contains(want, index) {
				errs = append(errs, g.shut(r, index))
			}
		}
	}
	for i, number := range numbers {
		errs = append(errs, g.open(number, changed[i].there(names)))
	}
	return changed, errors.Join(errs...)
}

// shut stops an interface from leading to a row.
func (g *generation) shut(r *row, index int) error {
	for _, to := range r.addresses {
		err := g.objects.Ways.Delete(programWay{To: to, Ingress: uint32(index)})
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("binding %q: write the map of interfaces: %w", r.Name, err)
		}
	}
	return nil
}

// open makes these interfaces lead to a row. The filter is set first, so that
// the program steers nothing to a socket that would ignore it.
func (g *generation) open(number int, indexes []int) error {
	r := g.rows[number]
	if err := r.sockets.allow(indexes); err != nil {
		return fmt.Errorf("binding %q: %w", r.Name, err)
	}
	target := programTarget{Counter: uint32(number), First: r.first, Count: uint32(len(r.sockets.descriptors))}
	for _, index := range indexes {
		for _, to := range r.addresses {
			if err := g.objects.Ways.Put(programWay{To: to, Ingress: uint32(index)}, target); err != nil {
				return fmt.Errorf("binding %q: write the map of interfaces: %w", r.Name, err)
			}
		}
	}
	r.indexes = indexes
	return nil
}

// socketsOf returns the sockets of a binding, or nil.
func (g *generation) socketsOf(name string) *group {
	if g == nil {
		return nil
	}
	for _, r := range g.rows {
		if r.Name == name {
			return r.sockets
		}
	}
	return nil
}

// close gives the kernel objects back; the sockets may be another's now.
func (g *generation) close() { _ = g.objects.Close() }
