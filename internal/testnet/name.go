package testnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// dialTimeout bounds a dial and its greeting.
const dialTimeout = 10 * time.Second

// Greet makes every connection that the listener accepts hear name and close,
// so that a test can tell which of several listeners answered.
func Greet(l net.Listener, name string) {
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			conn.SetDeadline(time.Now().Add(dialTimeout))
			io.WriteString(conn, name)
			conn.Close()
		}
	}()
}

// ListenName opens a TCP listener that greets with name, until the test ends.
func (n *Namespace) ListenName(network, address, name string) net.Listener {
	n.t.Helper()
	l := n.Listen(network, address)
	Greet(l, name)
	return l
}

// DialName connects and returns the name of the listener that answered. The
// error of a refused connection satisfies errors.Is(err, unix.ECONNREFUSED).
func (n *Namespace) DialName(network, address string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	conn, err := n.Dial(ctx, network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(dialTimeout))
	name, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("greeting of %s: %w", address, err)
	}
	if len(name) == 0 {
		return "", errors.New("closed without a greeting: " + address)
	}
	return string(name), nil
}
