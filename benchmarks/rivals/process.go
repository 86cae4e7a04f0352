package rivals

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a started server with its output in a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended
}

// launch starts argv in dir, on the host of the site. The server ends with this
// process, however that ends.
func (s Site) launch(dir string, env []string, argv ...string) (*process, error) {
	path, err := find(argv[0])
	if err != nil {
		return nil, err
	}
	argv[0] = path
	if s.On != nil {
		argv = s.On.Host.Command(argv...)
	}
	p := &process{log: filepath.Join(dir, "output.log"), done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	return p, nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks the server to end and, when it takes too long, kills its group.
func (p *process) stop() {
	if p.ended() {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(3 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

func (p *process) logTail() string {
	b, err := os.ReadFile(p.log)
	if b = bytes.TrimSpace(b); err != nil || len(b) == 0 {
		return ""
	}
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return "\nits output ends:\n" + string(b)
}

// find looks a binary up in PATH and where Debian keeps servers, which an
// ordinary user's PATH may lack.
func find(binary string) (string, error) {
	if path, err := exec.LookPath(binary); err == nil {
		return filepath.Abs(path)
	}
	if !strings.Contains(binary, "/") {
		if path := filepath.Join("/usr/sbin", binary); isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", binary)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// packages are the Debian packages the harness needs, by binary.
var packages = map[string]string{
	"nginx": "nginx-light", "haproxy": "haproxy", "caddy": "caddy", "wrk": "wrk", "varnishd": "varnish",
	"ip": "iproute2", "nft": "nftables",
}

// Install makes sure the binaries (keys of packages) exist: as root it installs
// what lacks with apt-get, otherwise its error names the command to run.
func Install(binaries ...string) error {
	var lacking []string
	for _, b := range binaries {
		if _, err := find(b); err != nil {
			lacking = append(lacking, packages[b])
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, lacking...)
	if os.Geteuid() != 0 {
		return errors.New("lacking " + strings.Join(lacking, ", ") + ": run sudo " + strings.Join(install, " "))
	}
	for _, argv := range [][]string{{"apt-get", "update"}, install} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
		}
	}
	return nil
}
