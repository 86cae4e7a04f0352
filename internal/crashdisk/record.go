package crashdisk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
)

// changing are the calls that are recorded: all that open, write, sync, or name
// files. One that the model does not know fails the recording, if it is about a
// file of the folder.
const changing = "openat,open,creat,close,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range," +
	"rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,copy_file_range,sendfile,splice,dup,dup2,dup3"

// longestWrite bounds a single write, in bytes.
const longestWrite = 4 << 20

// Recording is what a program did to a folder.
type Recording struct {
	root   string
	before *disk // the folder as the program found it
	events []event
}

// Record runs a program under strace until it ends, however it does, and returns
// what it did to the files in root. What it wrote to standard output are the
// promises it made: lines that a test holds a crash against. Its standard error is
// the test's.
//
// faults have calls fail, in strace's words: "fdatasync:error=EIO:when=3". when
// counts the calls of one thread.
//
// The test is skipped where there is no strace.
func Record(t testing.TB, root string, cmd *exec.Cmd, faults ...string) *Recording {
	t.Helper()
	before, err := readDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	return record(t, root, before, cmd, faults)
}

// RecordUnsynced is Record of a folder whose names of files are not durable yet: a
// program that was killed has just made them. What is in the files is.
func RecordUnsynced(t testing.TB, root string, cmd *exec.Cmd) *Recording {
	t.Helper()
	before, err := readDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	before.forgetNames()
	return record(t, root, before, cmd, nil)
}

func record(t testing.TB, root string, before *disk, cmd *exec.Cmd, faults []string) *Recording {
	t.Helper()
	strace := need.Tool(t, "strace")
	out := filepath.Join(t.TempDir(), "calls")
	args := append([]string{"-f", "-xx", "-qq", "-s", fmt.Sprint(longestWrite), "-e", "trace=" + changing, "-e", "signal=none", "-o", out, cmd.Path}, cmd.Args[1:]...)
	for _, fault := range faults {
		args = append([]string{"-e", "inject=" + fault}, args...)
	}
	traced := exec.Command(strace, args...)
	traced.Env, traced.Dir, traced.Stderr = cmd.Env, cmd.Dir, os.Stderr
	if err := traced.Run(); traced.ProcessState == nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := parseCalls(string(text))
	if err != nil {
		t.Fatalf("what strace wrote: %v", err)
	}
	r := &Recording{root: root, before: before, events: eventsOf(calls)}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	return r
}

// event is the begin or the end of a call.
type event struct {
	*call
	ended bool
}

// eventsOf puts begins and ends in the order of their lines.
func eventsOf(calls []*call) []event {
	last := 0
	for _, c := range calls {
		last = max(last, c.begin)
		if c.end != never {
			last = max(last, c.end)
		}
	}
	begins, ends := make([]*call, last+1), make([]*call, last+1)
	for _, c := range calls {
		begins[c.begin] = c
		if c.end != never {
			ends[c.end] = c
		}
	}
	var events []event
	for i := range begins {
		if c := begins[i]; c != nil {
			events = append(events, event{c, false})
		}
		if c := ends[i]; c != nil {
			events = append(events, event{c, true})
		}
	}
	return events
}

// check goes through the recording once, so that Crashes cannot fail.
func (r *Recording) check() error {
	d := r.before.clone()
	for _, e := range r.events {
		if _, err := d.apply(r.root, e); err != nil {
			return fmt.Errorf("the model of the disk: %w", err)
		}
	}
	if len(d.said) == 0 {
		return fmt.Errorf("the program said nothing: it did not do what it was started for")
	}
	return nil
}

// Scratch is an empty folder in memory where there is one, since syncing is slow
// and these files have no need of it. It is removed at the end of the test.
func Scratch(t testing.TB) string {
	t.Helper()
	const memory = "/dev/shm"
	dir, err := os.MkdirTemp(memory, "crashdisk")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
