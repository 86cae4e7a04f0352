package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/internal/crashdisk"
)

const (
	journalVariable = "TIDEGATE_TEST_JOURNAL_DIR"
	journalKeys     = 3
)

// TestR16JournalPowerLoss goes through every moment of counting, writing, syncing
// and archiving. Whatever a crash there leaves is restored, with all that was
// synced and nothing twice.
func TestR16JournalPowerLoss(t *testing.T) {
	if dir := os.Getenv(journalVariable); dir != "" {
		countAndSay(t, dir)
		return
	}
	if most := eachJournalCrash(t); most != 12 {
		t.Errorf("%d requests were promised to be kept", most)
	}
}

// TestR17JournalSyncFails has a sync fail: what it was for may never get to the
// disk, and what is promised later has it all the same.
func TestR17JournalSyncFails(t *testing.T) {
	if testing.Short() {
		t.Skip("records dozens of programs; left out by -short")
	}
	for _, when := range []string{"2", "3", "4", "5", "6", "7", "8", "4+"} {
		eachJournalCrash(t, "fsync:error=EIO:when="+when)
	}
}

// eachJournalCrash goes through the crashes of a program, and returns how many
// requests it promised in the end.
func eachJournalCrash(t *testing.T, faults ...string) (most int) {
	t.Helper()
	dir := crashdisk.Scratch(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestR16JournalPowerLoss$")
	cmd.Env = append(os.Environ(), journalVariable+"="+dir)
	crashes, scratch := 0, crashdisk.Scratch(t)
	for crash := range crashdisk.Record(t, dir, cmd, faults...).Crashes(16, 3) {
		crashes++
		left := filepath.Join(scratch, fmt.Sprint(crashes))
		if err := crash.WriteTo(left); err != nil {
			t.Fatal(err)
		}
		least, counted := promisedUsage(crash.Said)
		most = max(most, least)
		h := &host{dir: left, archive: readArchive(t, left), plan: *onProd("gold01", quotaOf(1e6, definition.PeriodDay)), keys: journalKeys}
		h.start(t)
		if used := h.total(); used < int64(least) || used > int64(counted) {
			t.Errorf("%v: %s, after it had said %v: %d requests are restored", faults, crash.What, crash.Said, used)
		}
		_ = h.journal.file.Close()
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%v: %d crashes, %d promised", faults, crashes, most)
	return most
}

// total is what all keys have used on the day.
func (h *host) total() (sum int64) {
	for i := range h.keys {
		used, _ := h.used(i, boundary)
		sum += used
	}
	return sum
}

// promisedUsage is how many requests are on disk for sure, and were counted at most.
func promisedUsage(said []string) (least, counted int) {
	for _, line := range said {
		_, _ = fmt.Sscanf(line, "kept %d", &least)
		_, _ = fmt.Sscanf(line, "counting %d", &counted)
	}
	return least, counted
}

// countAndSay is the program whose disk is recorded.
func countAndSay(t *testing.T, dir string) {
	runtime.LockOSThread() // faults are counted by thread
	h := &host{dir: dir, archive: readArchive(t, dir), plan: *onProd("gold01", quotaOf(1e6, definition.PeriodDay)), keys: journalKeys}
	h.start(t)
	step := func(f func() error, kept int) {
		switch err := f(); {
		case err != nil:
			fmt.Println("failed", err)
		case kept > 0:
			fmt.Println("kept", kept)
		}
	}
	for n := 1; n <= 12; n++ {
		fmt.Println("counting", n)
		h.requests(keyID(n%journalKeys), h.stage, Overrides{}, boundary, 1)
		step(h.journal.append, 0)
		if n%2 == 0 {
			step(h.journal.sync, n)
		}
		if n%5 == 0 {
			step(h.journal.checkpoint, n)
		}
	}
	step(h.journal.Close, 12)
}

// readArchive is an archive in a file that is replaced as a whole.
func readArchive(t *testing.T, dir string) *fakeArchive {
	path := filepath.Join(dir, "archive")
	text, err := os.ReadFile(path)
	var rows []definition.Usage
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("[]"), nil
	}
	if err == nil {
		err = json.Unmarshal(text, &rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	a := &fakeArchive{}
	if err := a.WriteUsage(rows); err != nil {
		t.Fatal(err)
	}
	a.save = func() error {
		var rows []definition.Usage
		for _, u := range a.rows {
			rows = append(rows, u)
		}
		text, err := json.Marshal(rows)
		if err != nil {
			return err
		}
		f, err := os.Create(path + ".new")
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		if err == nil {
			err = f.Sync()
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if err := os.Rename(f.Name(), path); err != nil {
			return err
		}
		return syncDir(dir)
	}
	return a
}

// TestTornBeginOfASegment: a segment that was just begun may have its length, or
// part of it, and zeros for bytes.
func TestTornBeginOfASegment(t *testing.T) {
	for _, text := range []string{"", "tide", strings.Repeat("\x00", len(magic)), magic[:4] + strings.Repeat("\x00", len(magic)-4),
		strings.Repeat("\x00", len(magic)+recordSize)} {
		torn, err := readSegment(strings.NewReader(text), func(total) { t.Error("a record") })
		if err != nil || torn != (text != "") {
			t.Errorf("%q: torn %v, %v", text, torn, err)
		}
	}
	for _, text := range []string{"tidegate usage 2", "x", strings.Repeat("\x00", len(magic)-1) + "1"} {
		if _, err := readSegment(strings.NewReader(text), func(total) {}); err == nil {
			t.Errorf("%q is a segment", text)
		}
	}
}
