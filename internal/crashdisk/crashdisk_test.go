package crashdisk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	programVariable = "TIDEGATE_TEST_CRASHDISK_PROGRAM"
	folderVariable  = "TIDEGATE_TEST_CRASHDISK_FOLDER"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		programs[name](os.Getenv(folderVariable))
		return
	}
	os.Exit(m.Run())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// version is a file's content in its n-th version: several sectors.
func version(n int) string { return strings.Repeat(fmt.Sprintf("version %06d ", n), 100) }

// programs save versions of a file, rightly and wrongly.
var programs = map[string]func(dir string){
	"rename":              func(dir string) { saveAll(dir, true, true, true) },
	"rename, no sync":     func(dir string) { saveAll(dir, false, true, true) },
	"rename, no folder":   func(dir string) { saveAll(dir, true, false, true) },
	"in place":            func(dir string) { saveAll(dir, true, true, false) },
	"append":              appendAll,
	"folders":             makeFolders,
	"a call out of scope": func(dir string) { check(os.Symlink("x", filepath.Join(dir, "link"))); fmt.Println("saved") },
}

func saveAll(dir string, sync, folder, rename bool) {
	path := filepath.Join(dir, "file")
	for n := range 3 {
		draft := path
		if rename {
			draft += ".new"
		}
		f := must(os.Create(draft))
		must(f.WriteString(version(n)))
		if sync {
			check(f.Sync())
		}
		check(f.Close())
		if rename {
			check(os.Rename(draft, path))
		}
		if folder {
			syncFolder(dir)
		}
		fmt.Println("saved", n)
	}
}

func syncFolder(dir string) {
	d := must(os.Open(dir))
	check(d.Sync())
	check(d.Close())
}

// appendAll appends lines and syncs every second one.
func appendAll(dir string) {
	f := must(os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))
	syncFolder(dir)
	for n := range 6 {
		must(f.WriteString(fmt.Sprintf("line %d\n", n)))
		if n%2 == 1 {
			check(f.Sync())
			fmt.Println("synced", n)
		}
	}
	check(f.Truncate(7))
	check(f.Sync())
	fmt.Println("cut")
}

func makeFolders(dir string) {
	inner := filepath.Join(dir, "a", "b")
	check(os.MkdirAll(inner, 0o700))
	check(os.WriteFile(filepath.Join(inner, "c"), []byte("c"), 0o600))
	check(os.Link(filepath.Join(inner, "c"), filepath.Join(inner, "d")))
	syncFolder(inner)
	fmt.Println("names")
	syncFolder(filepath.Dir(inner))
	syncFolder(dir)
	check(os.Remove(filepath.Join(inner, "c")))
	syncFolder(inner)
	fmt.Println("removed")
}

func run(t *testing.T, program string) *Recording {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), programVariable+"="+program, folderVariable+"="+dir)
	return Record(t, dir, cmd)
}

// left reads what a crash left of a file; "none" without one.
func (c *Crash) left(name string) string {
	node := c.files[name]
	if node == nil {
		return "none"
	}
	return string(node.synced)
}

// TestSaving: the model tells the one right way to replace a file from those that
// lose it.
func TestSaving(t *testing.T) {
	for program, safe := range map[string]bool{"rename": true, "rename, no sync": false, "rename, no folder": false, "in place": false} {
		t.Run(program, func(t *testing.T) {
			crashes, broken := 0, ""
			for c := range run(t, program).Crashes(1, 8) {
				crashes++
				next := len(c.Said) // the versions before it were promised
				got := c.left("file")
				if last := "none"; got != version(next) {
					if next > 0 {
						last = version(next - 1)
					}
					if got != last {
						broken = fmt.Sprintf("%s: %d promised, found %.40q (%d bytes)", c.What, next, got, len(got))
					}
				}
			}
			if crashes < 10 || safe != (broken == "") {
				t.Errorf("%d crashes; %s", crashes, broken)
			}
		})
	}
}

func TestAppending(t *testing.T) {
	all := ""
	for n := range 6 {
		all += fmt.Sprintf("line %d\n", n)
	}
	seen := map[string]bool{}
	for c := range run(t, "append").Crashes(2, 20) {
		got := c.left("log")
		synced := all[:14*min(len(c.Said), 3)]
		switch {
		case len(c.Said) == 4:
			if got != all[:7] {
				t.Fatalf("%s: %q is left of a file that was cut", c.What, got)
			}
		case got == "none":
			if len(c.Said) > 0 {
				t.Fatalf("%s: the file is lost", c.What)
			}
		case len(c.Said) == 3 && got == all[:7]: // being cut
		case !strings.HasPrefix(got, synced):
			t.Fatalf("%s: %q does not begin with what was synced", c.What, got)
		}
		seen[got] = true
	}
	if zeros := "line 0\nline 1\n" + "\x00\x00\x00\x00\x00\x00\x00line 3\n"; !seen[zeros] {
		t.Errorf("no crash left a hole in the file: %v", seen)
	}
}

func TestFolders(t *testing.T) {
	for c := range run(t, "folders").Crashes(3, 8) {
		dir := filepath.Join(Scratch(t), "left")
		if err := c.WriteTo(dir); err != nil {
			t.Fatal(err)
		}
		_, errC := os.Stat(filepath.Join(dir, "a/b/c"))
		_, errD := os.Stat(filepath.Join(dir, "a/b/d"))
		if len(c.Said) == 2 && (errC == nil || errD != nil) {
			t.Errorf("%s: after a removal: %v, %v", c.What, errC, errD)
		}
	}
}

// TestFailedSync: a sync that succeeds does not cover what one before it could not
// write, and what was written again since is covered.
func TestFailedSync(t *testing.T) {
	calls, err := parseCalls(strings.Join([]string{
		`1 openat(AT_FDCWD, "\x2f\x72\x2f\x78", O_WRONLY|O_CREAT, 0600) = 5`,
		`1 openat(AT_FDCWD, "\x2f\x72", O_RDONLY) = 6`,
		`1 fsync(6) = 0`,
		`1 pwrite64(5, "\x61\x61", 2, 0) = 2`,
		`1 fdatasync(5) = -1 EIO (Input/output error) (INJECTED)`,
		`1 pwrite64(5, "\x62", 1, 1) = 1`,
		`1 fdatasync(5) = 0`,
		`1 write(1, "\x73\x0a", 2) = 2`,
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Recording{"/r", newDisk(), eventsOf(calls)}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for c := range r.Crashes(5, 40) {
		if len(c.Said) > 0 {
			seen[c.left("x")] = true
		}
	}
	if len(seen) != 2 || !seen["\x00b"] || !seen["ab"] {
		t.Errorf("left: %v", seen)
	}
}

func TestUnknownCallsAreRefused(t *testing.T) {
	strace := func(lines ...string) error {
		calls, err := parseCalls(strings.Join(lines, "\n"))
		if err != nil {
			return err
		}
		return (&Recording{"/r", newDisk(), eventsOf(calls)}).check()
	}
	said := `9 write(1, "\x61\x0a", 2) = 2`
	for want, err := range map[string]error{
		"":                         strace(said, `9 symlinkat("\x78", AT_FDCWD, "\x2f\x6f") = 0`, `9 openat(AT_FDCWD, "\x2f\x72\x2f\x78", O_RDONLY) = -1 ENOENT (No such file)`),
		"is not known to it":       strace(said, `9 symlinkat("\x78", AT_FDCWD, "\x2f\x72\x2f\x79") = 0`),
		"not known to it":          strace(said, `9 openat(AT_FDCWD, "\x2f\x72\x2f\x78", O_WRONLY|O_CREAT, 0600) = 5`, `9 fallocate(5, 0, 0, 9) = 0`),
		"said nothing":             strace(`9 close(3) = 0`),
		"nothing to resume":        strace(`9 <... write resumed>) = 2`),
		"no whole string":          strace(`9 write(1, "\x61"..., 2) = 1`),
		"without a result":         strace(`9 close(3) x`),
		"line 1: not a call":       strace(`9 garbage`),
		"invalid byte: U+0071 'q'": strace(`9 write(1, "q1", 2) = 2`),
	} {
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestThreads: a sync covers what had returned before it began, and no more.
func TestThreads(t *testing.T) {
	calls, err := parseCalls(strings.Join([]string{
		`1 openat(AT_FDCWD, "\x2f\x72\x2f\x78", O_WRONLY|O_CREAT, 0600) = 5`,
		`1 openat(AT_FDCWD, "\x2f\x72", O_RDONLY) = 6`,
		`1 fsync(6) = 0`,
		`1 pwrite64(5, "\x61", 1, 0) = 1`,
		`2 pwrite64(5, "\x62", 1, 1 <unfinished ...>`,
		`1 fsync(5 <unfinished ...>`,
		`2 <... pwrite64 resumed>) = 1`,
		`1 <... fsync resumed>) = 0`,
		`1 write(1, "\x73\x0a", 2) = 2`,
		`2 pwrite64(5, "\x63", 1, 2 <unfinished ...>`,
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &Recording{"/r", newDisk(), eventsOf(calls)}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for c := range r.Crashes(4, 40) {
		if len(c.Said) > 0 {
			seen[c.left("x")] = true
		}
	}
	for _, want := range []string{"a", "ab", "a\x00c", "abc"} {
		if !seen[want] {
			t.Errorf("no crash leaves %q: %v", want, seen)
		}
	}
	if len(seen) != 5 { // and "a\x00", where the length came before the byte
		t.Errorf("left: %v", seen)
	}
}
