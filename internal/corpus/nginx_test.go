package corpus

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
)

// nginx is a real server with two sockets: reading answers every request with
// how nginx understood it, body included; plain answers 200.
type nginx struct{ reading, plain string }

// nginxConfig reads whole bodies by proxying to a server that tells what nginx
// told it.
const nginxConfig = `daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log crit;
events { worker_connections 512; }
http {
	access_log off; large_client_header_buffers 4 40k; keepalive_requests 100000;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	server {
		listen unix:%[1]s/reading;
		location / {
			proxy_pass http://%[2]s; proxy_http_version 1.1; proxy_pass_request_headers off; proxy_set_header Connection "";
			proxy_set_header X-Method $request_method; proxy_set_header X-Target $request_uri; proxy_set_header X-Host $http_host;
		}
	}
	server { listen unix:%[1]s/plain; location / { return 200 "GET %[3]s"; } }
}
`

func startNginx(t *testing.T) *nginx {
	t.Helper()
	binary := need.Tool(t, "nginx")
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		_, _ = fmt.Fprintf(&body, "%s %s host=%s length=", r.Header.Get("X-Method"), r.Header.Get("X-Target"), r.Header.Get("X-Host"))
		n := 0
		for buf := make([]byte, 4096); ; {
			m, err := r.Body.Read(buf)
			if n += m; err != nil {
				break
			}
		}
		_, _ = fmt.Fprintf(w, "%s%d", body.String(), n)
	}))
	t.Cleanup(echo.Close)
	dir, err := os.MkdirTemp("", "nginx") // short, for the sockets' names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	file := filepath.Join(dir, "nginx.conf")
	config := fmt.Sprintf(nginxConfig, dir, strings.TrimPrefix(echo.URL, "http://"), sentinelTarget)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	n := &nginx{filepath.Join(dir, "reading"), filepath.Join(dir, "plain")}
	for range 200 {
		if conn, err := net.Dial("unix", n.plain); err == nil {
			_ = conn.Close()
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
	t.Fatalf("nginx does not answer: %s", log)
	return nil
}
