package procstat

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const tail = " S 77 1 1 0 -1 4194560 100 0 0 0 250 131 9 9 20 0 1 0 1000 0 0"
	for name, line := range map[string]string{
		"plain name":                "12 (nginx)" + tail,
		"spaces and parentheses":    "12 (a) (b c))" + tail,
		"name that looks like more": "12 (x) S 1 2 3)" + tail,
	} {
		got, err := parseStat(line)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := (stat{parent: 77, cpu: 3810 * time.Millisecond}); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	for _, line := range []string{"", "12 (x) S 1", "12 (x) S p 1 1 0 -1 4194560 100 0 0 0 250 131"} {
		if _, err := parseStat(line); err == nil {
			t.Errorf("parseStat(%q): no error", line)
		}
	}
}

func TestParseRollup(t *testing.T) {
	const text = "55f3-7fff ---p 00000000 00:00 0 [rollup]\nRss: 9000 kB\nPss: 800 kB\nPss_Anon:   112 kB\n" +
		"Pss_File:  279 kB\nPss_Shmem:   8 kB\nSwap: 4 kB\nSwapPss:  2 kB\n"
	got, err := parseRollup([]byte(text))
	if err != nil || got != 122<<10 {
		t.Errorf("got %d, %v, want %d", got, err, 122<<10)
	}
	if _, err := parseRollup([]byte("Rss: 9000 kB\n")); err == nil {
		t.Error("a kernel without Pss_Anon: no error")
	}
}

func TestOwnProcess(t *testing.T) {
	child := exec.Command("sleep", "10")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()

	tree, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if tree[0] != os.Getpid() || !slices.Contains(tree, child.Process.Pid) {
		t.Errorf("tree %v lacks %d or its child %d", tree, os.Getpid(), child.Process.Pid)
	}
	if _, err := CPU(tree); err != nil {
		t.Error(err)
	}
	before, err := RunTime(tree)
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
	}
	if after, err := RunTime(tree); err != nil || after <= before || after-before > 10*time.Second {
		t.Errorf("run time %v, %v before, %v", after, before, err)
	}
	if _, err := RunTime([]int{1 << 30}); err == nil {
		t.Error("the run time of no process: no error")
	}
	if n, err := UserMemory(tree[:1]); err != nil || n < 1<<20 {
		t.Errorf("own memory: %d, %v", n, err)
	}
}
