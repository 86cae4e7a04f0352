package steer

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
)

// TestGenerated compiles the program anew and compares: what is committed is
// what the source says.
func TestGenerated(t *testing.T) {
	need.Tool(t, "clang-14")
	need.Tool(t, "llvm-strip-14")
	dir := t.TempDir()
	command := exec.Command("../include/bpf2go", "-output-dir", dir, "program", "steer.c")
	command.Env = append(os.Environ(), "GOPACKAGE=steer")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"program_bpfel.o", "program_bpfel.go", "program_bpfeb.o", "program_bpfeb.go"} {
		committed, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, fresh) {
			t.Errorf("%s is not what steer.c compiles to; run go generate and commit", name)
		}
	}
}
