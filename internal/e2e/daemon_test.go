package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// host is what a test's host file says besides the paths and ports.
type host struct {
	tls     string // the tls section of a second listener; none when empty
	domains string // the value of domains; "*" leads to the API "test" when empty
	more    string // further lines
	also    string // further listeners, a line each
	account string // the value of throttle: more than any test sends when empty
	logged  string // the value of access_log.context; none when empty
	env     []string
}

// daemon is a running "tidegate run".
type daemon struct {
	t      testing.TB
	host   host
	dir    string
	config string
	addr   string // of the cleartext listener
	secure string // of the TLS listener
	admin  string
	socket string
	log    string // the access log
	client *control.Client
	pinned []string // folders of pins that a sandboxed daemon may write to

	program string
	cmd     *exec.Cmd
	stderr  *record
	line    []*os.Process // predecessors of cmd's process
	exited  chan struct{}
	err     error // of the process, after exited
}

// start runs a daemon until the test ends, and waits until it serves.
func start(t testing.TB, h host) *daemon {
	t.Helper()
	d := prepare(t, h)
	d.run()
	d.waitReady()
	return d
}

// prepare writes the host file, with free ports.
func prepare(t testing.TB, h host) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "tg") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, host: h, dir: dir, config: filepath.Join(dir, "tidegate.yaml"),
		addr: freeAddr(t), secure: freeAddr(t), admin: freeAddr(t),
		program: binary, socket: filepath.Join(dir, "control.sock"), log: filepath.Join(dir, "access.log")}
	if d.host.domains == "" {
		d.host.domains = `[{name: "*", mappings: [{api: test}]}]`
	}
	if d.host.account == "" {
		d.host.account = "{rate_limit: 1e9, burst_limit: 1000000000}"
	}
	if d.host.logged == "" {
		d.host.logged = "[]"
	}
	d.client = control.Dial(d.socket)
	d.write(d.host)
	t.Cleanup(func() {
		d.client.Close()
		if d.cmd != nil {
			d.kill()
			if t.Failed() {
				t.Logf("standard error of the daemon ended with:\n%s", d.stderr.tail(4<<10))
			}
			if strings.Contains(d.stderr.String(), "DATA RACE") {
				t.Errorf("data race in the daemon:\n%s", d.stderr)
			}
		}
		_ = os.RemoveAll(dir)
	})
	return d
}

// write writes the host file anew.
func (d *daemon) write(h host) {
	d.t.Helper()
	if err := os.WriteFile(d.config, []byte(d.hostText(h)), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) hostText(h host) string {
	listeners := fmt.Sprintf("  - {name: public, address: %q}\n", d.addr)
	if h.tls != "" {
		listeners += fmt.Sprintf("  - {name: secure, address: %q, tls: %s}\n", d.secure, h.tls)
	}
	listeners += h.also
	return fmt.Sprintf("state_dir: state\nlisteners:\n%sadmin: {address: %q}\ncontrol: {socket: control.sock, mode: \"0600\"}\n"+
		"access_log: {path: access.log, context: %s}\ndomains: %s\nthrottle: %s\n%s\n", listeners, d.admin, h.logged, h.domains, h.account, h.more)
}

// run starts the process.
func (d *daemon) run(wrap ...string) {
	d.t.Helper()
	args := append(d.sandboxed(wrap), d.program, "run", "--config", d.config)
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Env = append(os.Environ(), d.host.env...)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// A pipe of the test's own: successors write to it too.
	reads, writes, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.stderr = &record{}
	d.cmd.Stderr, d.cmd.Stdout = writes, writes
	d.exited, d.line = make(chan struct{}), nil
	if err := launch(d.cmd); err != nil {
		d.t.Fatal(err)
	}
	_ = writes.Close()
	written := make(chan struct{})
	go func() {
		defer close(written)
		defer reads.Close()
		_, _ = io.Copy(d.stderr, reads)
	}()
	go func(cmd *exec.Cmd, exited chan struct{}) {
		d.err = cmd.Wait()
		select {
		case <-written:
		case <-time.After(100 * time.Millisecond): // its successor writes on
		}
		close(exited)
	}(d.cmd, d.exited)
}

// waitReady waits until the admin listener says so.
func (d *daemon) waitReady() {
	d.t.Helper()
	eventually(d.t, 20*time.Second, func() error {
		select {
		case <-d.exited:
			d.t.Fatalf("the daemon ended: %v\n%s", d.err, d.stderr)
		default:
		}
		resp, err := adminClient.Get("http://" + d.admin + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != 200 {
			return fmt.Errorf("/readyz: %s", resp.Status)
		}
		return nil
	})
}

// kill ends the process at once.
func (d *daemon) kill() {
	for _, p := range d.line {
		_ = p.Kill()
	}
	_ = d.cmd.Process.Kill()
	<-d.exited
}

// terminate stops the daemon as an operator does, and fails the test if it does
// not exit with 0 in time.
func (d *daemon) terminate(within time.Duration) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	d.waitExit(within)
}

func (d *daemon) waitExit(within time.Duration) {
	d.t.Helper()
	select {
	case <-d.exited:
		if d.err != nil {
			d.t.Errorf("the daemon ended with %v:\n%s", d.err, d.stderr)
		}
	case <-time.After(within):
		d.t.Fatalf("the daemon was still there %s after it was told to stop:\n%s", within, d.stderr)
	}
}

// deploy imports a document as the API with its title, or over it, and deploys
// it at a stage.
func (d *daemon) deploy(stage, document string, variables map[string]string) (apiID string) {
	d.t.Helper()
	ctx := context.Background()
	_, title, _ := strings.Cut(document, "title: ")
	title = title[:strings.IndexAny(title, ",}\n")]
	apis, err := d.client.APIs(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, a := range apis {
		if a.Name == title {
			apiID = a.ID
		}
	}
	if apiID == "" {
		api, err := d.client.Import(ctx, []byte(document), control.ImportOptions{})
		if err != nil {
			d.t.Fatalf("import: %v", err)
		}
		apiID = api.ID
	} else if _, err := d.client.Put(ctx, apiID, []byte(document), "overwrite", control.ImportOptions{}); err != nil {
		d.t.Fatalf("put: %v", err)
	}
	if _, err := d.client.Deploy(ctx, apiID, control.DeployInput{Stage: stage, Variables: variables}); err != nil {
		d.t.Fatalf("deploy: %v", err)
	}
	return apiID
}

// descriptors counts the files that the process has open.
func (d *daemon) descriptors() int {
	d.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(entries)
}

// nextPort is where freeAddr looks first. It stays below the ports that Linux gives
// to clients, and to whoever asks for any, so that nobody takes one before a server
// does.
var nextPort atomic.Int64

func init() { nextPort.Store(int64(10_000 + rand.IntN(20_000))) }

// freeAddr returns an address that nobody listens on, another one each time.
func freeAddr(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1))
		var ln net.Listener
		if ln, err = net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			return addr
		}
	}
	t.Fatal(err)
	return ""
}

// eventually asks again until there is no error.
func eventually(t testing.TB, within time.Duration, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not after %s: %v", within, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// record is a buffer that may be read while it is written.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// tail returns the last n bytes.
func (r *record) tail(n int) string {
	text := r.String()
	return text[max(0, len(text)-n):]
}
