package corpus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
)

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

func startNginx(t *testing.T) *reader {
	t.Helper()
	binary := need.Tool(t, "nginx")
	return startReader(t, "nginx", func(dir, echo string) *exec.Cmd {
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, dir, echo, sentinelTarget), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(binary, "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"))
	})
}
