package websocket_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	oracle "github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

func serverTLS(t testing.TB) *tls.Config {
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

var anyCertificate = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // its own certificate

// TestOracleClient talks with fasthttp/websocket's client, in the clear and over
// TLS, also with messages of many frames and more than the socket takes at once.
func TestOracleClient(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		s := newServer(t, func(o *serverOptions) {
			o.loops, o.protocols = 2, []string{"echo"}
			o.limits.Frame, o.limits.Fragments = 128<<10, 1000
			if secure {
				o.tls = serverTLS(t)
			}
		})
		url := map[bool]string{false: "ws://", true: "wss://"}[secure] + s.addr + "/"
		var wg sync.WaitGroup
		for client := range 8 {
			wg.Go(func() {
				d := oracle.Dialer{TLSClientConfig: anyCertificate, Subprotocols: []string{"other", "echo"}, EnableCompression: client%2 == 0, WriteBufferSize: 100 + 5000*client}
				c, _, err := d.Dial(url, nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.Close()
				if c.Subprotocol() != "echo" {
					t.Errorf("subprotocol %q", c.Subprotocol())
				}
				talk(t, c, uint64(client))
			})
		}
		wg.Wait()
		s.stats("all closed", func(x websocket.Stats) bool {
			return x.Open == 0 && x.Held == 0 && x.Queued == 0 && x.Connects == 8 && x.Closes(websocket.Normal) == 8
		})
	}
}

// talk sends messages to an echo and checks what comes back, pings, and closes.
func talk(t *testing.T, c *oracle.Conn, seed uint64) {
	t.Helper()
	r := mrand.New(mrand.NewPCG(seed, 1))
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	pongs := 0
	c.SetPongHandler(func(string) error { pongs++; return nil })
	for i := range 40 {
		kind, size := oracle.BinaryMessage, r.IntN(300)
		if i%10 == 0 {
			size = r.IntN(128 << 10)
		}
		message := make([]byte, size)
		for j := range message {
			message[j] = byte(r.Uint32())
		}
		if i%2 == 0 {
			kind = oracle.TextMessage
			for j := range message {
				message[j] &= 0x7f
			}
		}
		if i%8 == 0 {
			if err := c.WriteControl(oracle.PingMessage, []byte("ping"), time.Now().Add(time.Second)); err != nil {
				t.Error(err)
			}
		}
		if err := c.WriteMessage(kind, message); err != nil {
			t.Error(err)
			return
		}
		gotKind, got, err := c.ReadMessage()
		if err != nil || gotKind != kind || !bytes.Equal(got, message) {
			t.Errorf("message %d of %d bytes: came back as %d, %d bytes, %v", i, size, gotKind, len(got), err)
			return
		}
	}
	if pongs != 5 {
		t.Errorf("%d pongs", pongs)
	}
	if err := c.WriteControl(oracle.CloseMessage, oracle.FormatCloseMessage(1000, "done"), time.Now().Add(time.Second)); err != nil {
		t.Error(err)
	}
	if _, _, err := c.ReadMessage(); !oracle.IsCloseError(err, 1000) {
		t.Errorf("after the close: %v", err)
	}
}

// TestEarlyBytes: what a client sends along with its request counts, and what it
// sends right after it.
func TestEarlyBytes(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := newServer(t, func(o *serverOptions) {
			if secure {
				o.tls = serverTLS(t)
			}
		})
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if secure {
			conn = tls.Client(conn, anyCertificate)
		}
		half := wstest.Bytes(wstest.T("half"))
		for _, piece := range []string{request() + string(wstest.Bytes(wstest.T("early"))), string(wstest.Bytes(wstest.T("next"))), string(half[:3])} {
			if _, err := conn.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		session := s.session()
		if _, err := conn.Write(half[3:]); err != nil {
			t.Fatal(err)
		}
		var got []byte
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		for !bytes.HasSuffix(got, []byte("\r\n\r\n\x81\x05early\x81\x04next\x81\x04half")) {
			b := make([]byte, 1000)
			n, err := conn.Read(b)
			if err != nil {
				t.Fatalf("%q, %v", got, err)
			}
			got = append(got, b[:n]...)
		}
		conn.Close()
		if e := session.end(); e.By != websocket.ByLoss || e.Code != websocket.Abnormal {
			t.Errorf("ended %d by %s", e.Code, e.By)
		}
	}
}

// TestBurst: however much comes at once, over TLS too, all of it is read.
func TestBurst(t *testing.T) {
	const messages, size = 4000, 1000
	for _, secure := range []bool{false, true} {
		count := 0
		s := newServer(t, func(o *serverOptions) {
			if secure {
				o.tls = serverTLS(t)
			}
			o.message = func(x *session, op websocket.Opcode, payload []byte) {
				if count++; count == messages {
					x.Send(op, payload)
				}
			}
		})
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		if secure {
			conn = tls.Client(conn, anyCertificate)
		}
		c, _, err := wstest.Upgrade(conn, "x", "/")
		if err != nil {
			t.Fatal(err)
		}
		x := s.session()
		s.loops[0].Do(x.Pause) // so that much waits
		last := wstest.T(strings.Repeat("x", size))
		go func() { _ = c.SayBytes(bytes.Repeat(wstest.Bytes(last), messages), 0) }()
		time.Sleep(50 * time.Millisecond)
		s.loops[0].Do(x.Resume)
		expect(t, c, last)
		c.Close()
	}
}

// TestEnds: what each way to end a connection looks like from both sides.
func TestEnds(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.limits.Closing = 500 * time.Millisecond })
	end := func(session *session, code websocket.Code, reason string, by websocket.By) {
		t.Helper()
		if e := session.end(); e.Code != code || string(e.Reason) != reason || e.By != by {
			t.Errorf("ended with %d %q by %s, want %d %q by %s", e.Code, e.Reason, e.By, code, reason, by)
		}
	}
	on := func(session *session, f func()) { s.loops[0].Do(f) }

	c, x := s.connect()
	say(t, c, wstest.CloseFrame(4321, "why"))
	expectClose(t, c, 4321)
	end(x, 4321, "why", websocket.ByPeer)

	c, x = s.connect()
	say(t, c, wstest.CloseFrame(0, ""))
	expectClose(t, c, websocket.NoStatus)
	end(x, websocket.NoStatus, "", websocket.ByPeer)

	c, x = s.connect()
	say(t, c, wstest.T("\xff"))
	expectClose(t, c, websocket.InvalidPayload)
	end(x, websocket.InvalidPayload, "", websocket.ByGateway)

	for _, code := range []websocket.Code{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1013} {
		c, x = s.connect()
		on(x, func() {
			x.Send(websocket.OpText, []byte("last"))
			x.Close(code, "enough")
			x.Close(1011, "not again")
			if x.Send(websocket.OpText, nil) != websocket.Gone || x.IsOpen() {
				t.Error("a closed connection takes messages")
			}
		})
		expect(t, c, wstest.T("last"), wstest.CloseFrame(int(code), "enough"))
		end(x, code, "enough", websocket.ByGateway)
		// The handshake goes on: data is ignored, pings are not answered.
		say(t, c, wstest.T("late"), wstest.Frame{Op: wstest.Ping}, wstest.CloseFrame(int(code), ""))
		if f, err := c.Hear(); err == nil {
			t.Errorf("after the close came %v", f)
		}
	}

	// A peer that does not answer a close is cut off.
	c, x = s.connect()
	on(x, func() { x.Close(websocket.GoingAway, "") })
	expectClose(t, c, websocket.GoingAway)
	if _, err := c.Hear(); err == nil {
		t.Error("not cut off")
	}

	// So is one that goes on sending after the end.
	c, x = s.connect()
	say(t, c, wstest.CloseFrame(1000, ""))
	expectClose(t, c, 1000)
	end(x, 1000, "", websocket.ByPeer)
	for start := time.Now(); ; {
		if err := c.SayBytes(make([]byte, 64<<10), 0); err != nil {
			break
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("not cut off")
		}
	}

	// Half a close, and half a message, and then nothing.
	for _, b := range [][]byte{nil, wstest.Bytes(wstest.CloseFrame(1000, ""))[:7], wstest.Bytes(wstest.T("half"))[:8]} {
		c, x = s.connect()
		_ = c.SayBytes(b, 0)
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		end(x, websocket.Abnormal, "", websocket.ByLoss)
	}

	// A close and the end of the stream at once.
	c, x = s.connect()
	say(t, c, wstest.T("x"), wstest.CloseFrame(1001, "bye"))
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	end(x, 1001, "bye", websocket.ByPeer)
	expect(t, c, wstest.T("x"))
	expectClose(t, c, 1001)

	// A reset.
	c, x = s.connect()
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
	end(x, websocket.Abnormal, "", websocket.ByLoss)

	s.stats("nothing is left", func(st websocket.Stats) bool { return st.Open == 0 && st.Held == 0 && st.Queued == 0 })
}

// TestHandlerEndsInTheMiddle: a handler may close the connection while a message
// of several is handed to it; the others do not come.
func TestHandlerEndsInTheMiddle(t *testing.T) {
	messages := 0
	s := newServer(t, func(o *serverOptions) {
		o.message = func(x *session, _ websocket.Opcode, payload []byte) {
			if messages++; string(payload) == "end" {
				x.Close(websocket.PolicyViolation, "told to")
			}
		}
	})
	c, x := s.connect()
	say(t, c, wstest.T("1"), wstest.T("2"), wstest.T("end"), wstest.T("4"), wstest.T("5"))
	expectClose(t, c, websocket.PolicyViolation)
	x.end()
	say(t, c, wstest.CloseFrame(1008, ""))
	s.stats("gone", func(st websocket.Stats) bool { return st.Open == 0 })
	s.loops[0].Do(func() {
		if messages != 3 {
			t.Errorf("%d messages", messages)
		}
	})
}

var _ loop.Events = (*websocket.Conn)(nil)
