// Package procstat reads what a family of processes has cost: CPU time from
// /proc/PID/stat, or in finer steps from /proc/PID/task/TID/schedstat, and private
// memory from /proc/PID/smaps_rollup (Linux, proc(5)).
package procstat

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// userHZ is the unit of utime and stime: Linux shows user space 100 ticks per
// second on every architecture, whatever the kernel's own tick is.
const userHZ = 100

// stat is the part of /proc/PID/stat that matters here.
type stat struct {
	parent int
	cpu    time.Duration // utime + stime of all threads, also the ended ones
}

// parseStat reads one line of /proc/PID/stat. The command name may hold spaces
// and parentheses, so fields are counted from its last closing one.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return stat{}, fmt.Errorf("procstat: no command name in %q", line)
	}
	f := strings.Fields(line[end+1:])
	if len(f) < 13 {
		return stat{}, fmt.Errorf("procstat: %d fields after the command name, want at least 13", len(f))
	}
	parent, err := strconv.Atoi(f[1])
	if err != nil {
		return stat{}, fmt.Errorf("procstat: parent: %w", err)
	}
	var ticks int64
	for _, s := range f[11:13] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("procstat: CPU ticks: %w", err)
		}
		ticks += n
	}
	return stat{parent: parent, cpu: time.Duration(ticks) * time.Second / userHZ}, nil
}

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, fmt.Errorf("procstat: %w", err)
	}
	return parseStat(string(b))
}

// Tree returns root and all its living descendants, root first.
func Tree(root int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("procstat: %w", err)
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil { // it may have ended meanwhile
			children[s.parent] = append(children[s.parent], pid)
		}
	}
	tree := []int{root}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// CPU returns the user and system time the processes have used since each of
// them started. Its resolution is 10 ms.
func CPU(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		s, err := readStat(pid)
		if err != nil {
			return 0, err
		}
		sum += s.cpu
	}
	return sum, nil
}

// RunTime returns how long the processes have been on a CPU since each of them
// started, without threads that have ended: what CPU says, to the nanosecond. It
// lags behind by a tick at most, for a thread that is on a CPU now.
func RunTime(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil || len(files) == 0 {
			return 0, fmt.Errorf("procstat: process %d has no threads with a schedstat, %v", pid, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // it has ended
			}
			if err != nil {
				return 0, fmt.Errorf("procstat: %w", err)
			}
			var d time.Duration
			if _, err := fmt.Sscan(string(b), &d); err != nil {
				return 0, fmt.Errorf("procstat: %s: %w", file, err)
			}
			sum += d
		}
	}
	return sum, nil
}

// UserMemory returns the bytes of anonymous and shared memory the processes
// hold, swapped-out pages too; a page several of them share is counted once.
// Program text and kernel memory (socket buffers) are not in it.
func UserMemory(pids []int) (int64, error) {
	var sum int64
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, fmt.Errorf("procstat: %w", err)
		}
		n, err := parseRollup(b)
		if err != nil {
			return 0, fmt.Errorf("procstat: process %d: %w", pid, err)
		}
		sum += n
	}
	return sum, nil
}

func parseRollup(b []byte) (int64, error) {
	want := map[string]bool{"Pss_Anon:": true, "Pss_Shmem:": true, "SwapPss:": true}
	var sum int64
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) != 3 || !want[f[0]] {
			continue
		}
		kib, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("smaps_rollup: %s %w", f[0], err)
		}
		sum += kib << 10
		delete(want, f[0])
	}
	if len(want) > 0 {
		return 0, fmt.Errorf("smaps_rollup lacks %v: it needs Linux 5.4 or later", want)
	}
	return sum, nil
}
