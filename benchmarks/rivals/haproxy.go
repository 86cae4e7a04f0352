package rivals

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// HAProxy is HAProxy with one thread. It serves clear text only.
var HAProxy = Rival{Name: HAProxyName, start: haproxyStart}

func haproxyStart(_ context.Context, dir string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(haproxyConfig(address, s)), 0o644); err != nil {
		return nil, err
	}
	proc, err := s.launch(dir, nil, "haproxy", "-db", "-f", file)
	if err != nil {
		return nil, err
	}
	return &Server{URL: "http://" + address, proc: proc}, nil
}

func haproxyConfig(address string, s Site) string {
	return fmt.Sprintf(`global
  nbthread 1
  maxconn 9000

defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  timeout tunnel 1h
  option http-keep-alive
  option forwardfor
  http-reuse always

frontend public
  bind %s
  default_backend behind

backend behind
  server one %s
`, address, s.Backend)
}
