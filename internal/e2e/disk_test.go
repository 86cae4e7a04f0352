package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/need"
)

// hardship is a daemon whose disk fails, and what goes on meanwhile.
type hardship struct {
	*daemon
	*testing.T
	account   *account
	api       string
	plan, key string
	value     string
	served    int64 // requests with the key
	traffic   *traffic
}

func endure(t *testing.T, d *daemon) *hardship {
	t.Helper()
	awayFromMidnight()
	h := &hardship{daemon: d, T: t, account: d.account(t), api: d.deploy("prod", keyed, nil)}
	h.plan = h.account.plan(nil, quota(1_000_000, types.QuotaPeriodTypeMonth), h.api+":prod")
	h.key, h.value = h.account.key(h.plan)
	h.traffic = newTraffic(4, d.addr, 5*time.Millisecond, get("/prod/free", len("free")))
	h.call(50)
	return h
}

// call makes requests with the key, all of which are served.
func (h *hardship) call(n int) {
	h.Helper()
	c, err := dial(h.addr)
	if err != nil {
		h.Fatal(err)
	}
	defer c.conn.Close()
	for range n {
		a, err := c.ask("GET", "/prod/pets", "", "X-API-Key: "+h.value)
		if err != nil || a.status != 200 {
			h.Fatalf("with the key: %+v, %v", a, err)
		}
		h.served++
	}
}

// refused waits until a deployment fails, and checks that it says why and changes
// nothing.
func (h *hardship) refused(cause string) {
	h.Helper()
	ctx := context.Background()
	before := 0
	eventually(h.T, 10*time.Second, func() error {
		all, err := h.client.Deployments(ctx, h.api)
		if err != nil {
			h.Fatal(err)
		}
		before = len(all)
		_, err = h.client.Deploy(ctx, h.api, control.DeployInput{Stage: "prod", Description: strings.Repeat("long ", 200)})
		if err == nil {
			return errors.New("a deployment is stored")
		}
		var answered *control.Error
		if !errors.As(err, &answered) || answered.Status < 500 || !strings.Contains(answered.Message, cause) || !strings.Contains(answered.Message, "nothing was changed") {
			h.Fatalf("refused: %v, want %q", err, cause)
		}
		return nil
	})
	if all, err := h.client.Deployments(ctx, h.api); err != nil || len(all) != before {
		h.Errorf("%d deployments, %v; %d before the one that was refused", len(all), err, before)
	}
}

// recovered waits until deployments work, usage is whole, and nothing complains.
func (h *hardship) recovered() {
	h.Helper()
	ctx := context.Background()
	eventually(h.T, 20*time.Second, func() error {
		_, err := h.client.Deploy(ctx, h.api, control.DeployInput{Stage: "prod", Description: "recovered"})
		return err
	})
	h.call(50)
	today := time.Now().UTC().Format(time.DateOnly)
	eventually(h.T, 20*time.Second, func() error { // it reads the store
		_, err := h.client.Usage(ctx, h.plan, h.key, today, today)
		return err
	})
	if used, _ := h.account.used(h.plan, h.key); used != h.served {
		h.Errorf("usage is %d, want %d", used, h.served)
	}
	h.traffic.Stop(h.T)
}

// inside is a path of the daemon's own mount namespace.
func (d *daemon) inside(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", d.cmd.Process.Pid), path)
}

// TestR17DiskFull: state, journal and access log are on a file system that gets
// full. The data plane serves on, deployments are refused with the reason, usage is
// counted, and all is well without a restart once there is room.
func TestR17DiskFull(t *testing.T) {
	need.Root(t)
	t.Parallel()
	unshare := need.Tool(t, "unshare")
	d := prepare(t, host{})
	disk := filepath.Join(d.dir, "disk")
	for link, target := range map[string]string{"state": "disk/state", "access.log": "disk/access.log"} {
		if err := os.Symlink(target, filepath.Join(d.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	d.run(unshare, "--mount", "--propagation", "private", "sh", "-ec",
		`mount -t tmpfs -o size=4m tidegate "$0"; mkdir -m 700 "$0/state"; exec "$@"`, disk)
	d.waitReady()
	h := endure(t, d)
	var others []string // the journal grows by a record for each key that is used
	for range 30 {
		_, value := h.account.key(h.plan)
		others = append(others, value)
	}

	filler, err := os.Create(d.inside(filepath.Join(disk, "filler")))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	fill := func() {
		for size := 64 << 10; size > 0; size /= 2 {
			for {
				if _, err := filler.Write(make([]byte, size)); err != nil {
					break
				}
			}
		}
	}
	fill()
	h.refused("no space left on device")
	fill()
	eventually(t, 20*time.Second, func() error {
		h.call(20)
		for _, value := range others {
			d.ask("GET", "/prod/pets", "", "X-API-Key: "+value).expect(t, "another key", 200, "pets")
		}
		dropped, failed := d.metric("tidegate_access_log_lines_dropped_total"), d.metric("tidegate_usage_journal_errors_total")
		if dropped == 0 || failed == 0 {
			return fmt.Errorf("%g lines dropped, %g errors of the journal", dropped, failed)
		}
		return nil
	})
	h.refused("no space left on device")
	if err := filler.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filler.Name()); err != nil {
		t.Fatal(err)
	}
	h.recovered()
	dropped := d.metric("tidegate_access_log_lines_dropped_total")
	h.call(20)
	if now := d.metric("tidegate_access_log_lines_dropped_total"); now != dropped {
		t.Errorf("lines of the access log are dropped still: %g, then %g", dropped, now)
	}
	d.terminate(10 * time.Second)
}

// TestR17DiskErrors is the same with a disk that fails (EIO), and one that the
// kernel has made read-only (EROFS): whatever the daemon wants to write.
func TestR17DiskErrors(t *testing.T) {
	need.Root(t)
	t.Parallel()
	strace := need.Tool(t, "strace")
	for fault, cause := range map[string]string{"EIO": "input/output error", "EROFS": "read-only file system"} {
		t.Run(fault, func(t *testing.T) {
			d := start(t, host{})
			h := endure(t, d)
			heal := d.failWrites(strace, fault)
			h.refused(cause)
			eventually(t, 20*time.Second, func() error {
				h.call(20)
				if d.metric("tidegate_usage_journal_errors_total") == 0 {
					return errors.New("the journal has no error")
				}
				return nil
			})
			h.refused(cause)
			heal()
			h.recovered()
			d.kill()
			d.client.Close()
			d.run()
			d.waitReady()
			if used, _ := h.account.used(h.plan, h.key); used != h.served {
				t.Errorf("usage after a kill is %d, want %d", used, h.served)
			}
		})
	}
}

// failWrites has every write to the state folder fail until heal is called.
func (d *daemon) failWrites(strace, fault string) (heal func()) {
	d.t.Helper()
	dir := filepath.Join(d.dir, "state")
	names := []string{dir, "tidegate.db", "tidegate.db.good.new"}
	for n := range 20 {
		names = append(names, fmt.Sprintf("usage.journal.%d", n+1))
	}
	const writes = "write,pwrite64,fsync,fdatasync,ftruncate,fallocate,renameat,renameat2,rename,unlinkat"
	args := []string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + writes, "-e", "inject=" + writes + ":error=" + fault, "-p", fmt.Sprint(d.cmd.Process.Pid)}
	for i, name := range names {
		if i > 0 {
			name = filepath.Join(dir, name)
		}
		args = append(args, "-P", name)
	}
	cmd := exec.Command(strace, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := &record{}
	cmd.Stderr = said
	if err := launch(cmd); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, 10*time.Second, func() error { // until it holds every thread
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", d.cmd.Process.Pid))
		if err != nil {
			return err
		}
		for _, path := range threads {
			text, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(text), "TracerPid:\t0\n") {
				return fmt.Errorf("%s is not traced: %s", path, said)
			}
		}
		return nil
	})
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it lets go of the daemon
		_ = cmd.Wait()
	}
}
