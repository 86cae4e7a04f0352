// Package need says what a test needs of the machine. What is missing skips the
// test with the reason; where everything has to be there, as in CI, it fails the
// test instead: with TIDEGATE_REQUIRE=all whatever it is, with REQUIRE_BPF=1 what
// the tests of kernel programs need.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns the path of a program, also of one that Debian keeps where only
// root's PATH looks. Without it the test is skipped, or fails where it is required.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	missing(t, "the program "+name+" is not installed", kernelTools[name])
	return ""
}

// kernelTools compile kernel programs and make networks to try them in.
var kernelTools = map[string]bool{"clang-14": true, "llvm-strip-14": true, "ip": true, "nsenter": true}

// Root skips a test that is not run by root, or fails it where root is required.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "this takes root", true)
	}
}

func missing(t testing.TB, what string, bpf bool) {
	t.Helper()
	if os.Getenv("TIDEGATE_REQUIRE") == "all" {
		t.Fatalf("%s, and TIDEGATE_REQUIRE=all", what)
	}
	if bpf && os.Getenv("REQUIRE_BPF") == "1" {
		t.Fatalf("%s, and REQUIRE_BPF=1", what)
	}
	t.Skip(what)
}
