package cachestore

import (
	"encoding/binary"
	"sync/atomic"
)

// Group is a part of a [Store] that can be flushed alone, such as a method of a
// stage. It lives as long as the store.
type Group struct {
	store   *Store
	name    string
	id      uint32
	flushes atomic.Uint64
}

// Key names an entry. Make one with [Group.Key] and append what tells entries
// of the group apart, to at most [MaxKey] bytes in total; the caller sees to it
// that different things give different bytes.
type Key []byte

// A key begins with the group's number and its generation.
const keyPrefix = 4 + 8

// Numbers no group has: they begin the names of what the store keeps for itself.
const (
	partsID   = 1<<32 - 1
	catalogID = 1<<32 - 2
)

// Group returns the group of that name and makes it when there is none. It
// takes a lock: look groups up when compiling, not per request. A store never
// forgets a group, so names come from a closed set; deployments and other
// things that come and go belong in the key.
func (s *Store) Group(name string) *Group {
	s.groupsLock.Lock()
	defer s.groupsLock.Unlock()
	g := s.groupsByName[name]
	if g == nil {
		g = &Group{store: s, name: name, id: uint32(len(s.groups))}
		s.groups = append(s.groups, g)
		s.groupsByName[name] = g
	}
	return g
}

// Key appends the beginning of a key of g to buf and returns it for the caller
// to complete. It carries the generation of this moment: use it for a whole
// request, from the first [Store.Get] to the last [Ticket.Commit], and no longer.
func (g *Group) Key(buf []byte) Key {
	buf = binary.LittleEndian.AppendUint32(buf, g.id)
	return binary.LittleEndian.AppendUint64(buf, g.generation())
}

// generation is a sum of numbers that only grow by one, so each flush of either
// kind gives one that was never there before, and reading the numbers one after
// the other gives one that was current in between.
func (g *Group) generation() uint64 { return g.store.flushes.Load() + g.flushes.Load() }

// Flush makes all entries of g unreachable for keys made from now on, and also
// what fills that are under way will store. It is O(1): the bytes go as the
// store turns over.
func (g *Group) Flush() { g.flushes.Add(1) }

// Flush is [Group.Flush] of all groups at once.
func (s *Store) Flush() { s.flushes.Add(1) }

// current returns the group of a key that can still be reached, else nil.
func (s *Store) current(key Key) *Group {
	id := int(binary.LittleEndian.Uint32(key))
	s.groupsLock.Lock()
	defer s.groupsLock.Unlock()
	if id >= len(s.groups) || binary.LittleEndian.Uint64(key[4:]) != s.groups[id].generation() {
		return nil
	}
	return s.groups[id]
}
