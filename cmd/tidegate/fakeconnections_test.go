package main

import (
	"slices"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/control"
)

// fakeConnections are the connections that a test gave it; a cursor is an index.
type fakeConnections struct {
	open  []control.Connection
	sent  []string
	calls int
}

func (f *fakeConnections) passed(filter control.ConnectionFilter) []control.Connection {
	return slices.DeleteFunc(slices.Clone(f.open), func(c control.Connection) bool {
		return filter.APIID != "" && filter.APIID != c.APIID || filter.Stage != "" && filter.Stage != c.Stage
	})
}

func (f *fakeConnections) List(filter control.ConnectionFilter, cursor string, limit int) ([]control.Connection, string, error) {
	f.calls++
	all := f.passed(filter)
	from, _ := strconv.Atoi(cursor)
	if end := from + limit; end < len(all) {
		return all[from:end], strconv.Itoa(end), nil
	}
	return all[from:], "", nil
}

func (f *fakeConnections) Totals(filter control.ConnectionFilter) (t control.ConnectionTotals) {
	for _, c := range f.passed(filter) {
		t.Open++
		t.MessagesIn += c.MessagesIn
		t.Queued += c.Queued
	}
	return t
}

func (f *fakeConnections) Close(id string) error {
	before := len(f.open)
	f.open = slices.DeleteFunc(f.open, func(c control.Connection) bool { return c.ID == id })
	if len(f.open) == before {
		return control.ErrConnectionGone
	}
	return nil
}

func (f *fakeConnections) Send(id, text string) error {
	if !slices.ContainsFunc(f.open, func(c control.Connection) bool { return c.ID == id }) {
		return control.ErrConnectionGone
	}
	f.sent = append(f.sent, id+": "+text)
	return nil
}
