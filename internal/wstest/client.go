package wstest

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// Client is one end of a WebSocket, with no opinion of what may be sent.
type Client struct {
	net.Conn
	R *bufio.Reader
}

// patience bounds every wait of a Client.
const patience = 20 * time.Second

// Dial connects to addr and asks for target; fields are further field lines,
// without line ends.
func Dial(addr, target string, fields ...string) (*Client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c, answer, err := Upgrade(conn, addr, target, fields...)
	if err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("answered %s", answer.Status)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Upgrade asks for a WebSocket on a connection.
func Upgrade(conn net.Conn, host, target string, fields ...string) (*Client, *http.Response, error) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	request := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		return nil, nil, err
	}
	c := &Client{Conn: conn, R: bufio.NewReader(conn)}
	answer, err := http.ReadResponse(c.R, nil)
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		if accept := answer.Header.Get("Sec-WebSocket-Accept"); accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455 section 1.3
			return nil, answer, fmt.Errorf("Sec-WebSocket-Accept is %q", accept)
		}
	}
	return c, answer, nil
}

// Say sends frames.
func (c *Client) Say(frames ...Frame) error { return c.SayBytes(Bytes(frames...), 0) }

// SayBytes sends b, in pieces of cut bytes if cut is not 0.
func (c *Client) SayBytes(b []byte, cut int) error {
	for cut > 0 && len(b) > cut {
		if _, err := c.Write(b[:cut]); err != nil {
			return err
		}
		b = b[cut:]
		runtime.Gosched() // so that many arrive one by one
	}
	_, err := c.Write(b)
	return err
}

// Hear reads the next frame.
func (c *Client) Hear() (Frame, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return Read(c.R)
}
