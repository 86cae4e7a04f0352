package usage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// segmentPrefix is what the names of segments begin with; a number follows.
const segmentPrefix = "usage.journal."

// keep syncs the journal, against power loss, and archives it when it is large
// or old.
func (j *Journal) keep() {
	_ = j.sync() // it has reported
	if j.due() {
		_ = j.checkpoint()
	}
}

func (j *Journal) due() bool {
	j.keeping.Lock()
	defer j.keeping.Unlock()
	j.appending.Lock()
	defer j.appending.Unlock()
	age := time.Since(j.archived)
	if j.failing[archiveTask] && age < retryEvery {
		return false
	}
	empty := j.size == int64(len(magic)) && len(j.old) == 0
	return j.failing[archiveTask] || j.size >= segmentSize || age >= checkpointEvery && !empty
}

// sync makes durable what was appended before. It does not hold up who appends.
func (j *Journal) sync() error {
	j.keeping.Lock() // so that the file stays open
	defer j.keeping.Unlock()
	err := j.syncOwed()
	if err == nil {
		err = j.syncSegment()
	}
	if err != nil {
		err = fmt.Errorf("usage journal: %w", err)
	}
	j.outcome(syncTask, err)
	return err
}

func (j *Journal) syncSegment() error {
	j.appending.Lock()
	file, size, unsynced := j.file, j.size, j.unsynced
	j.unsynced = false
	j.appending.Unlock()
	if !unsynced {
		return nil
	}
	err := j.durable.sync(file, size)
	if err != nil {
		j.appending.Lock()
		j.unsynced = true
		j.appending.Unlock()
	}
	return err
}

// syncOwed makes the segment before durable, if the archive does not have it yet.
func (j *Journal) syncOwed() error {
	if j.owed == nil {
		return nil
	}
	if err := j.owed.durable.sync(j.owed.file, j.owed.size); err != nil {
		return err
	}
	return j.forgetOwed()
}

func (j *Journal) forgetOwed() error {
	if j.owed == nil {
		return nil
	}
	file := j.owed.file
	j.owed = nil
	return file.Close()
}

// checkpoint moves the journal to the archive.
func (j *Journal) checkpoint() error {
	j.keeping.Lock()
	defer j.keeping.Unlock()
	j.archived = time.Now()
	err := j.rotate()
	if err == nil {
		err = j.writeArchive()
	}
	if err == nil {
		err = errors.Join(j.forgetOwed(), j.removeOld())
	}
	if err != nil {
		err = fmt.Errorf("usage journal: archiving: %w; it is tried again", err)
	}
	j.outcome(archiveTask, err)
	return err
}

// rotate begins another segment unless there is nothing in this one, or older
// ones are not archived yet.
func (j *Journal) rotate() error {
	j.appending.Lock()
	defer j.appending.Unlock()
	if j.size == int64(len(magic)) || len(j.old) > 0 {
		return nil
	}
	full, path := &segment{j.file, j.size, j.durable}, j.segment(j.number)
	if err := j.begin(); err != nil {
		return err
	}
	j.old, j.owed = append(j.old, path), full
	return nil
}

// begin makes the next segment and has it appended to.
func (j *Journal) begin() error {
	path := j.segment(j.number + 1)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = file.WriteString(magic); err == nil {
		err = syncDir(j.dir)
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(path)
		return err
	}
	j.file, j.size, j.unsynced = file, int64(len(magic)), true
	j.durable = durable{}
	j.number++
	return nil
}

// writeArchive writes what was appended since the last time, in transactions of
// moderate size.
func (j *Journal) writeArchive() error {
	numbers := j.store.takeTouched()
	usages := make([]definition.Usage, 0, min(len(numbers), j.batch))
	for len(numbers) > 0 {
		batch := numbers[:min(len(numbers), j.batch)]
		usages = usages[:0]
		j.store.untouch(batch, func(t total) { usages = append(usages, t.usage()) })
		if len(usages) > 0 {
			if err := j.archive.WriteUsage(usages); err != nil {
				j.store.touchAgain(batch, numbers[len(batch):])
				return err
			}
		}
		numbers = numbers[len(batch):]
	}
	return nil
}

// removeOld removes the segments that the archive now has.
func (j *Journal) removeOld() error {
	for len(j.old) > 0 {
		if err := os.Remove(j.old[0]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		j.old = j.old[1:]
	}
	return nil
}

// recover restores what the segments hold, the oldest first.
func (j *Journal) recover() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	var numbers []int
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), segmentPrefix)
		if n, err := strconv.Atoi(text); ok && err == nil && n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		path := j.segment(n)
		torn, err := restoreSegment(path, j.store)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		if torn && j.report != nil {
			j.report(fmt.Errorf("usage journal: the end of %s is incomplete, as after a crash; the rest was restored", filepath.Base(path)))
		}
		j.old = append(j.old, path)
		j.number = n
	}
	return nil
}

func restoreSegment(path string, store *Store) (torn bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	return readSegment(f, func(t total) { store.restore(t, true) })
}

// syncDir has the names of new files survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
