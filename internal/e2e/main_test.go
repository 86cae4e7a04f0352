// Package e2e holds the tests that run the built binary: what an operator, an
// SDK and a client see of it, and what it survives. There is nothing here but
// tests.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Programs that TestMain built.
var (
	binary  string // tidegate
	backend string // the quick start's example backend
)

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == becomeArgument {
		os.Exit(becomeSandboxed(os.Args[2], os.Args[3:]))
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "5") // those that may run side by side wait more than they work
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tidegate-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	// Ordinary users run the quick start from here.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary, backend = filepath.Join(dir, "bin", "tidegate"), filepath.Join(dir, "bin", "example-backend")
	for out, pkg := range map[string]string{binary: "./cmd/tidegate", backend: "./configs/examples/quickstart/backend"} {
		args := []string{"build", "-o", out}
		env := os.Environ()
		if underRace {
			args = append(args, "-race")
		} else {
			env = append(env, "CGO_ENABLED=0") // as make build
		}
		cmd := exec.Command("go", append(args, pkg)...)
		cmd.Env = env
		cmd.Dir = root
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build", pkg, err)
			return 1
		}
	}
	return m.Run()
}

// launch starts a program that ends with this process (Pdeathsig). The kernel
// means the thread that started it, and threads end that were in a network
// namespace, so one that never does starts them all.
func launch(cmd *exec.Cmd) error {
	started := make(chan error)
	launches <- func() { started <- cmd.Start() }
	return <-started
}

var launches = func() chan func() {
	queue := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range queue {
			start()
		}
	}()
	return queue
}()

// root is the module's folder.
const root = "../.."

// lesser is n, or less of it under the race detector.
func lesser(n, raced int) int {
	if underRace {
		return raced
	}
	return n
}
