package e2e

import (
	"fmt"
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

// TestSocketActivation passes the listener as systemd does. The socket outlives
// the daemon: while it restarts, clients wait.
func TestSocketActivation(t *testing.T) {
	d := prepare(t, host{})
	ln, err := net.Listen("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	socket, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	run := func(name string) {
		t.Helper()
		// The shell gives LISTEN_PID the value that exec keeps.
		d.cmd = exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" run --config "$1"`, binary, d.config)
		d.cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES="+name)
		d.cmd.ExtraFiles = []*os.File{socket} // descriptor 3
		d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		d.stderr = &record{}
		d.cmd.Stderr = d.stderr
		d.exited = make(chan struct{})
		if err := launch(d.cmd); err != nil {
			t.Fatal(err)
		}
		go func() {
			d.err = d.cmd.Wait()
			close(d.exited)
		}()
	}
	run("public")
	d.waitReady()
	d.deploy("prod", mocks, nil)
	d.ask("GET", "/prod/pets", "").expect(t, "activated", 200, "pets")
	d.terminate(5 * time.Second)

	c, err := dial(d.addr) // nobody is there, but the socket is
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	if err := c.send("GET /prod/pets HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	run("public")
	a, err := c.receive("GET")
	if err != nil {
		t.Fatal(err)
	}
	a.expect(t, "asked during the restart", 200, "pets")
	d.terminate(5 * time.Second)

	run("other")
	select {
	case <-d.exited:
		if d.err == nil || !strings.Contains(d.stderr.String(), `inherited socket "other": the host file has no listener of that name`) {
			t.Errorf("a socket for nobody: %v %s", d.err, d.stderr)
		}
	case <-time.After(5 * time.Second):
		t.Error("a socket for nobody was accepted")
	}
}

// TestSystemdSocketActivate has systemd's own tool start the daemon at the first
// connection.
func TestSystemdSocketActivate(t *testing.T) {
	tool := need.Tool(t, "systemd-socket-activate")
	d := prepare(t, host{})
	d.run(tool, "-l", d.addr, "--fdname=public", "--")
	var a *answer
	eventually(t, 10*time.Second, func() (err error) {
		a, err = askOnce(d.addr, "GET", "/prod/pets", "")
		return err
	})
	a.expectError(t, "nothing deployed", 403, "Forbidden", "ForbiddenException")
	d.deploy("prod", mocks, nil)
	d.ask("GET", "/prod/pets", "").expect(t, "activated", 200, "pets")
	d.terminate(5 * time.Second)
}

// TestNotify plays the service manager: the daemon says when it is ready, that
// it lives, and that it stops.
func TestNotify(t *testing.T) {
	d := prepare(t, host{})
	path := filepath.Join(d.dir, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	d.host.env = []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=400000"}
	d.run()
	buf := make([]byte, 1024)
	expect := func(want string) {
		t.Helper()
		for range 10 {
			_ = manager.SetReadDeadline(time.Now().Add(10 * time.Second))
			n, err := manager.Read(buf)
			if err != nil {
				t.Fatal(fmt.Errorf("waiting for %s: %w", want, err))
			}
			if strings.Contains(string(buf[:n]), want) {
				return
			}
		}
		t.Fatalf("no %s", want)
	}
	expect("READY=1")
	d.ask("GET", "/", "").expectError(t, "when ready", 403, "Forbidden", "ForbiddenException")
	expect("WATCHDOG=1")
	expect("WATCHDOG=1")
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
	d.waitExit(5 * time.Second)
}
