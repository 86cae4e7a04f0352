package rivals

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Caddy is Caddy with GOMAXPROCS=1. It serves clear text only.
var Caddy = Rival{Name: CaddyName, start: caddyStart}

func caddyStart(_ context.Context, dir string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(caddyConfig(address, s)), 0o644); err != nil {
		return nil, err
	}
	env := []string{"GOMAXPROCS=1", "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	proc, err := s.launch(dir, env, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	if err != nil {
		return nil, err
	}
	return &Server{URL: "http://" + address, proc: proc}, nil
}

// caddyConfig keeps as many idle connections to the backend as nginx does:
// Caddy's default of 32 would make half of 64 clients dial anew.
func caddyConfig(address string, s Site) string {
	host, port, _ := net.SplitHostPort(address)
	return fmt.Sprintf(`{
	admin off
	auto_https off
}
http://:%s {
	bind %s
	reverse_proxy %s {
		transport http {
			keepalive 1h
			keepalive_idle_conns_per_host 128
		}
	}
}
`, port, host, s.Backend)
}
