package overload

import (
	"os"

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

// descriptorsOpen counts the open descriptors of the process. Since Linux 6.2
// that is the size of a folder; before, its entries have to be read.
func descriptorsOpen() int {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/fd", &st); err == nil && st.Size > 0 {
		return int(st.Size)
	}
	f, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	return len(names)
}
