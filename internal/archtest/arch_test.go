package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tidegate/tidegate"

// pkg is a package as "go list -json" describes it.
type pkg struct {
	ImportPath string
	Doc        string
	GoFiles    []string // without tests
	Imports    []string // without those of tests
}

func (p *pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// packages lists the packages of the module that have more than tests.
func packages(t *testing.T) []*pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,GoFiles,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
}

func TestImportTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		seen[p.name()] = true
		allowed, ok := imports[p.name()]
		if !ok {
			t.Errorf("%s has no row in the import table", p.name())
			continue
		}
		for _, path := range p.Imports {
			of, ours := strings.CutPrefix(path, module+"/")
			if ours && !slices.Contains(allowed, of) {
				t.Errorf("%s imports %s, which its row does not allow", p.name(), of)
			}
		}
	}
	for name := range imports {
		if !seen[name] {
			t.Errorf("the row of %s has no package", name)
		}
	}
}

func TestThirdPartyWalls(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for library, allowed := range walls {
				if strings.HasPrefix(path, library) && !slices.Contains(allowed, p.name()) {
					t.Errorf("%s imports %s, which only %v may", p.name(), path, allowed)
				}
			}
		}
	}
}

func TestEveryPackageHasADoc(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.name())
		}
	}
}
