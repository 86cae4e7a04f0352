package usage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// How often the journal is written, and how far it grows.
const (
	appendEvery     = 250 * time.Millisecond
	keepEvery       = time.Second // between two syncs
	checkpointEvery = time.Minute
	retryEvery      = 5 * time.Second // after the archive failed
	segmentSize     = 16 << 20        // at which it is archived earlier
	archiveBatch    = 10_000          // accounts in one transaction
)

// Archive keeps usage for good: the state store. WriteUsage is one transaction.
// All counts are totals; it must not write a smaller one over a larger.
type Archive interface {
	WriteUsage([]definition.Usage) error
}

// Journal keeps what a [Store] has counted on disk. It appends to a file what
// changed since, and moves it to the archive once in a while: it begins another
// file, writes to the archive what was in the files before, and removes them. A
// crash at any point loses nothing that was appended, and since all counts are
// totals, it counts nothing twice; a request that was being counted and taken
// back at that moment may stay counted in its quota.
//
// When the disk fails, counting goes on in memory and writing is tried again.
// Its methods may be called from any goroutine, Close once.
type Journal struct {
	store   *Store
	archive Archive
	dir     string
	report  func(error)
	batch   int     // accounts in one transaction
	failing [3]bool // by task, under keeping or appending
	stop    chan struct{}
	done    sync.WaitGroup

	keeping  sync.Mutex // held by who syncs or archives; taken before appending
	old      []string   // segments that the archive does not have yet
	archived time.Time
	durable  durable  // of the segment
	owed     *segment // of old, the one that was not synced when it was full

	appending sync.Mutex
	file      *os.File
	number    int   // of the segment
	size      int64 // of the segment
	unsynced  bool
	numbers   []uint32 // scratch
	buf       []byte
}

// OpenJournal restores what the journal in dir holds to the store, archives it,
// and from then on keeps what the store counts. What the archive holds is
// restored before. onError gets what goes wrong, once until it goes well again;
// it must not block.
func OpenJournal(store *Store, dir string, archive Archive, onError func(error)) (*Journal, error) {
	j, err := openJournal(store, dir, archive, onError)
	if err != nil {
		return nil, err
	}
	j.done.Go(func() { j.every(appendEvery, func() { _ = j.append() }) })
	j.done.Go(func() { j.every(keepEvery, j.keep) })
	return j, nil
}

func openJournal(store *Store, dir string, archive Archive, onError func(error)) (*Journal, error) {
	j := &Journal{store: store, archive: archive, dir: dir, report: onError, batch: archiveBatch, stop: make(chan struct{})}
	if err := j.recover(); err != nil {
		return nil, fmt.Errorf("usage journal: %w", err)
	}
	if err := j.begin(); err != nil {
		return nil, fmt.Errorf("usage journal: %w", err)
	}
	_ = j.checkpoint() // it has reported, and is tried again
	return j, nil
}

// Flush appends what was counted so far and archives it. It is for usage
// reports.
func (j *Journal) Flush() error {
	if err := j.append(); err != nil {
		return err
	}
	return j.checkpoint()
}

// Grant is [Store.Grant]; when it returns nil the grant is on disk. Another
// error is the disk's: the grant is in force and is lost by a crash before the
// disk works again.
func (j *Journal) Grant(planID, keyID string, remaining, wall int64) error {
	_ = j.append() // a grant on a new day makes the account forget the oldest
	if err := j.store.Grant(planID, keyID, remaining, wall); err != nil {
		return err
	}
	if err := j.append(); err != nil {
		return err
	}
	return j.sync()
}

// Close writes everything to the archive and stops. Nothing is kept that is
// counted later.
func (j *Journal) Close() error {
	close(j.stop)
	j.done.Wait()
	err := j.Flush()
	j.keeping.Lock()
	defer j.keeping.Unlock()
	j.appending.Lock()
	defer j.appending.Unlock()
	if err == nil && j.size == int64(len(magic)) {
		err = os.Remove(j.segment(j.number))
	}
	return errors.Join(err, j.file.Close(), j.forgetOwed())
}

func (j *Journal) every(interval time.Duration, f func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f()
		case <-j.stop:
			return
		}
	}
}

// append writes what was counted since. What cannot be written is again to be
// written next time.
func (j *Journal) append() error {
	j.appending.Lock()
	defer j.appending.Unlock()
	j.buf = j.buf[:0]
	j.numbers = j.store.drain(j.numbers[:0], func(t total) { j.buf = appendRecord(j.buf, t) })
	if len(j.buf) == 0 {
		return nil
	}
	_, err := j.file.WriteAt(j.buf, j.size)
	if err == nil {
		j.size += int64(len(j.buf))
		j.unsynced = true
	} else {
		j.store.dirtyAgain(j.numbers)
		// Part of it may be there. Should this fail too, what is appended next
		// goes over it.
		_ = j.file.Truncate(j.size)
		err = fmt.Errorf("usage journal: %w; counts are kept in memory until it can be written", err)
	}
	if cap(j.buf) > 1<<20 {
		j.buf, j.numbers = nil, nil
	}
	j.outcome(appendTask, err)
	return err
}

// Tasks that can fail, each reported by itself.
const (
	appendTask = iota
	syncTask
	archiveTask
)

// outcome reports the first failure of a task since it went well.
func (j *Journal) outcome(task int, err error) {
	if err != nil && !j.failing[task] && j.report != nil {
		j.report(err)
	}
	j.failing[task] = err != nil
}

func (j *Journal) segment(number int) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s%d", segmentPrefix, number))
}
