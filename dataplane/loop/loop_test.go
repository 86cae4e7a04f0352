package loop

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func open(t *testing.T) *Loop {
	t.Helper()
	l, err := New(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// peer is a socket under test: what happens to it arrives on channels.
type peer struct {
	Stream
	data     chan []byte
	hangup   chan struct{}
	writable chan struct{}
	deadline chan int64
}

// pair registers one end of a socket pair and returns the other.
func pair(t *testing.T, l *Loop) (*peer, *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		t.Fatal(err)
	}
	other := os.NewFile(uintptr(fds[1]), "peer")
	p := &peer{data: make(chan []byte, 100), hangup: make(chan struct{}, 1), writable: make(chan struct{}, 100), deadline: make(chan int64, 10)}
	l.Do(func() { err = p.Open(l, fds[0], p, false) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Do(p.Close)
		_ = other.Close()
	})
	return p, other
}

func (p *peer) OnReadable() {
	if p.Handshaking() {
		p.FeedHandshake()
		return
	}
	p.BeginRead()
	for {
		n, err := p.Read(p.Loop().ReadBuffer)
		if err != nil || n == 0 {
			return
		}
		p.data <- append([]byte(nil), p.Loop().ReadBuffer[:n]...)
		if !p.IsTLS() {
			return
		}
	}
}
func (p *peer) OnWritable() { // comes again and again until WantWrite(false)
	select {
	case p.writable <- struct{}{}:
	default:
	}
}
func (p *peer) OnHangup()            { p.hangup <- struct{}{} }
func (p *peer) OnDeadline(now int64) { p.deadline <- now }

func wait[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(5 * time.Second):
		t.Fatalf("no %s after 5 s", what)
	}
	return v
}

func silent[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
		t.Fatalf("unexpected %s", what)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestReadPauseResumeHangup(t *testing.T) {
	l := open(t)
	p, other := pair(t, l)
	write := func(s string) {
		if _, err := other.WriteString(s); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	if got := wait(t, "data", p.data); string(got) != "one" {
		t.Fatalf("read %q", got)
	}
	l.Do(p.Pause)
	write("two")
	silent(t, "data while paused", p.data)
	l.Do(p.Resume)
	if got := wait(t, "data", p.data); string(got) != "two" {
		t.Fatalf("read %q", got)
	}
	write("three")
	_ = other.Close()
	if got := wait(t, "data", p.data); string(got) != "three" {
		t.Fatalf("read %q", got)
	}
	wait(t, "hang-up", p.hangup)
	silent(t, "second hang-up", p.hangup)
}

// A socket that pauses and resumes in its own callback must not stop the loop,
// which netpoll would.
func TestPauseAndResumeInsideCallback(t *testing.T) {
	l := open(t)
	p, other := pair(t, l)
	l.Do(func() {
		p.SetEvents(eventsFunc(func() {
			p.OnReadable()
			p.Pause()
			p.Resume()
		}))
	})
	for range 3 {
		if _, err := other.WriteString("x"); err != nil {
			t.Fatal(err)
		}
		wait(t, "data", p.data)
	}
}

type eventsFunc func()

func (f eventsFunc) OnReadable()      { f() }
func (f eventsFunc) OnWritable()      {}
func (f eventsFunc) OnHangup()        {}
func (f eventsFunc) OnDeadline(int64) {}

func TestCloseInsideCallback(t *testing.T) {
	l := open(t)
	for range 200 { // more than are buried at once
		p, other := pair(t, l)
		closed := make(chan struct{})
		l.Do(func() {
			p.SetEvents(eventsFunc(func() {
				p.Close()
				close(closed)
			}))
		})
		if _, err := other.WriteString("x"); err != nil {
			t.Fatal(err)
		}
		wait(t, "callback", closed)
		if _, err := other.Read(make([]byte, 1)); err == nil {
			t.Fatal("the other end is still open")
		}
		if l.Do(func() {}); p.FD() != -1 || p.IsOpen() {
			t.Fatal("closed socket looks open")
		}
	}
}

func TestWriteUntilFullThenWritable(t *testing.T) {
	l := open(t)
	p, other := pair(t, l)
	block := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	sent := 0
	l.Do(func() {
		for {
			n, err := p.Write2(block[:100], block[100:])
			sent += n
			if err == ErrWouldBlock {
				p.WantWrite(true)
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	silent(t, "writable", p.writable)
	if _, err := io.CopyN(io.Discard, other, int64(sent)); err != nil {
		t.Fatal(err)
	}
	wait(t, "writable", p.writable)
	l.Do(func() { p.WantWrite(false) })
}

func TestDeadlines(t *testing.T) {
	l := open(t)
	p, _ := pair(t, l)
	var at int64
	l.Do(func() {
		at = l.Now() + int64(60*time.Millisecond)
		p.SetDeadline(at)
	})
	if now := wait(t, "deadline", p.deadline); now < at {
		t.Errorf("deadline came %s early", time.Duration(at-now))
	}
	l.Do(func() {
		p.SetDeadline(l.Now() + int64(60*time.Millisecond))
		p.SetDeadline(0)
	})
	silent(t, "deadline taken back", p.deadline)
	silent(t, "deadline taken back", p.deadline)
}

func TestPostRunsInOrderAndStopsAtClose(t *testing.T) {
	l, err := New(0)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	var wg sync.WaitGroup
	wg.Add(1000)
	for i := range 1000 {
		l.Post(func() { got = append(got, i); wg.Done() })
	}
	wg.Wait()
	for i, v := range got {
		if i != v {
			t.Fatalf("call %d ran as number %d", v, i)
		}
	}
	if !l.Responds(time.Second) {
		t.Error("the loop does not respond")
	}
	l.Close()
	l.Close()
	if l.Post(func() {}) || l.Responds(time.Millisecond) {
		t.Error("a closed loop took work")
	}
	l.Do(func() { t.Error("a closed loop ran work") })
}

func TestTLSStream(t *testing.T) {
	l := open(t)
	config := serverTLS(t)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		hello.Conn.(PeerKeeper).SetPeer("somebody")
		return nil, nil
	}
	p, other := pair(t, l)
	conn, err := net.FileConn(other)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	shaken := make(chan error, 1)
	l.Do(func() {
		p.StartTLS(func(under net.Conn) *tls.Conn { return tls.Server(under, config) }, func(err error) { shaken <- err })
	})
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // its own certificate
	_ = client.SetDeadline(time.Now().Add(5 * time.Second))
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, "handshake", shaken); err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("tidegate"), 40<<10)
	go func() { _, _ = client.Write(large) }()
	for got := []byte{}; len(got) < len(large); {
		got = append(got, wait(t, "data", p.data)...)
		if !bytes.HasPrefix(large, got) {
			t.Fatal("data differs")
		}
	}
	// The other way, more than the socket takes at once.
	l.Do(func() {
		if _, err := p.Write2(large[:10], large[10:]); err != nil {
			t.Error(err)
		}
		p.WantWrite(p.Unsent() > 0)
		p.SetEvents(flusher{p})
	})
	got := make([]byte, len(large))
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, large) {
		t.Fatalf("read back: %v", err)
	}
	var version string
	var known any
	l.Do(func() { version, known = p.TLSVersion(), p.Peer() })
	if version != "TLSv1.3" || known != "somebody" {
		t.Errorf("TLS version %q, peer %v", version, known)
	}
}

// flusher sends what a TLS stream could not at once.
type flusher struct{ *peer }

func (f flusher) OnWritable() {
	_ = f.Flush()
	f.WantWrite(f.Unsent() > 0)
}

func TestTLSHandshakeEndsWithTheStream(t *testing.T) {
	l := open(t)
	p, _ := pair(t, l)
	shaken := make(chan error, 1)
	l.Do(func() {
		p.StartTLS(func(under net.Conn) *tls.Conn { return tls.Server(under, serverTLS(t)) }, func(err error) { shaken <- err })
	})
	var known any
	l.Do(func() { known = p.Peer(); p.Stream.Close() })
	if known != nil {
		t.Errorf("peer %v before the handshake", known)
	}
	if err := wait(t, "end of the handshake", shaken); err == nil {
		t.Error("a handshake on a closed stream succeeded")
	}
}

func serverTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}
