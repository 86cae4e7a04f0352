//go:build !amd64 && !arm64

package seccomp

// auditArch is 0: no filter was tried on this architecture.
const auditArch = 0

const firstForeign = 0

var deniedHere []uint32
