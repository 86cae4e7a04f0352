package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/configs"
)

// firstInherited is SD_LISTEN_FDS_START of sd_listen_fds(3).
const firstInherited = 3

// inheritedFile is a descriptor that came with the start of the process, and that
// programs which this one starts do not get.
func inheritedFile(fd int, name string) *os.File {
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name)
}

// inherited returns the listening sockets that systemd passed, by their
// FileDescriptorName. Every one must be of a listener of the host file, for a
// socket that nobody accepts on would let clients hang.
func inherited(getenv func(string) string, listeners []configs.Listener) (map[string]*os.File, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	count, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || count < 0 {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not a count", getenv("LISTEN_FDS"))
	}
	var names []string
	if list := getenv("LISTEN_FDNAMES"); list != "" {
		names = strings.Split(list, ":")
	}
	files := map[string]*os.File{}
	for i := range count {
		if i >= len(names) {
			return nil, fmt.Errorf("inherited socket %d has no name: set FileDescriptorName= in its .socket unit", i+1)
		}
		name := names[i]
		if !slices.ContainsFunc(listeners, func(l configs.Listener) bool { return l.Name == name }) {
			return nil, fmt.Errorf("inherited socket %q: the host file has no listener of that name", name)
		}
		if files[name] != nil {
			return nil, fmt.Errorf("two inherited sockets are named %q: give each .socket unit one ListenStream= and its own FileDescriptorName=", name)
		}
		files[name] = inheritedFile(firstInherited+i, name)
	}
	return files, nil
}
