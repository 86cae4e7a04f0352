package front_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/front"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// teller answers with whether the source is kept out.
type teller struct{ x *front.Exchange }

func (h *teller) Serve() {
	if h.x.Denied() {
		h.x.Write([]byte("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), nil)
		h.x.Close()
	} else {
		h.x.KeepAlive()
		h.x.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"), nil)
	}
	h.x.Finish()
}

func (h *teller) Refuse(http1.Fault) { h.x.Abort() }
func (h *teller) Body([]byte, bool)  {}
func (h *teller) Drained()           {}
func (h *teller) Gone()              {}

// picky turns everybody away.
type picky struct{ *net.TCPListener }

func (picky) Refuses(netip.Addr) bool { return true }

// TestDenied: a source that is kept out gets one answer in clear and none where
// it would take a handshake; a listener that turns it away gives none either.
func TestDenied(t *testing.T) {
	l, err := loop.New(0)
	if err != nil {
		t.Fatal(err)
	}
	denied := netip.MustParseAddr("127.0.0.2")
	f := front.New(l, front.Config{
		Limits: http1.Limits{Target: 1024, Header: 1024, Count: 10}, ConnectionBuffer: 1 << 16, LoopBuffer: 1 << 20,
		FirstByte: time.Minute, Head: time.Minute, Idle: time.Minute, Send: time.Minute, TLSHandshake: time.Minute,
		Denied: func(source netip.Addr) bool { return source == denied },
	}, func(x *front.Exchange) front.Handler { return &teller{x} })
	listen := func(wrap func(*net.TCPListener) net.Listener, config *tls.Config) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := front.Listen("test", "", wrap(ln.(*net.TCPListener)), config, []*front.Front{f})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(listener.Close)
		return listener.Addr().String()
	}
	defer func() {
		l.Do(f.CloseAll)
		l.Close()
	}()
	plain := func(ln *net.TCPListener) net.Listener { return ln }
	clear, secure := listen(plain, nil), listen(plain, &tls.Config{})
	closed := listen(func(ln *net.TCPListener) net.Listener { return picky{ln} }, nil)
	ask := func(source, addr string) string {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: 5 * time.Second}
		conn, err := d.Dial("tcp", addr)
		if err != nil {
			if reset(err) {
				return "nothing"
			}
			return err.Error()
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		got := make([]byte, 64)
		n, err := conn.Read(got)
		if n == 0 {
			if reset(err) || err == io.EOF {
				return "nothing"
			}
			return err.Error()
		}
		line, _, _ := strings.Cut(string(got[:n]), "\r\n")
		return line
	}
	for _, c := range []struct{ source, addr, want string }{
		{"127.0.0.1", clear, "HTTP/1.1 204 No Content"},
		{"127.0.0.2", clear, "HTTP/1.1 403 Forbidden"},
		{"127.0.0.2", secure, "nothing"},
		{"127.0.0.1", closed, "nothing"},
	} {
		if got := ask(c.source, c.addr); got != c.want {
			t.Errorf("from %s to %s: %s, want %s", c.source, c.addr, got, c.want)
		}
	}
	if n := f.Open(); n > 2 { // those that were answered may still linger
		t.Errorf("%d connections are open", n)
	}
}
