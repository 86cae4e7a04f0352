package rivals

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Varnish is Varnish with its cache in memory. It has no workers to choose the
// number of but threads, of which each serves one connection at a time. It
// serves clear text only, and caches whatever the site says.
var Varnish = Rival{Name: VarnishName, start: varnishStart}

func varnishStart(_ context.Context, dir string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "default.vcl")
	if err := os.WriteFile(file, []byte(varnishConfig(s)), 0o644); err != nil {
		return nil, err
	}
	proc, err := s.launch(dir, nil, varnishArguments(dir, address, file)...)
	if err != nil {
		return nil, err
	}
	return &Server{URL: "http://" + address, proc: proc}, nil
}

// varnishArguments leaves the threads as they are by default: two pools of at
// least 100, which is more than there are connections.
func varnishArguments(dir, address, file string) []string {
	return []string{
		"varnishd", "-F", "-j", "none", // the folder is private to the user who runs the harness
		"-n", filepath.Join(dir, "varnish"), "-f", file, "-a", address, "-T", "none",
		"-s", "malloc,256m", "-p", "listen_depth=4096", "-p", "vsl_mask=" + varnishUnlogged,
	}
}

// varnishUnlogged are the records of a hit in Varnish's log, which is on whether
// anybody reads it or not: without them access logs are off. It takes a fifth of
// a hit's CPU time.
const varnishUnlogged = "-Begin,-End,-Link,-SessOpen,-SessClose,-Timestamp,-Hit,-Debug,-ReqStart,-ReqMethod,-ReqURL,-ReqProtocol,-ReqHeader,-ReqUnset,-ReqAcct," +
	"-RespProtocol,-RespStatus,-RespReason,-RespHeader,-RespUnset,-VCL_call,-VCL_return,-VCL_use"

// varnishConfig leaves requests to Varnish's builtin code, which caches GETs
// without a cookie.
func varnishConfig(s Site) string {
	host, port, _ := net.SplitHostPort(s.Backend)
	return fmt.Sprintf(`vcl 4.1;

backend default { .host = "%s"; .port = "%s"; }

sub vcl_backend_response { set beresp.ttl = 1h; }
`, host, port)
}
