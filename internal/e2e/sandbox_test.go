package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/unit"
)

// With TIDEGATE_SANDBOX=1 every daemon that a test does not give a user itself runs
// as the systemd unit would run it (see package unit), and may write to its own
// folder and its pins alone. This binary is then started again to become the daemon.

var allSandboxed = os.Getenv("TIDEGATE_SANDBOX") == "1"

// becomeArgument is this binary's first argument when it is to become a daemon. The
// second one is a sandbox in JSON, and the command follows.
const becomeArgument = "become-sandboxed"

type sandbox struct {
	Confinement *unit.Confinement
	Writable    []string
}

// becomeSandboxed returns only if it fails.
func becomeSandboxed(text string, command []string) int {
	var s sandbox
	err := json.Unmarshal([]byte(text), &s)
	if err == nil {
		err = s.Confinement.Exec(nobodyID, s.Writable, command)
	}
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	return 1
}

var unitConfinement = sync.OnceValues(func() (*unit.Confinement, error) {
	return unit.Read(filepath.Join(root, "configs/systemd/tidegate.service"), "systemd-analyze")
})

// sandboxed adds to what is put before the daemon's command.
func (d *daemon) sandboxed(wrap []string) []string {
	d.t.Helper()
	if !allSandboxed || slices.Contains(wrap, becomeArgument) ||
		slices.ContainsFunc(wrap, func(w string) bool { return filepath.Base(w) == "setpriv" }) {
		return wrap
	}
	return append(wrap, d.asUnit()...)
}

// asUnit is what to put before the daemon's command.
func (d *daemon) asUnit() []string {
	d.t.Helper()
	need.Root(d.t)
	need.Tool(d.t, "systemd-analyze")
	c, err := unitConfinement()
	if err != nil {
		d.t.Fatal(err)
	}
	d.letIn()
	text, err := json.Marshal(sandbox{Confinement: c, Writable: append(d.pinned, d.dir)})
	if err != nil {
		d.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	return []string{self, becomeArgument, string(text)}
}

// letIn gives the files that the host file names to the daemon's user, and lets him
// pass through their folders. A folder of pins is made.
func (d *daemon) letIn() {
	d.t.Helper()
	config, err := os.ReadFile(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, path := range regexp.MustCompile(regexp.QuoteMeta(os.TempDir())+`/[^\s,"'\]}]+`).FindAllString(string(config), -1) {
		if strings.HasPrefix(path, d.dir) {
			continue
		}
		if strings.Contains(string(config), "pin_dir: "+path) && !slices.Contains(d.pinned, path) {
			d.pinned = append(d.pinned, path) // also when a later host file names others
			if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
				d.t.Fatal(err)
			}
		}
		err := os.Lchown(path, nobodyID, nobodyID)
		for dir := filepath.Dir(path); err == nil && dir != os.TempDir(); dir = filepath.Dir(dir) {
			err = os.Chmod(dir, 0o711)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			d.t.Fatal(err)
		}
	}
}

// TestUnit runs the daemon as it is installed: the installed host file, but for
// paths and ports, under the unit.
func TestUnit(t *testing.T) {
	t.Parallel()
	d := prepare(t, host{})
	text, err := os.ReadFile(filepath.Join(root, "configs/systemd/tidegate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	group, err := user.LookupGroupId(fmt.Sprint(nobodyID))
	if err != nil {
		t.Fatal(err)
	}
	installed := strings.NewReplacer("127.0.0.1:8080", d.addr, "127.0.0.1:9090", d.admin, "/var/lib/tidegate", d.dir+"/state", "/run/tidegate", d.dir,
		"/var/log/tidegate", d.dir, "group: tidegate", "group: "+group.Name, "domains: []", `domains: [{name: "*", mappings: [{api: test}]}]`).Replace(string(text))
	if err := os.WriteFile(d.config, []byte(installed), 0o644); err != nil {
		t.Fatal(err)
	}
	d.run(d.asUnit()...)
	d.waitReady()
	d.confined("serving", confinement{filtered: true})
	d.deploy("prod", mocks, nil)
	if got, err := http.Get("http://" + d.addr + "/prod/pets"); err != nil || got.StatusCode != 200 {
		t.Errorf("%v, %v", got, err)
	}
	info, err := os.Stat(d.socket)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); info.Mode().Perm() != 0o660 || s.Uid != nobodyID || s.Gid != nobodyID {
		t.Errorf("the control socket is %v of %d:%d", info.Mode(), s.Uid, s.Gid)
	}
	d.reload("host file applied")
	d.terminate(10 * time.Second)
}
