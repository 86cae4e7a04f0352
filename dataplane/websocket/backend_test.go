package websocket_test

import (
	"bufio"
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// rawBackend answers each connection with a function.
func rawBackend(t testing.TB, serve func(conn net.Conn, r *http.Request)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				serve(conn, r)
			}()
		}
	}()
	return ln.Addr().String()
}

// agreement is the answer to a request for WebSocket.
func agreement(r *http.Request, fields ...string) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// TestBackendAnswers: what comes of an upgrade that the backend does not agree
// to, or not to what was asked.
func TestBackendAnswers(t *testing.T) {
	closed := func() string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		return ln.Addr().String()
	}()
	long := strings.Repeat("x", websocket.MaxAnswer+1)
	for name, c := range map[string]struct {
		answer func(r *http.Request) string
		status int
		field  string
	}{
		"agrees":               {func(r *http.Request) string { return agreement(r) }, 101, ""},
		"agrees after 1xx":     {func(r *http.Request) string { return "HTTP/1.1 103 Early Hints\r\n\r\n" + agreement(r) }, 101, ""},
		"agrees in other case": {func(r *http.Request) string { return strings.ToLower(agreement(r)[:60]) + agreement(r)[60:] }, 502, ""},
		"no accept": {func(*http.Request) string {
			return "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
		}, 502, ""},
		"wrong accept":         {func(r *http.Request) string { r.Header.Set("Sec-WebSocket-Key", "x"); return agreement(r) }, 502, ""},
		"no upgrade":           {func(r *http.Request) string { return strings.Replace(agreement(r), "Upgrade: websocket", "X: y", 1) }, 502, ""},
		"no connection":        {func(r *http.Request) string { return strings.Replace(agreement(r), "Connection", "X", 1) }, 502, ""},
		"extension":            {func(r *http.Request) string { return agreement(r, "Sec-WebSocket-Extensions: permessage-deflate") }, 502, ""},
		"protocol not offered": {func(r *http.Request) string { return agreement(r, "Sec-WebSocket-Protocol: other") }, 502, ""},
		"protocol offered":     {func(r *http.Request) string { return agreement(r, "Sec-WebSocket-Protocol: chat") }, 101, "chat"},
		"protocol twice": {func(r *http.Request) string {
			return agreement(r, "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: chat")
		}, 502, ""},
		"too many 1xx": {func(r *http.Request) string { return strings.Repeat("HTTP/1.1 100 C\r\n\r\n", 9) + agreement(r) }, 502, ""},
		"not HTTP":     {func(*http.Request) string { return "hello\r\n\r\n" }, 502, "invalid"},
		"endless head": {func(*http.Request) string { return "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70_000) }, 502, "invalid"},
		"nothing":      {func(*http.Request) string { return "" }, 502, "without an answer"},
		"half a head":  {func(*http.Request) string { return "HTTP/1.1 101 S" }, 502, "without an answer"},
		"refused":      {func(*http.Request) string { return "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nbad and more" }, 403, "whole: true, bad"},
		"refused, chunked": {func(*http.Request) string {
			return "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
		}, 401, "whole: true, abc"},
		"refused, until the close": {func(*http.Request) string { return "HTTP/1.1 404 No\r\n\r\nuntil the end" }, 404, "whole: true, until the end"},
		"refused without body":     {func(*http.Request) string { return "HTTP/1.1 204 No\r\n\r\n" }, 204, "whole: true, "},
		"refused, cut off":         {func(*http.Request) string { return "HTTP/1.1 500 No\r\nContent-Length: 30\r\n\r\nbad" }, 500, "whole: false, "},
		"refused, bad chunks":      {func(*http.Request) string { return "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nzz" }, 500, "whole: false, "},
		"refused at length":        {func(*http.Request) string { return "HTTP/1.1 500 No\r\n\r\n" + long }, 500, "whole: false, "},
		"200":                      {func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, 200, "whole: true, "},
	} {
		for _, cut := range []int{0, 7} {
			asked := make(chan *http.Request, 1)
			addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
				asked <- r
				w := &wstest.Client{Conn: conn}
				text := []byte(c.answer(r))
				if len(text) > 10_000 {
					cut = 0
				}
				_ = w.SayBytes(text, cut)
				if c.status == 101 {
					_, _ = io.Copy(io.Discard, conn)
				}
			})
			s := newServer(t, passTo(closed), passTo(addr, func(d *websocket.Dial) { d.Addrs = append(dialTo(closed).Addrs, d.Addrs...) }))
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			_, r, err := wstest.Upgrade(conn, "x", "/", "Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: permessage-deflate")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got := r.Header.Get("Sec-WebSocket-Protocol") + r.Header.Get("X-Failure")
			if whole := r.Header.Get("X-Whole"); whole != "" {
				got = fmt.Sprintf("whole: %s, %s", whole, r.Header.Get("X-Body"))
			}
			if r.StatusCode != c.status || !strings.Contains(got, c.field) {
				t.Errorf("%s, cut %d: %d %q, want %d %q", name, cut, r.StatusCode, got, c.status, c.field)
			}
			if q := <-asked; q.URL.Path != "/backend" || q.Header.Get("Sec-WebSocket-Extensions") != "" || q.Header.Get("Sec-WebSocket-Version") != "13" ||
				!strings.Contains(q.Header.Get("Sec-WebSocket-Protocol"), "chat, superchat") {
				t.Errorf("%s: asked for %s with %v", name, q.URL, q.Header)
			}
			conn.Close()
			s.stats(name, func(st websocket.Stats) bool { return st.Open == 0 && st.Backends == 0 && st.Held == 0 })
		}
	}
}

// TestBackendsThatDoNotAnswer: 504, and no trace.
func TestBackendsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	silent := rawBackend(t, func(conn net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, conn) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := ln.Addr().String()
	ln.Close()
	for name, edit := range map[string]func(*websocket.Dial){
		"silent":       func(d *websocket.Dial) {},
		"silent TLS":   func(d *websocket.Dial) { d.TLS = anyCertificate },
		"refusing":     func(d *websocket.Dial) { d.Addrs = dialTo(refusing).Addrs },
		"none":         func(d *websocket.Dial) { d.Addrs = nil },
		"unreachable":  func(d *websocket.Dial) { d.Addrs = []netip.AddrPort{netip.MustParseAddrPort("255.255.255.255:1")} },
		"no handshake": func(d *websocket.Dial) { d.TLS, d.Connect = anyCertificate, 100*time.Millisecond },
	} {
		s := newServer(t, passTo(silent, edit, func(d *websocket.Dial) { d.Deadline = loop.Now() + int64(400*time.Millisecond) }))
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := wstest.Upgrade(conn, "x", "/")
		if err != nil || r.StatusCode != 504 {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		conn.Close()
		s.stats(name, func(st websocket.Stats) bool { return st.Backends == 0 })
	}
	// A client that does not wait. One that only closes its sending end would.
	s := newServer(t, passTo(silent))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write([]byte(request()))
	s.stats("asked", func(st websocket.Stats) bool { return st.Backends == 1 })
	_ = conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
	s.stats("cancelled", func(st websocket.Stats) bool { return st.Backends == 0 })
}

// TestBackendSpeaksFirst: what comes right after the backend's agreement counts,
// and what the client sent early too.
func TestBackendSpeaksFirst(t *testing.T) {
	addr := rawBackend(t, func(conn net.Conn, r *http.Request) {
		_, _ = conn.Write([]byte(agreement(r) + "\x81\x05first\x81\x06se"))
		time.Sleep(20 * time.Millisecond)
		_, _ = conn.Write([]byte("cond"))
		b := make([]byte, 100)
		n, _ := io.ReadAtLeast(conn, b, 6+5)
		for i := range n - 6 {
			b[6+i] ^= b[2+i%4]
		}
		_, _ = conn.Write(append([]byte{0x81, byte(n - 6)}, b[6:n]...))
		_, _ = io.Copy(io.Discard, conn)
	})
	s := newServer(t, passTo(addr))
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write(append([]byte(request()), wstest.Bytes(wstest.T("early"))...))
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	var got []byte
	for !bytes.HasSuffix(got, []byte("\r\n\r\n\x81\x05first\x81\x06second\x81\x05early")) {
		b := make([]byte, 1000)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		got = append(got, b[:n]...)
	}
}
