package gate

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/tidegate/tidegate/internal/need"
)

// TestGenerated compiles the program anew and compares: what is committed is
// what the source says.
func TestGenerated(t *testing.T) {
	need.Tool(t, "clang-14")
	need.Tool(t, "llvm-strip-14")
	dir := t.TempDir()
	command := exec.Command("../include/bpf2go", "-output-dir", dir, "-type", "reason", "program", "gate.c")
	command.Env = append(os.Environ(), "GOPACKAGE=gate")
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
			t.Errorf("%s is not what gate.c compiles to; run go generate and commit", name)
		}
	}
}

// Go names every reason of the program's as the program does.
func TestReasonsAreTheProgramsOwn(t *testing.T) {
	spec, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	var enum *btf.Enum
	if err := spec.Types.TypeByName("reason", &enum); err != nil {
		t.Fatal(err)
	}
	if len(enum.Values) != len(reasons)+1 { // and how many there are
		t.Errorf("%d reasons in Go, %d in C", len(reasons), len(enum.Values)-1)
	}
	for _, v := range enum.Values[:len(reasons)] {
		if got := Reason(v.Value).String(); got != strings.ToLower(v.Name) {
			t.Errorf("reason %d is %q in Go and %s in C", v.Value, got, v.Name)
		}
	}
	if max := spec.Maps[programMapCounters].MaxEntries; len(reasons) > int(max) {
		t.Errorf("%d counters for %d reasons", max, len(reasons))
	}
}
