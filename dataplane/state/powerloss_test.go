package state

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/crashdisk"
)

// program is the child with what it is to do, for a recording.
func program(dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	return cmd
}

// eachCrash calls f with what every crash leaves, in a folder of its own, and
// returns all that was said.
func eachCrash(t *testing.T, r *crashdisk.Recording, seed uint64, choices int, f func(dir string, said []string) error) (said []string) {
	t.Helper()
	scratch, crashes := crashdisk.Scratch(t), 0
	for crash := range r.Crashes(seed, choices) {
		said = crash.Said
		if crashes++; underRace && crashes%12 != 0 {
			continue // there is one goroutine
		}
		left := filepath.Join(scratch, "left")
		if err := crash.WriteTo(left); err != nil {
			t.Fatal(err)
		}
		if err := f(left, crash.Said); err != nil {
			t.Errorf("%s, after it had said %v: %v", crash.What, crash.Said, err)
		}
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d crashes", crashes)
	return said
}

// promised is the last number that was said to be ack or copied, -1 for none.
func promised(said []string, word string) (last int) {
	last = -1
	for _, line := range said {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			_, _ = fmt.Sscan(rest, &last)
		}
	}
	return last
}

// TestR16PowerLoss goes through every moment of a first start, some writes and
// copies. Whatever a crash there leaves opens, and has all that was acknowledged;
// and if the state file is damaged besides, the copy has all that was in it.
func TestR16PowerLoss(t *testing.T) {
	dir := crashdisk.Scratch(t)
	const writes = 6
	recording := crashdisk.Record(t, dir, program(dir, fmt.Sprint(childWrites, "=", writes), childCopies+"=3"))
	turn := 0
	all := eachCrash(t, recording, 16, 2, func(left string, said []string) error {
		if err := survives(t, left, promised(said, "ack")); err != nil {
			return err
		}
		copied := promised(said, "copied")
		if turn++; copied < 0 || turn%8 != 0 {
			return nil
		}
		path := filepath.Join(left, fileName)
		if err := os.WriteFile(path, []byte("no state file at all"), 0o600); err != nil {
			return err
		}
		_, err := Open(left)
		var damaged *DamagedError
		if !errors.As(err, &damaged) {
			return fmt.Errorf("damaged: %w", err)
		}
		if err := FallBack(left, damaged); err != nil {
			return err
		}
		return survives(t, left, copied)
	})
	if acknowledged := promised(all, "ack"); acknowledged != writes-1 {
		t.Errorf("write %d of %d is the last acknowledged", acknowledged, writes)
	}
}

// TestR16PowerLossAfterAKill: what a start that was killed left behind is made
// durable by the next, before that promises anything.
func TestR16PowerLossAfterAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("records dozens of programs; left out by -short")
	}
	dir := crashdisk.Scratch(t)
	first := crashdisk.Record(t, dir, program(dir, childWrites+"=1"))
	scratch, kills := crashdisk.Scratch(t), 0
	for crash := range first.Crashes(19, 0) {
		if !crash.Kill || len(crash.Said) > 0 {
			continue
		}
		kills++
		left := filepath.Join(scratch, "left")
		if err := crash.WriteTo(left); err != nil {
			t.Fatal(err)
		}
		second := crashdisk.RecordUnsynced(t, left, program(left, childWrites+"=2"))
		eachCrash(t, second, 20, 0, keeps)
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	if kills < 10 {
		t.Errorf("%d kills", kills)
	}
}

// survives opens what is left and looks whether the writes to last are there, and
// others only as a whole.
func survives(t *testing.T, dir string, last int) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := readAll(s); err != nil {
		return err
	}
	c, err := s.Load()
	if err != nil {
		return err
	}
	found := -1
	for n := range last + 4 {
		if present(s, c, n) == nil {
			found = n
		}
	}
	for n := range last + 1 {
		deleted := n%3 == 2 && n < found
		if err := present(s, c, n); err != nil && !deleted {
			return fmt.Errorf("write %d: %w", n, err)
		}
	}
	if used := counted(t, s); used < int64(last+1) || used > int64(found+1) {
		return fmt.Errorf("usage is %d, and write %d the last one there", used, found)
	}
	return nil
}

// heal is a child that opens the store as a start of the gateway does.
func heal(dir string) {
	s, err := openHealed(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open", s.Fallback() != nil)
	_ = s.Close()
	os.Exit(0)
}

// openHealed is Open, and FallBack where the file is damaged.
func openHealed(dir string) (*Store, error) {
	s, err := Open(dir)
	if err == nil {
		if err = s.sound(); err == nil {
			return s, nil
		}
		_ = s.Close()
	}
	var damaged *DamagedError
	if !errors.As(err, &damaged) {
		return nil, err
	}
	if err := FallBack(dir, damaged); err != nil {
		return nil, err
	}
	return Open(dir)
}

// TestR16PowerLossInFallback: a crash at every moment of falling back is fallen
// back from, and the alarm stays.
func TestR16PowerLossInFallback(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"damaged": func(path string) error { return os.WriteFile(path, make([]byte, 20_000), 0o600) },
		"missing": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := crashdisk.Scratch(t)
			s := mustOpen(t, dir)
			for n := range 3 {
				mustWrite(t, s, nth(n))
				if err := s.WriteUsage(nthUsage(n)); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(s.copy(), s.Close(), spoil(filepath.Join(dir, fileName))); err != nil {
				t.Fatal(err)
			}
			recording := crashdisk.Record(t, dir, program(dir, childHeals+"=1"))
			said := eachCrash(t, recording, 17, 4, func(left string, _ []string) error {
				s, err := openHealed(left)
				if err != nil {
					return err
				}
				f := s.Fallback()
				_ = s.Close()
				files, _ := filepath.Glob(filepath.Join(left, fileName+damagedSuffix+"*"))
				switch {
				case f == nil:
					return errors.New("no alarm")
				case name == "missing" && (f.Damaged != "" || len(files) != 0):
					return fmt.Errorf("%+v, %v", f, files)
				case name == "damaged" && (len(files) == 0 || filepath.Base(f.Damaged) != filepath.Base(files[len(files)-1])):
					return fmt.Errorf("%+v, %v", f, files)
				}
				return survives(t, left, 2)
			})
			if len(said) != 1 || said[0] != "open true" {
				t.Errorf("it said %q", said)
			}
		})
	}
}

// TestR17SyncFails has one sync fail, or all from it on, at each place of a write.
// What was acknowledged survives a crash at every moment then too, though what that
// sync was for may never get to the disk; what was refused is not there; and what
// was said to be unsettled is there as long as there is no crash.
func TestR17SyncFails(t *testing.T) {
	if testing.Short() {
		t.Skip("records dozens of programs; left out by -short")
	}
	outcomes := map[string]int{}
	whens := []string{"6", "7", "8", "9", "9+", "10+", "11+", "12+"}
	// Which sync is which depends on when the copy is made, so all outcomes may take a
	// few rounds.
	for n := 0; n < len(whens) || n < 4*len(whens) && len(outcomes) < 3; n++ {
		when := whens[n%len(whens)]
		dir := crashdisk.Scratch(t)
		recording := crashdisk.Record(t, dir, program(dir, childWrites+"=5"), "fdatasync:error=EIO:when="+when)
		said := eachCrash(t, recording, 18, 1, keeps)
		s := mustOpen(t, dir) // no crash: the files as they are
		if err := readAll(s); err != nil {
			t.Fatal(err)
		}
		for _, line := range said {
			word, rest, _ := strings.Cut(line, " ")
			outcomes[word]++
			var nth int
			_, _ = fmt.Sscan(rest, &nth)
			there := present(s, mustLoad(t, s), nth) == nil || nth%3 == 2 // or deleted
			switch {
			case (word == "ack" || word == "unsettled") && !there:
				t.Errorf("sync %s: %q, and it is not there", when, line)
			case word == "failed" && there && nth%3 != 2:
				t.Errorf("sync %s: %q, and it is there", when, line)
			case word == "failed" && !strings.Contains(line, "input/output error"):
				t.Errorf("sync %s: %q", when, line)
			}
		}
	}
	t.Log(outcomes)
	if outcomes["ack"] == 0 || outcomes["failed"] == 0 || outcomes["unsettled"] == 0 {
		t.Error("not all that may come of it came")
	}
}

// keeps opens what is left and looks whether the writes that were acknowledged are
// there.
func keeps(dir string, said []string) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := readAll(s); err != nil {
		return err
	}
	c, err := s.Load()
	if err != nil {
		return err
	}
	for _, line := range said {
		var n int
		if _, err := fmt.Sscanf(line, "ack %d", &n); err != nil || n%3 == 2 {
			continue
		}
		if err := present(s, c, n); err != nil {
			return fmt.Errorf("write %d: %w", n, err)
		}
	}
	return nil
}
