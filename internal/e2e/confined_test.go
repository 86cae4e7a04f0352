package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/internal/need"
)

// confinement is what the kernel says that a process may do: capabilities, a bit
// each, and whether its system calls are filtered.
type confinement struct {
	permitted, effective uint64
	filtered             bool
}

// confined looks at every thread of the daemon.
func (d *daemon) confined(when string, want confinement) {
	d.t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", d.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		d.t.Fatalf("threads %v, %v", threads, err)
	}
	var lines []string
	if !underRace { // built with C code, it keeps what it was given
		for name, set := range map[string]uint64{"Inh": 0, "Prm": want.permitted, "Eff": want.effective, "Amb": 0} {
			lines = append(lines, fmt.Sprintf("Cap%s:\t%016x", name, set))
		}
	}
	if want.filtered {
		lines = append(lines, "NoNewPrivs:\t1", "Seccomp:\t2")
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		for _, line := range lines {
			if !strings.Contains(string(text), line+"\n") {
				d.t.Errorf("%s: %s has not %q:\n%s", when, thread, line, text)
			}
		}
	}
}

// as runs the daemon as an ordinary user who has some capabilities and can get no
// other.
func (d *daemon) as(capabilities ...string) (wrap []string) {
	d.t.Helper()
	need.Root(d.t)
	if err := errors.Join(os.Chown(d.dir, nobodyID, nobodyID), os.Chown(d.config, nobodyID, nobodyID)); err != nil {
		d.t.Fatal(err)
	}
	set := strings.Join(append([]string{"-all"}, capabilities...), ",+")
	return []string{need.Tool(d.t, "setpriv"), fmt.Sprint("--reuid=", nobodyID), fmt.Sprint("--regid=", nobodyID), "--clear-groups",
		"--bounding-set=" + set, "--inh-caps=" + set, "--ambient-caps=" + set, "--no-new-privs"}
}

// nobodyID is the number of a user who owns nothing.
const nobodyID = 65534

// TestConfined: a daemon that serves has what its host file takes and nothing else,
// however much it was started with.
func TestConfined(t *testing.T) {
	t.Parallel()
	const files = 1<<unix.CAP_CHOWN | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_FOWNER
	for name, c := range map[string]struct {
		root  bool
		given []string // to who is not root
		addr  string
		more  string
		want  confinement
	}{
		"root":                  {root: true, want: confinement{permitted: files, effective: files, filtered: true}},
		"root at a low port":    {root: true, addr: ":80", want: confinement{permitted: files | 1<<unix.CAP_NET_BIND_SERVICE, effective: files, filtered: true}},
		"root with a gate":      {root: true, more: "kernel_gate: {interfaces: [veth1], pin_dir: PINS}", want: confinement{permitted: files | 1<<unix.CAP_BPF | 1<<unix.CAP_NET_ADMIN, effective: files, filtered: true}},
		"nothing":               {want: confinement{filtered: true}},
		"more than it needs":    {given: []string{"bpf", "net_admin", "net_bind_service", "sys_ptrace"}, want: confinement{filtered: true}},
		"a low port":            {given: []string{"net_bind_service", "bpf"}, addr: ":80", want: confinement{permitted: 1 << unix.CAP_NET_BIND_SERVICE, filtered: true}},
		"without the sandbox":   {more: "sandbox: false", want: confinement{}},
		"a gate it cannot have": {more: "kernel_gate: {interfaces: [veth1], pin_dir: PINS}", want: confinement{filtered: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root && allSandboxed {
				t.Skip("the unit has another user")
			}
			if underRace && c.addr+c.more != "" {
				t.Skip("built with C code it keeps its capabilities, so there is nothing to tell apart")
			}
			g := network(t, 1)
			g.prepare(t, host{more: c.more})
			if c.addr != "" {
				g.addr = c.addr
				g.write(g.host)
			}
			var wrap []string
			if !c.root {
				wrap = g.as(c.given...)
			}
			g.start(wrap...)
			g.confined("serving", c.want)
			if !c.root || underRace {
				return
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
			if line := fmt.Sprintf("CapBnd:\t%016x\n", c.want.permitted); err != nil || !strings.Contains(string(status), line) {
				t.Errorf("the programs that it starts could have more: want %s, %v:\n%s", line, err, status)
			}
		})
	}
}

// TestConfinedReload: what was let go of is not pretended to be there.
func TestConfinedReload(t *testing.T) {
	t.Parallel()
	if allSandboxed {
		t.Skip("the unit has another user")
	}
	g := guard(t, 1, host{})
	next := g.host
	next.more = "kernel_gate: {interfaces: [veth1], pin_dir: " + g.pins + "}"
	g.write(next)
	g.reload("kernel_gate.interfaces turns the kernel gate on, which takes a restart")
	if out := g.cli("gate"); strings.Contains(out, "veth1") {
		t.Errorf("it is on:\n%s", out)
	}
	next.more = "sandbox: false"
	g.write(next)
	g.reload("sandbox has changed, which takes a restart")
	g.confined("after reloads", confinement{permitted: 0xb, effective: 0xb, filtered: true})
	g.terminate(10 * time.Second)
	next.more = "kernel_gate: {interfaces: [veth1], pin_dir: " + g.pins + "}"
	g.write(next)
	g.start()
	if out := g.cli("gate"); !strings.Contains(out, "veth1") {
		t.Errorf("after a restart:\n%s", out)
	}
}

// TestLowPortOnALaterInterface: what it takes to open a port below 1024 is still
// there when an interface appears.
func TestLowPortOnALaterInterface(t *testing.T) {
	t.Parallel()
	g := network(t, 1)
	g.prepare(t, host{also: "  - {name: inside, address: \":443\", interfaces: [veth1, veth2]}\n"})
	g.start(g.as("net_bind_service")...)
	g.confined("serving", confinement{permitted: 1 << unix.CAP_NET_BIND_SERVICE, filtered: true})
	g.connect(t, 2)
	eventually(t, 5*time.Second, func() error {
		if !strings.Contains(g.stderr.String(), "private listener open on an interface\" listener=inside interface=veth2") {
			return errors.New("it is not opened")
		}
		return nil
	})
	g.confined("with an interface more", confinement{permitted: 1 << unix.CAP_NET_BIND_SERVICE, filtered: true})
}

// TestConfinedUpgrade: a successor is confined as its predecessor is, by the same one
// filter, and may open another port below 1024.
func TestConfinedUpgrade(t *testing.T) {
	t.Parallel()
	g := network(t, 1)
	g.prepare(t, host{more: "timeouts: {drain: 2s}"})
	g.addr = ":80"
	g.write(g.host)
	g.start(g.as("net_bind_service")...)
	filters := func() string {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		_, count, _ := strings.Cut(string(status), "Seccomp_filters:\t")
		count, _, _ = strings.Cut(count, "\n")
		return count
	}
	before := filters()
	for _, also := range []string{"", "  - {name: another, address: \":443\"}\n"} {
		next := g.host
		next.also = also
		g.write(next)
		if err := g.upgrade(); err != nil {
			t.Fatal(err)
		}
		g.confined("the successor", confinement{permitted: 1 << unix.CAP_NET_BIND_SERVICE, filtered: true})
		if now := filters(); now != before {
			t.Errorf("%s filters, and %s before", now, before)
		}
	}
}
