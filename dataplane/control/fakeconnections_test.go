package control

import (
	"errors"
	"strconv"
	"sync"
)

// fakeConnections keeps connections in a slice; a cursor is an index.
type fakeConnections struct {
	mu   sync.Mutex
	open []Connection
	sent []string // ID: text
	busy string   // id of one whose queue is full
}

func (f *fakeConnections) passed(filter ConnectionFilter) (all []Connection) {
	for _, c := range f.open {
		if (filter.APIID == "" || filter.APIID == c.APIID) && (filter.Stage == "" || filter.Stage == c.Stage) {
			all = append(all, c)
		}
	}
	return all
}

func (f *fakeConnections) List(filter ConnectionFilter, cursor string, limit int) ([]Connection, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all, from := f.passed(filter), 0
	if cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil || from < 0 || from > len(all) {
			return nil, "", errors.New("it is none that was answered")
		}
	}
	if end := from + limit; end < len(all) {
		return all[from:end], strconv.Itoa(end), nil
	}
	return all[from:], "", nil
}

func (f *fakeConnections) Totals(filter ConnectionFilter) (t ConnectionTotals) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.passed(filter) {
		t.Open++
		t.MessagesIn += c.MessagesIn
	}
	return t
}

func (f *fakeConnections) index(id string) int {
	for i, c := range f.open {
		if c.ID == id {
			return i
		}
	}
	return -1
}

func (f *fakeConnections) Close(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.index(id)
	if i < 0 {
		return ErrConnectionGone
	}
	f.open = append(f.open[:i], f.open[i+1:]...)
	return nil
}

func (f *fakeConnections) Send(id, text string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.index(id) < 0:
		return ErrConnectionGone
	case f.busy == id:
		return ErrConnectionBusy
	}
	f.sent = append(f.sent, id+": "+text)
	return nil
}
