// Package systemd_test checks the files of this folder with systemd's own
// tools.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/need"
)

func systemdAnalyze(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(need.Tool(t, "systemd-analyze"), args...).CombinedOutput()
	return string(out), err
}

// TestServiceExposure holds the service below an exposure of 2.0 out of 10.
func TestServiceExposure(t *testing.T) {
	out, err := systemdAnalyze(t, "security", "--offline=true", "--threshold=20", "--no-pager", "tidegate.service")
	if err != nil {
		t.Fatalf("exposure is above 2.0: %v\n%s", err, out)
	}
	score := regexp.MustCompile(`Overall exposure level for tidegate.service: ([0-9.]+)`).FindStringSubmatch(out)
	if score == nil {
		t.Fatalf("no score in:\n%s", out)
	}
	if n, err := strconv.ParseFloat(score[1], 64); err != nil || n > 2.0 {
		t.Errorf("exposure %s, want at most 2.0", score[1])
	}
}

// TestUnitsVerify lets systemd parse the units, in copies whose daemon exists.
func TestUnitsVerify(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tidegate.service", "tidegate.socket"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "/usr/local/bin/tidegate", "/bin/true"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := systemdAnalyze(t, "verify", "--man=no", filepath.Join(dir, "tidegate.service"), filepath.Join(dir, "tidegate.socket"))
	for line := range strings.Lines(out) {
		if strings.Contains(line, "tidegate.") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil && !t.Failed() {
		t.Logf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestDefaultHostFile loads what make install puts into /etc/tidegate.
func TestDefaultHostFile(t *testing.T) {
	host, err := configs.Load("tidegate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := os.ReadFile("tidegate.socket")
	if err != nil {
		t.Fatal(err)
	}
	if want := "FileDescriptorName=" + host.Listeners[0].Name + "\n"; !strings.Contains(string(socket), want) {
		t.Errorf("tidegate.socket lacks %q", want)
	}
}
