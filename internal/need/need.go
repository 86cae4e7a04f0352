// Package need says what a test needs of the machine. What is missing skips the
// test with the reason; where everything has to be there, as in CI, it fails
// the test instead.
package need

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool returns the path of a program, also of one that Debian keeps where only
// root's PATH looks. Without it the test is skipped, or fails if the
// environment has TIDEGATE_REQUIRE=all.
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
	missing(t, "the program "+name+" is not installed")
	return ""
}

// Root skips a test that is not run by root, or fails it if the environment has
// TIDEGATE_REQUIRE=all.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "this takes root")
	}
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("TIDEGATE_REQUIRE") == "all" {
		t.Fatalf("%s, and TIDEGATE_REQUIRE=all", what)
	}
	t.Skip(what)
}
