package overload

import (
	"bytes"
	"math"
	"os"
	"path"
	"runtime/metrics"
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
	host    int64 // what there is
	statm   kernelFile
	cgroup  *cgroup
	live    []metrics.Sample
	buffer  [4096]byte
}

// newMemory finds the limits of the process. root is "/" but in tests.
func newMemory(limit, goLimit int64, root string) *memory {
	return &memory{
		limit: limit, goLimit: goLimit, host: hostMemory(), statm: openKernelFile("/proc/self/statm"), cgroup: findCgroup(root),
		live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}},
	}
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
	_, rest, _ := bytes.Cut(m.statm.read(m.buffer[:]), []byte(" "))
	return digits(rest) * pageSize
}

var pageSize = int64(os.Getpagesize())

// hostMemory returns what the host has.
func hostMemory() int64 {
	text, _ := os.ReadFile("/proc/meminfo")
	return 1024 * field(text, []byte("MemTotal:"))
}

// cgroup is the control group, of the process or around it, with the lowest
// memory limit. Of what it uses, files that were not used lately do not count:
// the kernel takes those back first.
type cgroup struct {
	limit       int64
	usage, stat kernelFile
	inactive    []byte // the line of stat
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
				lowest = &cgroup{n, openKernelFile(path.Join(at, usage)), openKernelFile(path.Join(at, "memory.stat")), []byte(inactive + " ")}
			}
			if dir == "/" {
				break
			}
		}
	}
	return lowest
}

func (c *cgroup) used(buffer []byte) int64 {
	used := digits(c.usage.read(buffer))
	return max(0, used-field(c.stat.read(buffer), c.inactive))
}

// number reads a file with one number; 0 is none.
func number(file string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	return digits(text)
}

// field returns the number on the line that begins with a name.
func field(text, name []byte) (n int64) {
	for len(text) > 0 {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, name); ok {
			return digits(bytes.TrimLeft(value, " "))
		}
		text = rest
	}
	return 0
}

// digits is the number that a text begins with.
func digits(text []byte) (n int64) {
	for _, c := range text {
		if c < '0' || c > '9' || n > math.MaxInt64/10-9 {
			break
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// kernelFile is a file that says something else each time. It stays open, so that
// it can be read when no descriptor is left, and without allocating.
type kernelFile struct{ *os.File }

// openKernelFile never fails: what cannot be opened is empty.
func openKernelFile(name string) kernelFile {
	f, err := os.Open(name)
	if err != nil {
		return kernelFile{}
	}
	return kernelFile{f}
}

// read reads the start of the file, as much as the buffer holds.
func (f kernelFile) read(buffer []byte) []byte {
	if f.File == nil {
		return nil
	}
	n, _ := f.ReadAt(buffer, 0)
	return buffer[:n]
}
