package rivals

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Nginx is nginx with a master and one worker.
var Nginx = Rival{Name: NginxName, start: nginxStart}

func nginxStart(_ context.Context, dir string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	var answers string
	if s.cached() {
		if answers, err = memoryFolder(filepath.Join(dir, nginxAnswers)); err != nil {
			return nil, err
		}
	}
	srv, err := s.startNginx(dir, address, nginxConfig(dir, address, s))
	if err != nil {
		_ = os.RemoveAll(answers)
		return nil, err
	}
	srv.scratch = answers
	if s.Certificate != nil {
		srv.URL = "https://" + address
	}
	for range s.APIs {
		srv.Hosts = append(srv.Hosts, address)
	}
	srv.Republisher = &nginxReload{srv: srv, dir: dir, address: address, site: s}
	return srv, nil
}

func (s Site) startNginx(dir, address, config string) (*Server, error) {
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	proc, err := s.launch(dir, nil, "nginx", "-p", dir, "-c", file, "-e", "stderr", "-g", "daemon off;")
	if err != nil {
		return nil, err
	}
	return &Server{URL: "http://" + address, proc: proc}, nil
}

// nginxAnswers is where the files of the cache are, below the server's folder.
const nginxAnswers = "answers"

// nginxReload republishes by rewriting the configuration and SIGHUP, as
// nginx -s reload does.
type nginxReload struct {
	srv          *Server
	dir, address string
	site         Site
}

func (r *nginxReload) Put(_ context.Context, api API) error {
	r.site.APIs = []API{api}
	return os.WriteFile(filepath.Join(r.dir, "nginx.conf"), []byte(nginxConfig(r.dir, r.address, r.site)), 0o644)
}

func (r *nginxReload) Publish(context.Context) error {
	return r.srv.proc.cmd.Process.Signal(syscall.SIGHUP)
}

// nginxHead writes what the rival and the backend have in common, up to and
// with the opening of the http block. Limits on requests and time per
// connection are lifted, as a benchmark's connections live long.
func nginxHead(w io.Writer, dir string) {
	if os.Geteuid() == 0 {
		fmt.Fprintln(w, "user root;") // the folder is private to the user who runs the harness
	}
	fmt.Fprintf(w, `worker_processes 1;
worker_rlimit_nofile 20000;
pid %[1]s/nginx.pid;
error_log stderr error;
events { worker_connections 19000; }
http {
  access_log off;
  tcp_nodelay on;
  default_type application/json;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  keepalive_time 24h;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
`, dir)
}

// nginxConfig is the configuration of the rival: the headers Tidegate sends to
// a backend and adds to an answer, and a location for each route.
func nginxConfig(dir, address string, s Site) string {
	var b strings.Builder
	w := bufio.NewWriter(&b)
	nginxHead(w, dir)
	fmt.Fprintf(w, "  upstream backend { server %s; keepalive 128; keepalive_requests 1000000000; keepalive_time 24h; }\n", s.Backend)
	if s.limited() {
		fmt.Fprint(w, "  limit_req_zone $binary_remote_addr zone=clients:10m rate=1r/s;\n  limit_req_status 429;\n  limit_req_log_level info;\n")
	}
	if s.cached() {
		fmt.Fprintf(w, "  proxy_cache_path %s/%s levels=1:2 keys_zone=answers:10m max_size=256m inactive=1h use_temp_path=off;\n", dir, nginxAnswers)
	}
	fmt.Fprint(w, "  server {\n")
	if c := s.Certificate; c != nil {
		// The suite Go picks on this hardware, so that both encrypt alike.
		fmt.Fprintf(w, `    listen %s ssl backlog=4096;
    ssl_certificate %s;
    ssl_certificate_key %s;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
`, address, c.CertFile, c.KeyFile)
	} else {
		fmt.Fprintf(w, "    listen %s backlog=4096;\n", address)
	}
	fmt.Fprint(w, `    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Request-Id $request_id;
    add_header x-amzn-RequestId $request_id always;
`)
	if s.cached() {
		// Files stay open, an answer is read in one piece with its header, and
		// sendfile stays off: that takes nginx the least CPU time.
		fmt.Fprint(w, `    proxy_cache answers;
    proxy_cache_valid 200 1h;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    add_header X-Cache $upstream_cache_status;
`)
	}
	for _, api := range s.APIs {
		for _, r := range api.Routes {
			if s.exact(r) {
				writeLocation(w, r, api.Denied)
			}
		}
	}
	fmt.Fprint(w, "    location / { proxy_pass http://backend; }\n  }\n}\n")
	_ = w.Flush() // into memory: cannot fail
	return b.String()
}

// exact tells the routes that get a location of their own. Those with parameters,
// and those of several APIs on one path, nginx meets in self checks only, where
// location / serves them.
func (s Site) exact(r Route) bool {
	owners := 0
	for _, api := range s.APIs {
		if slices.ContainsFunc(api.Routes, func(other Route) bool { return other.Path == r.Path }) {
			owners++
		}
	}
	return owners == 1 && !strings.Contains(r.Path, "{")
}

func writeLocation(w io.Writer, r Route, d Denial) {
	does := fmt.Sprintf("proxy_pass http://backend%s;", r.Target)
	switch {
	case d == ByReturn:
		does = "return 429 '" + deniedBody + "';"
	case d == ByLimit: // a return would come before it; what it lets pass gets a page of nginx's own
		does = "limit_req zone=clients; stub_status;"
	case r.Target == "":
		does = "return 200 '" + SmallBody + "';"
	}
	if r.WebSocket {
		does += ` proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 1h; proxy_send_timeout 1h;`
	}
	fmt.Fprintf(w, "    location = /%s%s { %s }\n", Stage, r.Path, does)
}

// deniedBody is what Tidegate says to those whom it throttles.
const deniedBody = `{"message":"Too Many Requests"}`
