package testnet_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/testnet"
	"golang.org/x/sys/unix"
)

func TestPair(t *testing.T) {
	client, host := testnet.Pair(t)
	client.SendChecksums()
	host.SendChecksums()
	host.Namespace.ListenName("tcp4", "0.0.0.0:80", "four")
	host.Namespace.ListenName("tcp6", "[::]:80", "six")
	for address, want := range map[string]string{
		net.JoinHostPort(host.IPv4.String(), "80"): "four",
		net.JoinHostPort(host.IPv6.String(), "80"): "six",
	} {
		got, err := client.Namespace.DialName("tcp", address)
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", address, got, err, want)
		}
	}
	_, err := client.Namespace.DialName("tcp", net.JoinHostPort(host.IPv4.String(), "81"))
	if !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a port without a listener: %v, want refused", err)
	}
}

func TestNamespacesAreApart(t *testing.T) {
	n := testnet.New(t)
	out, err := n.Run("ip", "-brief", "link")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out), "\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], "lo") {
		t.Errorf("a new namespace has %q, want lo alone", out)
	}
}

func TestFS(t *testing.T) {
	if found := testnet.Files(t, testnet.FS(t)); len(found) != 0 {
		t.Errorf("a new file system holds %v", found)
	}
}
