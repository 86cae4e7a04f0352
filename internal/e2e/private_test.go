package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
)

// inside is an API that private listeners serve.
var inside = strings.Replace(strings.Replace(mocks, "title: test", "title: inside", 1),
	"paths:", "x-amazon-apigateway-endpoint-configuration: {types: [PRIVATE]}\n"+
		"x-amazon-apigateway-policy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, Principal: \"*\", Action: \"execute-api:Invoke\", Resource: \"execute-api:/*\"}]}\npaths:", 1)

// deployPrivate deploys it and returns the Host field that leads to it.
func (g *guarded) deployPrivate() string {
	g.t.Helper()
	g.deploy("prod", mocks, nil)
	return "Host: " + g.deploy("prod", inside, nil) + ".execute-api.localhost"
}

// ask does a request for an API's GET /pets and returns how it went: "pets", an
// error's message, or why there was no answer.
func ask(from *testnet.Namespace, addr netip.Addr, port, host string) string {
	c, err := dialIn(from, net.JoinHostPort(addr.String(), port[1:]))
	if err == nil {
		defer c.conn.Close()
		_ = c.conn.SetDeadline(time.Now().Add(2 * time.Second))
		var a *answer
		if a, err = c.ask("GET", "/prod/pets", "", host); err == nil {
			return a.body
		}
	}
	switch text := err.Error(); {
	case strings.Contains(text, "refused"):
		return refusedConnection
	case strings.Contains(text, "reset"):
		return resetConnection
	case errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(text, "timeout"):
		return silence
	default:
		return text
	}
}

const (
	anyHost = "Host: test.example"
)

// routes lets every client reach every address of the daemon's host.
func (g *guarded) routes() {
	for i := 1; i < len(g.clients); i++ {
		for _, via := range []netip.Addr{g.ends[i].IPv4, g.ends[i].IPv6} {
			g.clients[i].Namespace.IP("route", "replace", "default", "via", via.String())
		}
	}
}

// TestPrivateListener (R38): a private API is reached by the interface that leads
// to it and by no other way, whatever is sent; with and without a public listener
// at the same address; still so when the daemon was killed.
func TestPrivateListener(t *testing.T) {
	t.Parallel()
	g := guard(t, 3, host{
		also: `  - {name: inside, address: ":8443", interfaces: [veth1], endpoint: vpce-inside}
  - {name: shared, address: ":8080", interfaces: [veth1]}
`,
		more: "kernel_gate: {interfaces: [veth1, veth2], pin_dir: PINS}",
	})
	g.routes()
	private := g.deployPrivate()
	matrix := func(when string, want func(from int, port, host string) string) {
		t.Helper()
		for from := range 4 {
			n := g.net
			if from > 0 {
				n = g.clients[from].Namespace
			}
			for owner := 1; owner < len(g.ends); owner++ {
				for _, to := range []netip.Addr{g.ends[owner].IPv4, g.ends[owner].IPv6} {
					for _, port := range []string{public, ":8443"} {
						for _, host := range []string{private, anyHost} {
							if got, want := ask(n, to, port, host), want(from, port, host); got != want {
								t.Errorf("%s: from %d to %s%s, %s: %s, want %s", when, from, to, port, host, got, want)
							}
						}
					}
				}
			}
		}
		for _, to := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
			for _, port := range []string{public, ":8443"} {
				if got, want := ask(g.net, to, port, private), want(0, port, private); got != want {
					t.Errorf("%s: on the loopback to %s%s: %s, want %s", when, to, port, got, want)
				}
			}
		}
	}
	serving := func(from int, port, host string) string {
		switch {
		case from == 1 && host == private: // at either listener
			return "pets"
		case from == 1: // a regional API is none at a private listener
			return forbidden
		case port == ":8443":
			return refusedConnection
		case host == private:
			return forbidden
		}
		return "pets"
	}
	matrix("serving", serving)

	// Fragments and frames of a VLAN that the host does not have. The same from
	// the right interface shows that they are well made.
	port := uint16(8443)
	probe := func(client int, owner int, fragments bool, tag uint16) said {
		w := tap(t, g.clients[client])
		s := segment{from: netip.AddrPortFrom(g.clients[client].IPv4, 40000+uint16(client)+uint16(tag)), to: netip.AddrPortFrom(g.ends[owner].IPv4, port), flags: flagSYN, tag: tag}
		for _, f := range s.frames(g.clients[client].MAC, g.ends[client].MAC, fragments) {
			w.send(f)
		}
		return w.hear(port, 150*time.Millisecond)
	}
	if h := probe(1, 1, false, 0); !h.synAck {
		t.Errorf("a SYN by the right interface: %+v", h)
	}
	if h := probe(1, 1, true, 0); !h.synAck {
		t.Errorf("a SYN in fragments by the right interface: %+v", h)
	}
	for _, client := range []int{2, 3} {
		for _, owner := range []int{1, client} {
			for _, fragments := range []bool{false, true} {
				for _, tag := range []uint16{0, 1, 7} {
					if h := probe(client, owner, fragments, tag); h.synAck || h.bytes > 0 {
						t.Errorf("a SYN from %d to %d, in fragments %v, VLAN %d: %+v", client, owner, fragments, tag, h)
					}
				}
			}
		}
	}

	// The listener follows the name of its interface.
	g.net.IP("link", "del", "veth1")
	g.connect(t, 1)
	g.routes()
	eventually(t, 5*time.Second, func() error {
		if got := ask(g.clients[1].Namespace, g.ends[1].IPv4, ":8443", private); got != "pets" {
			return fmt.Errorf("by an interface that was made again: %s", got)
		}
		return nil
	})
	eventually(t, 5*time.Second, func() error { // so does the gate
		if out := g.cli("gate"); !strings.Contains(out, "veth1 (generic), veth2 (generic)") {
			return errors.New(out)
		}
		return nil
	})

	// Another interface leads to it after a reload, and the old one does not.
	next := g.host
	next.also = strings.Replace(next.also, "interfaces: [veth1], endpoint", "interfaces: [veth3], endpoint", 1)
	g.write(next)
	g.reload("host file applied")
	for from, want := range map[int]string{1: refusedConnection, 2: refusedConnection, 3: "pets"} {
		if got := ask(g.clients[from].Namespace, g.ends[from].IPv4, ":8443", private); got != want {
			t.Errorf("after the reload, from %d: %s, want %s", from, got, want)
		}
	}
	out := g.cli("gate", "status")
	if !strings.Contains(out, "vpce-inside") || !strings.Contains(out, "kernel") {
		t.Errorf("status:\n%s", out)
	}
	if m := g.metrics(t); !strings.Contains(m, `tidegate_private_refused_total{listener="inside"}`) {
		t.Error("the metrics do not count who was refused")
	}

	// Killed, the daemon leaves nobody in; its next start everybody as before.
	g.kill()
	matrix("killed", func(int, string, string) string { return refusedConnection })
	g.write(g.host)
	g.start()
	matrix("started again", serving)

	// A host file without private listeners takes the steering out of the kernel.
	g.terminate(10 * time.Second)
	next.also, next.more = "", ""
	g.write(next)
	g.start()
	if left := testnet.Files(t, filepath.Dir(g.pins)); len(left) > 1 {
		t.Errorf("pinned without a reason: %v", left)
	}
	if got := ask(g.clients[1].Namespace, g.ends[1].IPv4, public, anyHost); got != "pets" {
		t.Errorf("a public listener where a private one was: %s", got)
	}
}

// TestWithoutPrivileges: as nobody all works in userspace, and says so once.
func TestWithoutPrivileges(t *testing.T) {
	t.Parallel()
	nobody := []string{need.Tool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"}
	g := network(t, 2)
	g.prepare(t, host{
		also: "  - {name: inside, address: \":8443\", interfaces: [veth1, veth9]}\n",
		more: "kernel_gate: {interfaces: [veth1], pin_dir: PINS}",
	})
	if err := os.Chown(g.dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	g.start(nobody...)
	const off = "the kernel gate is off, for lack of CAP_BPF, CAP_NET_ADMIN"
	const unsteered = "private listeners cannot be steered by the kernel: no CAP_BPF"
	status := g.cli("status")
	for _, want := range []string{off, unsteered} {
		if n := strings.Count(g.stderr.String(), want); n != 1 {
			t.Errorf("the log has %d lines with %q:\n%s", n, want, g.stderr)
		}
		if !strings.Contains(status, "note: "+want) {
			t.Errorf("status lacks %q:\n%s", want, status)
		}
	}
	private := g.deployPrivate()
	reached := func(when string) {
		t.Helper()
		for _, c := range []struct {
			from int
			port string
			host string
			want []string
		}{
			{1, public, anyHost, []string{"pets"}},
			{2, public, anyHost, []string{"pets"}},
			{2, public, private, []string{forbidden}},
			{1, ":8443", private, []string{"pets"}},
			{2, ":8443", private, []string{refusedConnection, silence}},
		} {
			if got := ask(g.clients[c.from].Namespace, g.ends[c.from].IPv4, c.port, c.host); !strings.Contains(strings.Join(c.want, " or "), got) {
				t.Errorf("%s: from %d at %s, %s: %s, want %v", when, c.from, c.port, c.host, got, c.want)
			}
		}
		if got := ask(g.net, g.ends[1].IPv4, ":8443", private); got != resetConnection {
			t.Errorf("%s: from the host itself: %s", when, got)
		}
	}
	reached("at first")
	g.net.IP("link", "del", "veth1")
	g.connect(t, 1)
	eventually(t, 5*time.Second, func() error {
		if got := ask(g.clients[1].Namespace, g.ends[1].IPv4, ":8443", private); got != "pets" {
			return errors.New(got)
		}
		return nil
	})
	reached("by an interface that was made again")

	g.cli("gate", "deny", g.clients[2].IPv4.String())
	if status, header, body := g.visit(2, public, "/prod/pets"); status != 403 || byKernel(header) || body != forbidden {
		t.Errorf("denied: %d %s", status, body)
	}
	g.cli("gate", "allow", g.clients[2].IPv4.String())
	reached("denied and allowed")

	// One that would have to share its very address cannot be bound, so the
	// daemon does not start.
	g.terminate(10 * time.Second)
	next := g.host
	next.also = "  - {name: inside, address: \":8080\", interfaces: [veth1]}\n"
	g.write(next)
	g.run(append([]string{need.Tool(t, "nsenter"), "--net=" + g.net.Path(), "--"}, nobody...)...)
	select {
	case <-g.exited:
		if want := `listener \"inside\": without steering by the kernel it cannot share`; g.err == nil || !strings.Contains(g.stderr.String(), strings.ReplaceAll(want, `\`, "")) {
			t.Errorf("%v:\n%s", g.err, g.stderr)
		}
	case <-time.After(10 * time.Second):
		t.Error("the daemon serves although a private listener cannot be bound")
	}
}

// TestLeastPrivilege: the two capabilities of the systemd unit are enough, also
// for an interface that appears later and for a reload; while serving none is in
// effect.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	g := network(t, 1)
	g.prepare(t, host{
		also: "  - {name: inside, address: \":8443\", interfaces: [veth1, veth2]}\n",
		more: "kernel_gate: {interfaces: [veth1, veth2], pin_dir: PINS}",
	})
	if err := errors.Join(os.Mkdir(g.pins, 0o700), os.Chown(g.pins, 65534, 65534), os.Chown(g.dir, 65534, 65534), os.Chmod(filepath.Dir(g.pins), 0o711),
		os.Chmod(filepath.Dir(filepath.Dir(g.pins)), 0o711)); err != nil {
		t.Fatal(err)
	}
	const both = "-all,+bpf,+net_admin"
	g.start(need.Tool(t, "setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set="+both, "--inh-caps="+both, "--ambient-caps="+both, "--no-new-privs")
	private := g.deployPrivate()
	check := func(when string, interfaces int) {
		t.Helper()
		out := g.cli("gate")
		if strings.Count(out, "(generic)") != interfaces || !strings.Contains(out, "kernel") {
			t.Errorf("%s:\n%s", when, out)
		}
		for i := 1; i <= interfaces; i++ {
			if got := ask(g.clients[i].Namespace, g.ends[i].IPv4, ":8443", private); got != "pets" {
				t.Errorf("%s: from %d: %s", when, i, got)
			}
		}
		g.confined(when, confinement{permitted: 1<<unix.CAP_BPF | 1<<unix.CAP_NET_ADMIN, filtered: true})
	}
	check("at first", 1)
	g.connect(t, 2)
	eventually(t, 5*time.Second, func() error {
		if out := g.cli("gate"); strings.Count(out, "(generic)") != 2 {
			return errors.New(out)
		}
		return nil
	})
	check("with an interface more", 2)
	g.reload("host file applied")
	next := g.host
	next.more = strings.Replace(next.more, "PINS", g.pins, 1) + "\ntrusted_proxies: [192.0.2.0/24]"
	g.write(next)
	g.reload("host file applied")
	check("after a reload", 2)
	g.cli("gate", "deny", g.clients[2].IPv4.String())
	if status, header, _ := g.visit(2, public, "/prod/pets"); status != 403 || !byKernel(header) {
		t.Errorf("denied: %d, by the kernel: %v", status, byKernel(header))
	}
	next.more = strings.Replace(next.more, "pin_dir", "at_stop: close, pin_dir", 1)
	g.write(next)
	g.reload("host file applied")
	g.terminate(10 * time.Second)
	if left := testnet.Files(t, g.pins); len(left) > 1 { // steering keeps its empty folder
		t.Errorf("pinned after it was closed: %v", left)
	}
}

// TestGateNotHad: what is in the way is named, and the gateway serves.
func TestGateNotHad(t *testing.T) {
	t.Parallel()
	plain := t.TempDir()
	for name, c := range map[string]struct{ pins, want string }{
		"no BPF file system": {plain + "/pins", "the kernel gate is off, for lack of a BPF file system above " + plain + "/pins/gate (mount -t bpf bpf /sys/fs/bpf)"},
		"another program":    {"PINS", "the kernel gate is not on veth1, for lack of interface veth1 free of other XDP programs (ip link show veth1)"},
		"no such interface":  {"PINS", "the kernel gate waits for interface veth8"},
		"another gateway":    {"PINS", "another gateway has it; give this one a kernel_gate.pin_dir of its own"},
	} {
		t.Run(name, func(t *testing.T) {
			g := network(t, 1)
			interfaces := "veth1"
			switch name {
			case "another program":
				var other *gate.Gate
				if err := g.net.Do(func() (err error) {
					other, err = gate.Open(gate.Options{Dir: filepath.Dir(g.pins) + "/other", Interfaces: []string{"veth1"}})
					return err
				}); err != nil {
					t.Fatal(err)
				}
				defer other.Close()
			case "no such interface":
				interfaces = "veth8"
			case "another gateway":
				first := &guarded{net: g.net, ends: g.ends, clients: g.clients, pins: g.pins}
				first.prepare(t, host{more: "kernel_gate: {interfaces: [veth1], pin_dir: PINS}"})
				first.addr, first.admin = ":9080", "127.0.0.1:9091"
				first.write(first.host)
				first.start()
			}
			g.prepare(t, host{more: "kernel_gate: {interfaces: [" + interfaces + "], pin_dir: " + c.pins + "}"})
			g.start()
			g.deploy("prod", mocks, nil)
			if out := g.cli("status"); !strings.Contains(out, c.want) || strings.Count(g.stderr.String(), c.want) != 1 {
				t.Errorf("status:\n%s\nlog:\n%s\nwant %s", out, g.stderr, c.want)
			}
			if status, _, body := g.visit(1, public, "/prod/pets"); status != 200 {
				t.Errorf("it serves %d %s", status, body)
			}
		})
	}
}
