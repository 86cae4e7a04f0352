package websocket

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	oracle "github.com/fasthttp/websocket"
)

// canned is a connection to a server that agrees to any upgrade and then says
// what it was given.
type canned struct {
	net.Conn // for what is not called
	said     bytes.Buffer
	data     []byte
	agreed   bool
}

func (c *canned) Write(b []byte) (int, error) {
	if !c.agreed {
		c.agreed = true
		_, after, _ := bytes.Cut(b, []byte("Sec-WebSocket-Key: "))
		accept := acceptFor([keySize]byte(after[:keySize]))
		c.said.WriteString("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + string(accept[:]) + "\r\n\r\n")
		c.said.Write(c.data)
	}
	return len(b), nil
}

func (c *canned) Read(b []byte) (int, error)       { return c.said.Read(b) }
func (c *canned) Close() error                     { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// oracleReads returns the messages that fasthttp/websocket finds in data before
// an end of the connection, and whether it found fault with it.
func oracleReads(t *testing.T, data []byte) (events []event, fault bool) {
	t.Helper()
	d := oracle.Dialer{NetDial: func(string, string) (net.Conn, error) { return &canned{data: data}, nil }}
	c, _, err := d.Dial("ws://x/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for {
		kind, message, err := c.ReadMessage()
		if err != nil {
			return events, !errors.Is(err, io.ErrUnexpectedEOF) && !oracle.IsCloseError(err, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013) &&
				!errors.Is(err, io.EOF)
		}
		events = append(events, event{Opcode(kind), string(message)})
	}
}

// againstOracle: we and fasthttp/websocket find the same messages in bytes that
// we find no fault with, and of others we find no more than it does.
func againstOracle(t *testing.T, data []byte) {
	t.Helper()
	limits := &Limits{Frame: 1 << 20, Message: 1 << 20, Fragments: 1000}
	all, fault := collect(data, false, limits, nil)
	var ours []event
	closed := false
	for _, e := range all {
		if e.op == OpClose {
			closed = true
			break
		}
		if !e.op.IsControl() {
			ours = append(ours, e)
		}
	}
	theirs, theirFault := oracleReads(t, data)
	if fault == 0 && !closed && (theirFault || len(ours) != len(theirs)) || len(ours) > len(theirs) {
		t.Fatalf("% x\nours   %q, fault %d\ntheirs %q, fault %v", data, ours, fault, theirs, theirFault)
	}
	for i, e := range ours {
		if e != theirs[i] {
			t.Fatalf("% x\nmessage %d is %q, and theirs %q", data, i, e, theirs[i])
		}
	}
}

func TestReaderAgainstOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 4000 {
		againstOracle(t, randomFrames(r, false))
	}
}

func FuzzReaderAgainstOracle(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		f.Add(randomFrames(r, false))
	}
	f.Fuzz(againstOracle)
}
