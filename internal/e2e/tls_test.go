package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"os"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
	"github.com/tidegate/tidegate/internal/testpki"
)

var discardLog = log.New(io.Discard, "", 0)

// dialTLS opens a connection to the TLS listener.
func (d *daemon) dialTLS(config *tls.Config) (*client, error) {
	config.InsecureSkipVerify = true //nolint:gosec // its own certificate
	conn, err := tls.Dial("tcp", d.secure, config)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) serial() string {
	return c.conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// TestCertificateReplaced replaces the files of a certificate on disk: what was
// connected stays so, and who comes next gets the new one.
func TestCertificateReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := gatetest.Certificate(t, dir)
	d := start(t, host{tls: `{certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`})
	d.deploy("prod", mocks, nil)
	old, err := d.dialTLS(&tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer old.conn.Close()
	ask := func(c *client) {
		t.Helper()
		a, err := c.ask("GET", "/prod/pets", "")
		if err != nil {
			t.Fatal(err)
		}
		a.expect(t, "over TLS", 200, "pets")
	}
	ask(old)
	before := old.serial()

	// A certificate that is half there changes nothing.
	if err := os.WriteFile(cert, []byte("-----BEGIN CERTIFICATE-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond)
	broken, err := d.dialTLS(&tls.Config{})
	if err != nil {
		t.Fatalf("while the file is broken: %v", err)
	}
	ask(broken)
	if broken.serial() != before {
		t.Error("another certificate than before")
	}
	_ = broken.conn.Close()

	nextCert, nextKey := gatetest.Certificate(t, t.TempDir())
	for from, to := range map[string]string{nextCert: cert, nextKey: key} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		testpki.WriteFile(t, to, text)
	}
	eventually(t, 6*time.Second, func() error {
		c, err := d.dialTLS(&tls.Config{})
		if err != nil {
			t.Fatalf("while the files change: %v", err)
		}
		defer c.conn.Close()
		ask(c)
		if c.serial() == before {
			return errors.New("the old certificate is served")
		}
		return nil
	})
	ask(old)
	d.terminate(5 * time.Second)
}

func TestMinimumTLSVersion(t *testing.T) {
	cert, key := gatetest.Certificate(t, t.TempDir())
	for _, c := range []struct {
		minimum string
		client  uint16
		ok      bool
	}{
		{"1.2", tls.VersionTLS11, false}, {"1.2", tls.VersionTLS12, true}, {"1.2", tls.VersionTLS13, true},
		{"1.3", tls.VersionTLS12, false}, {"1.3", tls.VersionTLS13, true},
	} {
		d := start(t, host{tls: `{min_version: "` + c.minimum + `", certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`})
		d.deploy("prod", mocks, nil)
		conn, err := d.dialTLS(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: c.client})
		if (err == nil) != c.ok {
			t.Errorf("minimum %s, client %x: %v", c.minimum, c.client, err)
		}
		if err == nil {
			if a, err := conn.ask("GET", "/prod/pets", ""); err != nil || a.body != "pets" {
				t.Errorf("minimum %s, client %x: %+v %v", c.minimum, c.client, a, err)
			}
			_ = conn.conn.Close()
		}
		d.kill()
	}
}
