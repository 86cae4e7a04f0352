// Package gatetest runs a whole gateway inside a test, with real sockets, and
// backends that say exactly what a test wants. For tests alone.
package gatetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
	"github.com/tidegate/tidegate/dataplane/control"
)

// Gate is a running gateway.
type Gate struct {
	Gateway *dataplane.Gateway
	Host    *configs.Host
	Client  *control.Client
	Addr    string // of the cleartext listener
	TLSAddr string // of the TLS listener
	LogPath string // of the access log

	t testing.TB
}

// Start runs a gateway with a cleartext and a TLS listener until the test ends.
// Any host name leads to the API named "test", or to what edit makes of it.
func Start(t testing.TB, edit ...func(*configs.Host)) *Gate {
	t.Helper()
	dir := t.TempDir()
	cert, key := Certificate(t, dir)
	h := configs.Defaults()
	h.StateDir = filepath.Join(dir, "state")
	h.Workers = 2
	h.Throttle.RateLimit = 1e9 // what a test sends is no matter of throttling
	h.Listeners = []configs.Listener{
		{Name: "public", Address: "127.0.0.1:0"},
		{Name: "secure", Address: "127.0.0.1:0", TLS: &configs.TLS{
			MinVersion: "1.2", Certificates: []configs.Certificate{{Cert: cert, Key: key}}}},
	}
	h.Admin.Address = ""
	h.Control = configs.Control{Socket: filepath.Join(dir, "control.sock"), Mode: 0o600}
	h.Domains = []configs.Domain{{Name: "*", Mappings: []configs.Mapping{{API: "test"}}}}
	h.AccessLog.Path = filepath.Join(dir, "access.log")
	for _, e := range edit {
		e(h)
	}
	g := &Gate{Host: h, LogPath: h.AccessLog.Path, t: t}
	var err error
	g.Gateway, err = dataplane.New(h, dataplane.Options{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "test", Stderr: io.Discard,
	})
	if err != nil {
		t.Fatalf("new gateway: %v", err)
	}
	t.Cleanup(func() {
		if err := g.Gateway.Close(); err != nil {
			t.Errorf("close gateway: %v", err)
		}
	})
	if err := g.Gateway.Start(); err != nil {
		t.Fatalf("start gateway: %v", err)
	}
	for _, l := range g.Gateway.Status().Listeners {
		if l.TLS {
			g.TLSAddr = l.Address
		} else {
			g.Addr = l.Address
		}
	}
	g.Client = control.Dial(h.Control.Socket)
	t.Cleanup(g.Client.Close)
	return g
}

// Deploy imports an OpenAPI document as an API of its own, or over the API with
// its title, and deploys it to a stage. It returns the API's id.
func (g *Gate) Deploy(stage, document string) string {
	g.t.Helper()
	ctx := context.Background()
	apis, err := g.Client.APIs(ctx)
	if err != nil {
		g.t.Fatal(err)
	}
	id := ""
	for _, a := range apis {
		if strings.Contains(document, "title: "+a.Name+",") || strings.Contains(document, "title: "+a.Name+"\n") {
			id = a.ID
		}
	}
	if id == "" {
		api, err := g.Client.Import(ctx, []byte(document), control.ImportOptions{})
		if err != nil {
			g.t.Fatalf("import: %v", err)
		}
		id = api.ID
	} else if _, err := g.Client.Put(ctx, id, []byte(document), "overwrite", control.ImportOptions{}); err != nil {
		g.t.Fatalf("put: %v", err)
	}
	if _, err := g.Client.Deploy(ctx, id, control.DeployInput{Stage: stage}); err != nil {
		g.t.Fatalf("deploy: %v", err)
	}
	return id
}

// ProxyAll deploys an API named "test" at stage "prod" that passes every method
// and path on to address, and answers GET /health itself.
func (g *Gate) ProxyAll(address string) string {
	g.t.Helper()
	return g.Deploy("prod", ProxyAll(address, 29000))
}

// ProxyAll is an OpenAPI document that passes every method and path on to
// address, and has a mock at GET /health.
func ProxyAll(address string, timeoutMillis int) string {
	return strings.NewReplacer("ADDRESS", address, "TIMEOUT", itoa(timeoutMillis)).Replace(`
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    x-amazon-apigateway-any-method:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, timeoutInMillis: TIMEOUT, uri: "http://ADDRESS/"}
  /{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        timeoutInMillis: TIMEOUT
        uri: "http://ADDRESS/{proxy}"
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}
  /health:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"status":"ok"}'}}}
`)
}

func itoa(n int) string { return big.NewInt(int64(n)).String() }

// Dial opens a connection to the cleartext listener, or with secure to the TLS
// listener, with a deadline of 10 s.
func (g *Gate) Dial(secure bool) net.Conn {
	g.t.Helper()
	var conn net.Conn
	var err error
	if secure {
		conn, err = tls.Dial("tcp", g.TLSAddr, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // its own certificate
	} else {
		conn, err = net.Dial("tcp", g.Addr)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// Certificate writes a self-signed certificate for localhost and returns the
// names of its files.
func Certificate(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, cert, "CERTIFICATE", der)
	writePEM(t, key, "PRIVATE KEY", keyDER)
	return cert, key
}

func writePEM(t testing.TB, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Quiet waits until the gateway does nothing that requests do not ask for: until the
// copy of its state has what was changed.
func (g *Gate) Quiet() {
	g.t.Helper()
	for range 1000 {
		if !g.Gateway.Status().Kept.CopyDue {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatal("no copy of the state is made")
}
