package gate

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
)

func TestRespond(t *testing.T) {
	need.Root(t)
	need.Tool(t, "curl")
	n := newNetwork(t, anyAddress(Respond))
	n.serve(t)
	for _, timestamps := range []string{"1", "0"} {
		n.client.Namespace.Sysctl("net/ipv4/tcp_timestamps", timestamps)
		for version, host := range n.hosts() {
			t.Run(fmt.Sprintf("%s timestamps %s", version, timestamps), func(t *testing.T) { testRespond(t, n, "http://"+host+":8080/pets") })
		}
	}
}

func testRespond(t *testing.T, n *network, url string) {
	client := n.httpClient(false)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, bytes.Repeat([]byte("x"), 200_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := get(client, url); status != 200 || body != "welcome" {
		t.Fatalf("before the sentence: %d %q", status, body)
	}
	n.condemn(t, Rule{For: 90 * time.Second, Answer: TooManyRequests, Reason: "throttled"})
	defer n.gate.Release(n.client.IPv4)
	defer n.gate.Release(n.client.IPv6)
	for range 20 {
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode != 429 || err != nil || after < 80 || after > 90 {
			t.Fatalf("net/http: %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
	for _, args := range [][]string{
		{url},
		{"-H", "X-Long: " + strings.Repeat("x", 8000), url}, // of several segments
		{"-d", strings.Repeat("x", 1000), url},              // a body
		{"--data-binary", "@" + large, url},                 // more than any window
		{"-H", "Expect:", "-T", large, url},                 // chunked
	} {
		out, err := n.curl(t, append([]string{"-i"}, args...)...)
		for _, want := range []string{
			"HTTP/1.1 429 Too Many Requests\r\n", "Content-Type: application/json\r\n", "Connection: close\r\n",
			"x-amzn-ErrorType: TooManyRequestsException\r\n", "\r\n\r\n" + `{"message":"Too Many Requests"}`,
		} {
			if err != nil || !strings.Contains(out, want) {
				t.Fatalf("curl %.60q: %.200v: %.500q lacks %q", args, err, out, want)
			}
		}
	}
	resp, err := client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
	if err != nil || resp.StatusCode != 429 {
		t.Errorf("net/http posts a megabyte: %v, %v", resp, err)
	} else {
		resp.Body.Close()
	}
	n.release(t)

	n.condemn(t, Rule{For: 90 * time.Second, Answer: Forbidden})
	resp, err = client.Head(url)
	if err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("HEAD: %v, %v", resp, err)
	}
	if status, body := get(client, url); status != 403 || body != `{"message":"Forbidden"}` {
		t.Errorf("forbidden: %d %q", status, body)
	}
	n.release(t)
	if status, body := get(client, url); status != 200 || body != "welcome" {
		t.Errorf("after the sentence: %d %q", status, body)
	}
}

// On loopback the answers come back through the gate itself; native, a driver
// sends them without the host's stack.
func TestRespondElsewhere(t *testing.T) {
	need.Root(t)
	n := newNetwork(t, anyAddress(Respond))
	n.serve(t)
	first := n.gate
	n.gate = n.open(t, Options{Interfaces: []string{"lo"}})
	if err := first.Leave(); err != nil {
		t.Fatal(err)
	}
	client := n.httpClient(false)
	client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: n.host.Namespace.Dial}
	for url, source := range map[string]string{"http://127.0.0.1:8080": "127.0.0.1", "http://[::1]:8080": "::1"} {
		if err := n.gate.Condemn(netip.MustParseAddr(source), Rule{For: time.Minute, Answer: LimitExceeded}); err != nil {
			t.Fatal(err)
		}
		if status, body := get(client, url); status != 429 || body != `{"message":"Limit Exceeded"}` {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}

	// A program on the peer makes it poll, as XDP_TX on a veth needs.
	peer := &network{client: n.host, host: n.client, dir: n.dir + "-peer"}
	peer.gate = peer.open(t, Options{Mode: Native})
	defer peer.gate.Close()
	second := n.gate
	n.gate = n.open(t, Options{Mode: Native})
	if err := second.Leave(); err != nil {
		t.Fatal(err)
	}
	if s := n.status(t); len(s.Interfaces) != 1 || s.Interfaces[0].Mode != Native {
		t.Errorf("status %+v", s)
	}
	n.condemn(t, Rule{For: time.Minute, Answer: TooManyRequests})
	for version, host := range n.hosts() {
		for range 5 {
			if status, body := get(n.httpClient(false), "http://"+host+":8080"); status != 429 {
				t.Fatalf("native %s: %d %s", version, status, body)
			}
		}
	}
}

// What is not a listener of the gateway's is open to everyone, and a listener
// with TLS gives no answer in clear.
func TestListeners(t *testing.T) {
	need.Root(t)
	n := newNetwork(t)
	n.serve(t)
	n.condemn(t, Rule{For: time.Minute})
	client := n.httpClient(false)
	port := uint16(testPort)
	for _, tt := range []struct {
		name      string
		listeners []Listener
		open4     bool
		open6     bool
	}{
		{"none", nil, true, true},
		{"another port", []Listener{{Address: netip.AddrPortFrom(netip.IPv4Unspecified(), port+1), Style: Reset}}, true, true},
		{"any address", []Listener{{Address: netip.AddrPortFrom(netip.IPv4Unspecified(), port), Style: Reset}}, false, false},
		{"IPv4 alone", []Listener{{Address: netip.AddrPortFrom(n.host.IPv4, port), Style: Reset}}, false, true},
		{"IPv6 alone", []Listener{{Address: netip.AddrPortFrom(n.host.IPv6, port), Style: Reset}}, true, false},
		{"TLS", []Listener{{Address: netip.AddrPortFrom(netip.Addr{}, port), Style: Respond, TLS: true}}, false, false},
	} {
		if err := n.gate.SetListeners(tt.listeners); err != nil {
			t.Fatal(err)
		}
		for version, open := range map[string]bool{"IPv4": tt.open4, "IPv6": tt.open6} {
			status, text := get(client, "http://"+n.hosts()[version]+":8080")
			if open != (status == 200) || !open && !strings.Contains(text, "refused") {
				t.Errorf("%s: %s: %d %s", tt.name, version, status, text)
			}
		}
	}
}
