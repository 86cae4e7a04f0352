package gate

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testnet"
)

const testPort = 8080

// network is a client and a host with the gate before its web server.
type network struct {
	client, host *testnet.End
	dir          string
	gate         *Gate
}

// newNetwork computes and checks all checksums, so that a wrong one loses the
// packet. The gate is closed with the test.
func newNetwork(t *testing.T, listeners ...Listener) *network {
	t.Helper()
	testnet.NoLeaks(t)
	n := &network{}
	n.client, n.host = testnet.Pair(t)
	n.client.SendChecksums()
	n.host.SendChecksums()
	n.dir = filepath.Join(testnet.FS(t), "gate")
	n.gate = n.open(t, Options{})
	t.Cleanup(func() {
		if err := n.gate.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := n.gate.SetListeners(listeners); err != nil {
		t.Fatal(err)
	}
	return n
}

// open opens the gate on the host's interface.
func (n *network) open(t *testing.T, o Options) *Gate {
	t.Helper()
	g, err := n.tryOpen(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (n *network) tryOpen(o Options) (g *Gate, err error) {
	o.Dir = n.dir
	if o.Interfaces == nil {
		o.Interfaces = []string{n.host.Name}
	}
	err = n.host.Namespace.Do(func() error {
		g, err = Open(o)
		return err
	})
	return g, err
}

// serve answers every request with "welcome", until the test ends.
func (n *network) serve(t *testing.T) {
	t.Helper()
	l := n.host.Namespace.Listen("tcp", "[::]:8080")
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, "welcome")
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

// hosts are the host's addresses as URLs name them.
func (n *network) hosts() map[string]string {
	return map[string]string{"IPv4": n.host.IPv4.String(), "IPv6": "[" + n.host.IPv6.String() + "]"}
}

// httpClient dials anew for every request, unless keep.
func (n *network) httpClient(keep bool) *http.Client {
	return &http.Client{
		Timeout: 2 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: !keep,
			DialContext:       n.client.Namespace.Dial,
		},
	}
}

func (n *network) condemn(t *testing.T, r Rule) {
	t.Helper()
	for _, a := range []netip.Addr{n.client.IPv4, n.client.IPv6} {
		if err := n.gate.Condemn(a, r); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *network) release(t *testing.T) {
	t.Helper()
	for _, a := range []netip.Addr{n.client.IPv4, n.client.IPv6} {
		if found, err := n.gate.Release(a); !found || err != nil {
			t.Fatalf("release %s: %v, %v", a, found, err)
		}
	}
}

// get returns the status and body of a request, or the error in words.
func get(c *http.Client, url string) (int, string) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, err.Error()
	}
	return resp.StatusCode, string(body)
}

func anyAddress(style Style) Listener {
	return Listener{Address: netip.AddrPortFrom(netip.IPv6Unspecified(), testPort), Style: style}
}

func (n *network) curl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return n.client.Namespace.RunContext(ctx, "curl", append([]string{"-sS", "--noproxy", "*", "-m", "3"}, args...)...)
}

func isTimeout(text string) bool {
	return strings.Contains(text, "timeout") || strings.Contains(text, "deadline") || strings.Contains(text, "Timeout")
}

var _ net.Conn
