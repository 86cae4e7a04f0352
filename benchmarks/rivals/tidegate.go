package rivals

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gatewayDomain is under which every API of a site has a host name of its own.
const gatewayDomain = "bench.test"

// Tidegate is the built binary with one event loop.
func Tidegate(binary string) Rival {
	return Rival{Name: TidegateName, start: func(ctx context.Context, dir string, s Site) (*Server, error) {
		return tidegateStart(ctx, dir, binary, s)
	}}
}

func tidegateStart(ctx context.Context, dir, binary string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	file, socket := filepath.Join(dir, "tidegate.yaml"), filepath.Join(dir, "control.sock")
	if err := os.WriteFile(file, []byte(tidegateConfig(dir, address, socket, s)), 0o600); err != nil {
		return nil, err
	}
	proc, err := s.launch(dir, nil, binary, "run", "--config", file)
	if err != nil {
		return nil, err
	}
	srv := &Server{URL: "http://" + address, proc: proc}
	if s.Certificate != nil {
		srv.URL = "https://" + address
	}
	control := dialControl(socket)
	if err := deployAll(ctx, control, srv, s); err != nil {
		srv.Stop()
		return nil, fmt.Errorf("%w%s", err, proc.logTail())
	}
	return srv, nil
}

// deployAll deploys every API of the site to the stage, through the control socket.
func deployAll(ctx context.Context, control *control, srv *Server, s Site) error {
	if err := control.waitReady(ctx, srv.proc); err != nil {
		return err
	}
	for _, api := range s.APIs {
		id, err := control.importAPI(ctx, document(api, s.Backend))
		if err != nil {
			return err
		}
		if err := control.deploy(ctx, id); err != nil {
			return err
		}
		if api.Key != "" {
			if err := control.limit(ctx, id, api); err != nil {
				return err
			}
		}
		if api.Denied != 0 {
			if err := control.deny(ctx, id); err != nil {
				return err
			}
		}
		if api.Cached {
			if err := control.cache(ctx, id); err != nil {
				return err
			}
		}
		if api.WebACL != nil {
			if err := control.protect(ctx, id, api.WebACL); err != nil {
				return err
			}
		}
		srv.Hosts = append(srv.Hosts, id+".execute-api."+gatewayDomain)
		srv.Republisher = &redeployment{control: control, id: id, backend: s.Backend}
	}
	return nil
}

// redeployment republishes the last API of the site.
type redeployment struct {
	control     *control
	id, backend string
}

func (r *redeployment) Put(ctx context.Context, api API) error {
	return r.control.putAPI(ctx, r.id, document(api, r.backend))
}

func (r *redeployment) Publish(ctx context.Context) error { return r.control.deploy(ctx, r.id) }

// tidegateConfig is the host file. Any host name without an API of its own
// leads to the first API, so that a plain http://127.0.0.1:port/prod/... works.
// The account's limit is out of the way: by default it is less than a benchmark
// asks for.
func tidegateConfig(dir, address, socket string, s Site) string {
	var b strings.Builder
	fmt.Fprintf(&b, `gateway_domain: %s
state_dir: %s/state
workers: 1
listeners:
  - name: public
    address: %s
`, gatewayDomain, dir, address)
	if c := s.Certificate; c != nil {
		fmt.Fprintf(&b, "    tls: {min_version: \"1.3\", certificates: [{cert: %s, key: %s}]}\n", c.CertFile, c.KeyFile)
	}
	fmt.Fprintf(&b, "admin: {address: \"\"}\ncontrol: {socket: %s, mode: \"0600\"}\n", socket)
	if len(s.APIs) > 0 {
		fmt.Fprintf(&b, "domains:\n  - name: \"*\"\n    mappings: [{api: %s}]\n", s.APIs[0].Name)
	}
	fmt.Fprintf(&b, "throttle: {rate_limit: %d, burst_limit: %d}\n", never, never)
	b.WriteString("limits: {connections: 18000}\naccess_log: {path: \"\"}\n")
	return b.String()
}

// controlWithin bounds the time until the control socket answers.
const controlWithin = 10 * time.Second
