package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/front"
)

// listener is an open address with its certificates.
type listener struct {
	config       configs.Listener
	tls          *tls.Config       // nil for cleartext
	certificates *certificates     // nil for cleartext
	fronts       []*front.Listener // the socket; none while only bound ones are open
	bound        map[string]bound  // by interface: of a private listener that is not steered
	trouble      string            // that was logged
	unlink       string            // a Unix socket to remove at close
}

func (g *Gateway) newListener(c configs.Listener) (*listener, error) {
	l := &listener{config: c, bound: map[string]bound{}}
	if c.TLS == nil {
		return l, nil
	}
	certs, err := loadCertificates(c.TLS.Certificates)
	if err != nil {
		return nil, fmt.Errorf("listener %q: %w", c.Name, err)
	}
	l.certificates = certs
	l.tls = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: certs.choose,
	}
	if c.TLS.MinVersion == "1.3" {
		l.tls.MinVersion = tls.VersionTLS13
	}
	g.mutual.domains.Ask(l.tls)
	return l, nil
}

// listen opens a public listener, or takes the socket that was passed for it. It
// accepts nothing yet.
func (g *Gateway) listen(c configs.Listener) error {
	l, err := g.newListener(c)
	if err != nil {
		return err
	}
	ln, err := g.open(c, l)
	if err != nil {
		return fmt.Errorf("listener %q: %w", c.Name, err)
	}
	f, err := front.Open(c.Name, "", ln, l.tls, g.fronts)
	if err != nil {
		return err
	}
	l.fronts = append(l.fronts, f)
	g.keep(l)
	return nil
}

// keep adds a listener that is open.
func (g *Gateway) keep(l *listener) {
	if l.certificates != nil {
		go l.certificates.watch(g)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listeners = append(g.listeners, l)
	g.log.Info("listening", "listener", l.config.Name, "address", l.address(), "tls", l.tls != nil, "private", l.config.Private())
}

func (g *Gateway) open(c configs.Listener, l *listener) (net.Listener, error) {
	if file := g.inherited[c.Name]; file != nil {
		ln, err := net.FileListener(file)
		if err != nil {
			return nil, fmt.Errorf("take the inherited socket: %w", err)
		}
		_ = file.Close()
		return ln, nil
	}
	path, ok := strings.CutPrefix(c.Address, "unix:")
	if !ok {
		return listenTCP(c.Address, g.unsteered != "" && portShared(c.Address, g.host.Load().Listeners))
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l.unlink = path
	return net.Listen("unix", path)
}

// removeStale removes a Unix socket that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is not a socket; remove it or choose another path", path)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s: another process listens there", path)
	}
	return os.Remove(path)
}

// listenTCP opens an address. With shared others may bind its port too.
func listenTCP(address string, shared bool) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // such sockets do not pass on what front sets
	if shared {
		config.Control = steer.ListenControl("")
	}
	ln, err := config.Listen(context.Background(), "tcp", address)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; ports below 1024 take CAP_NET_BIND_SERVICE or a systemd socket", err)
	}
	return ln, err
}

func (l *listener) close() {
	for _, f := range l.sockets() {
		f.Close()
	}
	if l.certificates != nil {
		l.certificates.stop()
	}
	if l.unlink != "" {
		_ = os.Remove(l.unlink)
	}
}

func (l *listener) sockets() []*front.Listener {
	all := l.fronts
	for _, b := range l.bound {
		all = append(all[:len(all):len(all)], b.front)
	}
	return all
}

// connections returns those that are open now. Of a socket that has closed they
// are not counted any more.
func (l *listener) connections() (n int) {
	for _, f := range l.sockets() {
		n += int(f.Open())
	}
	return n
}

// address returns host:port, or unix:/path.
func (l *listener) address() string {
	if len(l.fronts) == 0 {
		return l.config.AddrPort().String()
	}
	a := l.fronts[0].Addr()
	if a.Network() == "unix" {
		return "unix:" + a.String()
	}
	return a.String()
}

// tcpAddr returns where clients connect to, with the port that the kernel chose.
func (l *listener) tcpAddr() (netip.AddrPort, bool) {
	if len(l.fronts) == 0 {
		return l.config.AddrPort(), true
	}
	a, ok := l.fronts[0].Addr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	at := a.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()), true
}

// reload reads the certificates again; apply makes them the ones in use.
func (l *listener) reload() (apply func(), err error) {
	if l.certificates == nil {
		return func() {}, nil
	}
	next, err := readCertificates(l.certificates.files)
	if err != nil {
		return nil, fmt.Errorf("listener %q: %w", l.config.Name, err)
	}
	return func() { l.certificates.current.Store(&next) }, nil
}

// certificates are the key pairs of a listener, read again when files change.
type certificates struct {
	files   []configs.Certificate
	current atomic.Pointer[[]tls.Certificate]
	done    chan struct{}
	once    sync.Once
}

// certificateCheck is how often the files are looked at.
const certificateCheck = 2 * time.Second

func loadCertificates(files []configs.Certificate) (*certificates, error) {
	pairs, err := readCertificates(files)
	if err != nil {
		return nil, err
	}
	c := &certificates{files: files, done: make(chan struct{})}
	c.current.Store(&pairs)
	return c, nil
}

func readCertificates(files []configs.Certificate) ([]tls.Certificate, error) {
	pairs := make([]tls.Certificate, len(files))
	for i, f := range files {
		var err error
		if pairs[i], err = tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
	}
	return pairs, nil
}

// choose picks the first certificate that suits the client, or the first.
func (c *certificates) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	pairs := *c.current.Load()
	for i := range pairs {
		if hello.SupportsCertificate(&pairs[i]) == nil {
			return &pairs[i], nil
		}
	}
	return &pairs[0], nil
}

func (c *certificates) stop() { c.once.Do(func() { close(c.done) }) }

// watch reads the files again when one has changed. What cannot be read leaves
// the old certificates in use.
func (c *certificates) watch(g *Gateway) {
	ticker := time.NewTicker(certificateCheck)
	defer ticker.Stop()
	seen := c.modified()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		now := c.modified()
		if now == seen {
			continue
		}
		pairs, err := readCertificates(c.files)
		if err != nil { // half written, perhaps: look again
			g.log.Warn("certificates changed but cannot be read; the old ones stay in use", "error", err)
			continue
		}
		seen = now
		c.current.Store(&pairs)
		g.log.Info("certificates read again", "first", c.files[0].Cert)
	}
}

// modified sums up when the files were last written.
func (c *certificates) modified() int64 {
	var names []string
	for _, f := range c.files {
		names = append(names, f.Cert, f.Key)
	}
	return modified(names)
}
