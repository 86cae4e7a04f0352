package testnet

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// FS mounts a BPF file system for one test and returns its folder. It is not
// /sys/fs/bpf, so that tests neither find nor leave anything there.
func FS(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("bpffs", dir, "bpf", 0, ""); err != nil {
		t.Fatalf("mount a BPF file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// Files lists what is pinned under dir, folders included, sorted and relative to
// it. The kernel's own maps.debug and progs.debug are left out.
func Files(t testing.TB, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if rel, _ := filepath.Rel(dir, path); rel != "." && !strings.HasSuffix(rel, ".debug") {
			found = append(found, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(found)
	return found
}

// NoLeaks fails the test if, at its end, the process holds more descriptors of
// BPF objects than now. Call it before anything that registers a cleanup.
func NoLeaks(t testing.TB) {
	t.Helper()
	before := bpfDescriptors(t)
	t.Cleanup(func() {
		var after int
		for range 50 { // finalizers and deferred releases take their time
			if after = bpfDescriptors(t); after <= before {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("%d descriptors of BPF objects stayed open", after-before)
	})
}

func bpfDescriptors(t testing.TB) (count int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		target, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%s", e.Name()))
		if err == nil && strings.Contains(target, "bpf") && strings.HasPrefix(target, "anon_inode:") {
			count++
		}
	}
	return count
}
