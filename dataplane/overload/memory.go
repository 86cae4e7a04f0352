package overload

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path"
	"runtime/metrics"
	"strconv"
	"strings"
)

// MemoryUse is how much of what memory is in use, in bytes.
type MemoryUse struct {
	Used  int64
	Limit int64
	Of    string // whose limit it is, for a person to read
}

func (u MemoryUse) share() float64 {
	if u.Limit <= 0 {
		return 0
	}
	return float64(u.Used) / float64(u.Limit)
}

// memory reads how much is in use. The tightest of its limits counts.
type memory struct {
	limit   int64 // of the host file; 0 for none
	goLimit int64 // GOMEMLIMIT; math.MaxInt64 for none
	host    int64
	cgroup  *cgroup
	live    []metrics.Sample
	buffer  [4096]byte
}

// newMemory finds the limits of the process. root is "/" but in tests.
func newMemory(limit, goLimit int64, root string) *memory {
	return &memory{limit: limit, goLimit: goLimit, host: hostMemory(), cgroup: findCgroup(root), live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
}

// bound returns the limit that the process must not go over: that of the host
// file or of the control group; 0 is none.
func (m *memory) bound() int64 {
	if m.limit > 0 {
		return m.limit
	}
	if m.cgroup != nil {
		return m.cgroup.limit
	}
	return 0
}

// read never fails: what cannot be read counts as not in use.
func (m *memory) read() MemoryUse {
	resident := m.resident()
	var worst MemoryUse
	consider := func(u MemoryUse) {
		if u.share() > worst.share() || worst.Limit == 0 {
			worst = u
		}
	}
	if m.limit > 0 {
		consider(MemoryUse{resident, m.limit, "overload.memory_bytes"})
	}
	if m.cgroup != nil {
		consider(MemoryUse{m.cgroup.used(m.buffer[:]), m.cgroup.limit, "the control group"})
	}
	if m.goLimit != math.MaxInt64 {
		// What is garbage does not count: the collector lets it grow up to the limit.
		metrics.Read(m.live)
		consider(MemoryUse{int64(m.live[0].Value.Uint64()), m.goLimit, "GOMEMLIMIT"})
	}
	if worst.Limit == 0 {
		worst = MemoryUse{resident, m.host, "the host"}
	}
	return worst
}

// resident returns the resident memory of the process (proc(5), statm).
func (m *memory) resident() int64 {
	fields := bytes.Fields(readInto("/proc/self/statm", m.buffer[:]))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// hostMemory returns what the host has.
func hostMemory() int64 {
	text, _ := os.ReadFile("/proc/meminfo")
	return 1024 * field(text, "MemTotal:")
}

// cgroup is the control group, of the process or around it, with the lowest
// memory limit. Of what it uses, files that were not used lately do not count:
// the kernel takes those back first.
type cgroup struct {
	limit    int64
	usage    string // files
	stat     string
	inactive string // of stat
}

// findCgroup returns nil if no group has a limit.
func findCgroup(root string) *cgroup {
	text, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	var lowest *cgroup
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, limit, usage, inactive := "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"
		switch {
		case parts[1] == "" && parts[0] == "0": // version 2
		case strings.Contains(","+parts[1]+",", ",memory,"):
			base, limit, usage, inactive = "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
		default:
			continue
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			at := path.Join(root, base, dir)
			if n := number(path.Join(at, limit)); n > 0 && n < 1<<60 && (lowest == nil || n < lowest.limit) {
				lowest = &cgroup{n, path.Join(at, usage), path.Join(at, "memory.stat"), inactive}
			}
			if dir == "/" {
				break
			}
		}
	}
	return lowest
}

func (c *cgroup) used(buffer []byte) int64 {
	used, _ := strconv.ParseInt(string(bytes.TrimSpace(readInto(c.usage, buffer))), 10, 64)
	return max(0, used-field(readInto(c.stat, buffer), c.inactive+" "))
}

// number reads a file with one number; 0 is none.
func number(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// field returns the number on the line that begins with a name.
func field(text []byte, name string) (n int64) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			if _, err := fmt.Sscan(string(rest), &n); err == nil {
				return n
			}
		}
	}
	return 0
}

// readInto reads the start of a file, as much as the buffer holds.
func readInto(file string, buffer []byte) []byte {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	n, _ := f.Read(buffer)
	return buffer[:n]
}
