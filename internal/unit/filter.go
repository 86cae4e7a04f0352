package unit

import (
	"fmt"
	"maps"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where struct seccomp_data has what filters decide by; see seccomp(2).
const (
	offsetNumber    = 0
	offsetArch      = 4
	offsetArguments = 16 // of 8 bytes each, the lower half first
)

func answer(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

// filter is a program that grows.
type filter []bpf.Instruction

// on acts on a call that is there on this architecture; then falls through where it
// does not answer.
func (f *filter) on(numbers map[string]uint32, call string, then ...bpf.Instruction) {
	number, ok := numbers[call]
	if !ok {
		return
	}
	*f = append(*f, bpf.LoadAbsolute{Off: offsetNumber, Size: 4}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: uint8(len(then))})
	*f = append(*f, then...)
}

// refuseBits answers where an argument has any of the bits.
func refuseBits(argument int, bits uint32, errno unix.Errno) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: uint32(offsetArguments + 8*argument), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: bits, SkipTrue: 1}, answer(errno),
	}
}

// compile makes one filter of all that the unit says of system calls.
func compile(k keys, analyze string) ([]bpf.RawInstruction, error) {
	arch, err := nativeArch()
	if err != nil {
		return nil, err
	}
	numbers, err := callNumbers()
	if err != nil {
		return nil, err
	}
	calls, err := allowed(analyze, k["SystemCallFilter"])
	if err != nil {
		return nil, err
	}
	for key, value := range map[string]string{"SystemCallErrorNumber": "EPERM", "SystemCallArchitectures": "native"} {
		if got := k[key]; !slices.Equal(got, []string{value}) {
			return nil, fmt.Errorf("%s=%v: only %s was thought of", key, got, value)
		}
	}
	f := filter{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1}, answer(unix.EPERM),
	}
	if err := f.families(numbers, k.words("RestrictAddressFamilies")); err != nil {
		return nil, err
	}
	f.restrictions(numbers, k)
	f = append(f, bpf.LoadAbsolute{Off: offsetNumber, Size: 4})
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		if number, ok := numbers[call]; ok && calls[call] {
			f = append(f, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1}, allow)
		}
	}
	return bpf.Assemble(append(f, answer(unix.EPERM)))
}

// families has socket(2) make those that are listed alone.
func (f *filter) families(numbers map[string]uint32, list []string) error {
	known := map[string]uint32{"AF_UNIX": unix.AF_UNIX, "AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6, "AF_NETLINK": unix.AF_NETLINK}
	then := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetArguments, Size: 4}}
	for i, name := range list {
		family, ok := known[name]
		if !ok {
			return fmt.Errorf("RestrictAddressFamilies=%s was not thought of", name)
		}
		then = append(then, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipTrue: uint8(len(list) - i)})
	}
	f.on(numbers, "socket", append(then, answer(unix.EAFNOSUPPORT))...)
	return nil
}

// restrictions are the keys that filter by arguments, as systemd does.
func (f *filter) restrictions(numbers map[string]uint32, k keys) {
	if k.on("RestrictNamespaces") {
		const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
		f.on(numbers, "clone", refuseBits(0, namespaces, unix.EPERM)...)
		f.on(numbers, "unshare", refuseBits(0, namespaces, unix.EPERM)...)
		f.on(numbers, "setns", answer(unix.EPERM))
		f.on(numbers, "clone3", answer(unix.ENOSYS))
	}
	if k.on("RestrictSUIDSGID") {
		for call, argument := range map[string]int{"chmod": 1, "fchmod": 1, "fchmodat": 2, "mkdir": 1, "mkdirat": 2, "mknod": 1, "mknodat": 2, "creat": 1} {
			f.on(numbers, call, refuseBits(argument, unix.S_ISUID|unix.S_ISGID, unix.EPERM)...)
		}
		f.on(numbers, "openat2", answer(unix.ENOSYS))
	}
	if k.on("LockPersonality") {
		f.on(numbers, "personality", answer(unix.EPERM))
	}
	if k.on("MemoryDenyWriteExecute") {
		f.on(numbers, "mprotect", refuseBits(2, unix.PROT_EXEC, unix.EPERM)...)
		f.on(numbers, "pkey_mprotect", refuseBits(2, unix.PROT_EXEC, unix.EPERM)...)
		f.on(numbers, "mmap",
			bpf.LoadAbsolute{Off: offsetArguments + 8*2, Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: unix.PROT_WRITE | unix.PROT_EXEC},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.PROT_WRITE | unix.PROT_EXEC, SkipTrue: 1}, answer(unix.EPERM))
	}
}
