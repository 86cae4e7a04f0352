package usage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	dir := crashdisk.Scratch(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestR16JournalPowerLoss$")
	cmd.Env = append(os.Environ(), journalVariable+"="+dir)
	recording := crashdisk.Record(t, dir, cmd)
	crashes, most := 0, 0
	scratch := crashdisk.Scratch(t)
	for crash := range recording.Crashes(16, 3) {
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
			t.Errorf("%s, after it had said %v: %d requests are restored", crash.What, crash.Said, used)
		}
		_ = h.journal.file.Close()
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d crashes", crashes)
	if most != 12 {
		t.Errorf("%d requests were promised to be kept", most)
	}
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
	h := &host{dir: dir, archive: readArchive(t, dir), plan: *onProd("gold01", quotaOf(1e6, definition.PeriodDay)), keys: journalKeys}
	h.start(t)
	step := func(f func() error, kept int) {
		if err := f(); err != nil {
			t.Fatal(err)
		}
		if kept > 0 {
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
	a.after = func() {
		var rows []definition.Usage
		for _, u := range a.rows {
			rows = append(rows, u)
		}
		text, _ := json.Marshal(rows)
		f, err := os.Create(path + ".new")
		if err == nil {
			_, err = f.Write(text)
			err = errors.Join(err, f.Sync(), f.Close(), os.Rename(f.Name(), path), syncDir(dir))
		}
		if err != nil {
			t.Fatal(err)
		}
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
