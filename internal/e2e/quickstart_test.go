package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
)

// ports moves text of the quick start from its ports to free ones.
func ports(t *testing.T) *strings.Replacer {
	t.Helper()
	var pairs []string
	for _, port := range []string{"8080", "8081", "9090"} {
		_, free, err := net.SplitHostPort(freeAddr(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"127.0.0.1:", "localhost:"} {
			pairs = append(pairs, name+port, name+free)
		}
	}
	return strings.NewReplacer(pairs...)
}

// TestQuickStart runs the script behind "make run" as whoever runs the test.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	quickStart(t, "/bin/sh")
}

// TestQuickStartAsOrdinaryUser runs it as nobody.
func TestQuickStartAsOrdinaryUser(t *testing.T) {
	t.Parallel()
	need.Root(t)
	quickStart(t, need.Tool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh")
}

// quickStart starts the quick start with a shell, does what the README shows,
// and stops it as Ctrl-C does.
func quickStart(t *testing.T, shell ...string) {
	t.Helper()
	need.Tool(t, "curl")
	move := ports(t)
	dir := copyQuickStart(t, move)
	temporary := filepath.Join(dir, "tmp")
	if err := errors.Join(os.Mkdir(temporary, 0o777), os.Chmod(temporary, 0o777)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shell[0], append(shell[1:], filepath.Join(dir, "configs/examples/quickstart/run.sh"))...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "HOME="+temporary)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	output := &record{}
	cmd.Stdout, cmd.Stderr = output, output
	if err := launch(cmd); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if t.Failed() {
			t.Logf("output of the quick start:\n%s", output)
		}
	}()
	eventually(t, 20*time.Second, func() error {
		select {
		case err := <-exited:
			t.Fatalf("it ended: %v", err)
		default:
		}
		if !strings.Contains(output.String(), "Ctrl-C stops it") {
			return errors.New("it does not say that it is ready")
		}
		return nil
	})
	for _, line := range readmeCommands(t) {
		got, err := exec.Command("/bin/sh", "-c", move.Replace(line.command)).Output()
		if err != nil {
			t.Errorf("%s: %v", line.command, err)
		}
		if want := line.output; want != "" && strings.TrimSpace(string(got)) != want {
			t.Errorf("%s gives %q, README says %q", line.command, got, want)
		}
		if len(got) == 0 {
			t.Errorf("%s gives nothing", line.command)
		}
	}

	// Ctrl-C goes to every process of the terminal.
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-exited:
		if err != nil {
			t.Errorf("after Ctrl-C: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Ctrl-C does not stop it")
	}
	if err := syscall.Kill(-cmd.Process.Pid, 0); err != syscall.ESRCH {
		t.Errorf("processes are left: %v", err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}

// copyQuickStart makes a folder like the module's, with the quick start on other
// ports and the binaries that TestMain built.
func copyQuickStart(t *testing.T, move *strings.Replacer) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Symlink(filepath.Dir(binary), filepath.Join(dir, "bin"))); err != nil {
		t.Fatal(err)
	}
	const name = "configs/examples/quickstart"
	from, to := filepath.Join(root, name), filepath.Join(dir, name)
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, entry.Name()), []byte(move.Replace(string(text))), 0o755)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

type readmeLine struct{ command, output string }

// readmeCommands returns the README's curl lines and what it says they give.
func readmeCommands(t *testing.T) (lines []readmeLine) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var last *readmeLine
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case ok && strings.HasPrefix(command, "curl "):
			lines = append(lines, readmeLine{command: command})
			last = &lines[len(lines)-1]
		case ok || line == "" || strings.HasPrefix(line, "```"):
			last = nil
		case last != nil:
			last.output = strings.TrimSpace(fmt.Sprintf("%s\n%s", last.output, line))
		}
	}
	if len(lines) < 5 {
		t.Fatalf("README.md has %d curl lines", len(lines))
	}
	return lines
}
