package corpus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/need"
)

// haproxyConfig passes whole requests to a server that tells what HAProxy told it
// of them, and answers the others itself.
const haproxyConfig = `global
	maxconn 512
	tune.bufsize 65536
	tune.http.maxhdr 400
	log stderr format raw local0 emerg
defaults
	mode http
	timeout client 5s
	timeout server 5s
	timeout connect 5s
	timeout http-keep-alive 5s
	option http-buffer-request
frontend reading
	bind unix@%[1]s/reading
	http-request set-header X-Method %%[method]
	http-request set-header X-Target %%[url]
	http-request set-header X-Host %%[req.fhdr(host)]
	default_backend echo
backend echo
	server echo %[2]s
frontend plain
	bind unix@%[1]s/plain
	http-request return status 200 content-type text/plain string "GET %[3]s"
`

// startHAProxy is startNginx with HAProxy.
func startHAProxy(t *testing.T) *reader {
	t.Helper()
	binary := need.Tool(t, "haproxy")
	return startReader(t, "haproxy", func(dir, echo string) *exec.Cmd {
		file := filepath.Join(dir, "haproxy.cfg")
		if err := os.WriteFile(file, fmt.Appendf(nil, haproxyConfig, dir, echo, sentinelTarget), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(binary, "-db", "-f", file)
	})
}
