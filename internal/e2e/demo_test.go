package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
)

// TestGateDemo runs the script behind "make demo-gate".
func TestGateDemo(t *testing.T) {
	t.Parallel()
	need.Root(t)
	need.Tool(t, "ip")
	need.Tool(t, "curl")
	dir := t.TempDir()
	const name = "configs/examples/gate"
	if err := errors.Join(os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))),
		os.Symlink(filepath.Dir(binary), filepath.Join(dir, "bin")), os.Mkdir(filepath.Join(dir, "tmp"), 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", filepath.Join(dir, name, "demo.sh"))
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"200 by the gateway", "429 by the gateway", "429 by the kernel", "sentence  198.18.0.2", "answer_sentence", "are removed"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not show %q", want)
		}
	}
	if left, failed := os.ReadDir(filepath.Join(dir, "tmp")); failed != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, failed)
	}
	if spaces, _ := exec.Command("ip", "netns", "list").Output(); strings.Contains(string(spaces), "tgdemo-") {
		t.Errorf("namespaces are left: %s", spaces)
	}
	if err != nil || t.Failed() {
		t.Errorf("%v\n%s", err, out)
	}
}
