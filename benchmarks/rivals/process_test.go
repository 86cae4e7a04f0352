package rivals

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	p, err := Site{}.launch(t.TempDir(), []string{"GREETING=hello"}, "sh", "-c", "echo $GREETING; exec sleep 30")
	if err != nil {
		t.Fatal(err)
	}
	if p.ended() {
		t.Error("it ended at once")
	}
	for !strings.Contains(p.logTail(), "hello") {
		if p.ended() {
			t.Fatal("it ended without its greeting")
		}
		time.Sleep(time.Millisecond)
	}
	p.stop()
	if !p.ended() {
		t.Error("it runs on")
	}
	p.stop() // again does nothing
}

func TestLaunchNamesWhatLacks(t *testing.T) {
	if _, err := (Site{}).launch(t.TempDir(), nil, "no-such-server"); err == nil || !strings.Contains(err.Error(), "no-such-server") {
		t.Errorf("got %v", err)
	}
}

func TestSelfSigned(t *testing.T) {
	c, err := SelfSigned(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := leaf.VerifyHostname("127.0.0.1"); err != nil || leaf.PublicKeyAlgorithm != x509.ECDSA {
		t.Errorf("%v, %v", leaf.PublicKeyAlgorithm, err)
	}
	if info, err := os.Stat(c.KeyFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
}

func TestMemoryFolder(t *testing.T) {
	link := filepath.Join(t.TempDir(), "answers")
	dir, err := memoryFolder(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(link, "file"), nil, 0o600); err != nil {
		t.Error(err)
	}
	p, err := Site{}.launch(t.TempDir(), nil, "true")
	if err != nil {
		t.Fatal(err)
	}
	(&Server{proc: p, scratch: dir}).Stop()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("a stopped server leaves its folder: %v", err)
	}
}
