package seccomp

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// firstForeign is 0: there are no calls under other numbers.
const firstForeign = 0

// deniedHere are those that only this architecture has.
var deniedHere []uint32
