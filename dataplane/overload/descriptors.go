package overload

import (
	"io"

	"golang.org/x/sys/unix"
)

// DescriptorLimit returns RLIMIT_NOFILE, which the Go runtime has raised to its
// hard limit.
func DescriptorLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return int(min(limit.Cur, 1<<30))
}

// descriptors counts those of the process that are open.
type descriptors struct{ folder kernelFile }

func newDescriptors() descriptors { return descriptors{openKernelFile("/proc/self/fd")} }

// open returns how many there are. Since Linux 6.2 that is the size of a folder;
// before, its entries have to be read.
func (d descriptors) open() int {
	if d.folder.File == nil {
		return 0
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(d.folder.Fd()), &st); err == nil && st.Size > 0 {
		return int(st.Size)
	}
	if _, err := d.folder.Seek(0, io.SeekStart); err != nil {
		return 0
	}
	names, _ := d.folder.Readdirnames(-1)
	return len(names)
}
