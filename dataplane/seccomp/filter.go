package seccomp

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where struct seccomp_data has what a filter decides by. Arguments are 64 bits,
// the lower half first on the architectures there are.
const (
	offsetNumber   = 0
	offsetArch     = 4
	offsetArgument = 16 // the first one
)

func answer(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

// program is the filter. It looks at arguments of clone and socket alone, so that
// for the other calls the kernel knows the answer without running it.
func program(allowBPF bool) []bpf.Instruction {
	p := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		answer(unix.EPERM), // another architecture's calls, with numbers of its own
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
	}
	if firstForeign > 0 {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpLessThan, Val: firstForeign, SkipTrue: 1}, answer(unix.EPERM))
	}
	is := func(number uint32, then ...bpf.Instruction) {
		p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: uint8(len(then))})
		p = append(p, then...)
	}
	for _, number := range numbers(allowBPF) {
		is(number, answer(unix.EPERM))
	}
	is(unix.SYS_CLONE,
		bpf.LoadAbsolute{Off: offsetArgument, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: namespaces, SkipTrue: 1},
		answer(unix.EPERM),
		allow)
	// Its flags are behind a pointer; libraries take this answer for an old kernel
	// and use clone.
	is(unix.SYS_CLONE3, answer(unix.ENOSYS))
	family := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetArgument, Size: 4}}
	for _, f := range families {
		family = append(family, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: f, SkipTrue: 1}, allow)
	}
	is(unix.SYS_SOCKET, append(family, answer(unix.EAFNOSUPPORT))...)
	return append(p, allow)
}

// numbers of the calls that are denied whatever their arguments are.
func numbers(allowBPF bool) []uint32 {
	all := deniedHere
	for _, group := range denied {
		all = append(all[:len(all):len(all)], group...)
	}
	if !allowBPF {
		all = append(all[:len(all):len(all)], unix.SYS_BPF)
	}
	return all
}
