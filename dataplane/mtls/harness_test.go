package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/internal/testpki"
)

// server answers handshakes as a listener does.
type server struct {
	*Domains
	t      testing.TB
	config *tls.Config

	mu       sync.Mutex
	clock    time.Time
	refusals []string
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t, clock: time.Now()}
	s.Domains = New(s.now, func(domain, client string, why error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refusals = append(s.refusals, domain+": "+client+": "+why.Error())
	})
	s.config = &tls.Config{Certificates: []tls.Certificate{testpki.SelfSigned(t, "server").TLS()}, MinVersion: tls.VersionTLS12}
	s.Ask(s.config)
	return s
}

func (s *server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *server) refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refusals
}

// keeper is a connection as a loop's handshakes have it.
type keeper struct {
	net.Conn
	peer any
}

// SetPeer implements loop.PeerKeeper.
func (k *keeper) SetPeer(peer any) { k.peer = peer }

// outcome is what came of a handshake.
type outcome struct {
	client  *Client // nil: nobody was asked
	asked   bool
	resumed bool
	err     error // of the server
	seen    error // by the client
}

// shake makes a handshake, and has the client read the tickets that follow.
func (s *server) shake(config *tls.Config) (o outcome) {
	s.t.Helper()
	ours, theirs := s.connect()
	defer ours.Close()
	defer theirs.Close()
	_ = ours.SetDeadline(time.Now().Add(10 * time.Second))
	_ = theirs.SetDeadline(time.Now().Add(10 * time.Second))
	config = config.Clone()
	config.InsecureSkipVerify = true //nolint:gosec // the server is not what is tested
	if config.GetClientCertificate == nil {
		given := config.Certificates
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			o.asked = true
			if len(given) == 0 {
				return &tls.Certificate{}, nil
			}
			return &given[0], nil
		}
	}
	done := make(chan struct{})
	client := tls.Client(theirs, config)
	go func() {
		defer close(done)
		_, o.seen = client.Read(make([]byte, 1))
	}()
	under := &keeper{Conn: ours}
	conn := tls.Server(under, s.config)
	if o.err = conn.Handshake(); o.err == nil {
		_, o.err = conn.Write([]byte("x"))
		o.resumed = conn.ConnectionState().DidResume
		o.client, _ = under.peer.(*Client)
	}
	ours.Close()
	<-done
	return o
}

// connect makes both ends of a connection.
func (s *server) connect() (ours, theirs net.Conn) {
	s.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer ln.Close()
	if theirs, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		s.t.Fatal(err)
	}
	if ours, err = ln.Accept(); err != nil {
		s.t.Fatal(err)
	}
	return ours, theirs
}

// stores makes a trust store of authorities, with lists.
func stores(t testing.TB, authorities []*x509.Certificate, crls ...[]byte) *truststore.Store {
	t.Helper()
	dir := t.TempDir()
	files := truststore.Files{Truststore: filepath.Join(dir, "clients.pem")}
	testpki.WriteFile(t, files.Truststore, testpki.PEM(authorities...))
	for i, crl := range crls {
		name := filepath.Join(dir, string(rune('a'+i))+".crl")
		testpki.WriteFile(t, name, crl)
		files.CRLs = append(files.CRLs, name)
	}
	s, err := truststore.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// anySession has one session for all servers.
type anySession struct{ session *tls.ClientSessionState }

// Get implements tls.ClientSessionCache.
func (a *anySession) Get(string) (*tls.ClientSessionState, bool) { return a.session, a.session != nil }

// Put implements tls.ClientSessionCache.
func (a *anySession) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		a.session = s
	}
}
