package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
)

// nginx runs Debian's nginx as a backend until the test ends. It answers every
// path with its name, in the body and in X-Backend, but /big, which has 10 KB.
func nginx(t testing.TB, names ...string) (addrs []string) {
	t.Helper()
	program := need.Tool(t, "nginx")
	dir := t.TempDir()
	big := make([]byte, 10<<10)
	for i := range big {
		big[i] = 'a' + byte(i%26)
	}
	if err := os.WriteFile(filepath.Join(dir, "big"), big, 0o644); err != nil {
		t.Fatal(err)
	}
	servers := ""
	for _, name := range names {
		addr := freeAddr(t)
		addrs = append(addrs, addr)
		servers += fmt.Sprintf(`
	server {
		listen %s reuseport;
		keepalive_requests 1000000;
		add_header X-Backend %s always;
		location / { return 200 %s; }
		location = /big { root %s; }
	}`, addr, name, name, dir)
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	config := fmt.Sprintf(`%s
daemon off; worker_processes 1; pid %s/pid; error_log %s/error.log;
events { worker_connections 4096; }
http {
	access_log off; default_type text/plain;
	client_body_temp_path %[2]s; proxy_temp_path %[2]s; fastcgi_temp_path %[2]s; uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;%[4]s
}`, user, dir, dir, servers)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", filepath.Join(dir, "nginx.conf"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Stderr = os.Stderr
	if err := launch(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	eventually(t, 10*time.Second, func() error {
		conn, err := net.Dial("tcp", addrs[len(addrs)-1])
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return addrs
}
