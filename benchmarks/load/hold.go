package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Hold opens connections, completes one request on each and leaves them open
// and idle.
type Hold struct {
	Address     string // host:port, clear text
	Path        string
	Connections int
}

// HoldSummary is what became of the connections.
type HoldSummary struct {
	Open int `json:"open"` // still open, with nothing received since the answer
}

// Held is a running Hold.
type Held struct{ child *child }

// Start returns when all connections are open and idle.
func (h Hold) Start(ctx context.Context) (*Held, error) {
	c, err := spawn(ctx, nil, holdCommand, h)
	if err != nil {
		return nil, err
	}
	var ready [1]byte
	if _, err := io.ReadFull(c.out, ready[:]); err != nil {
		return nil, errors.Join(c.wait(new(HoldSummary)), err)
	}
	return &Held{c}, nil
}

// Release looks which connections are still open and closes them.
func (h *Held) Release() (s HoldSummary, err error) {
	h.child.release()
	return s, h.child.wait(&s)
}

// opening bounds how many requests are under way at once.
const opening = 32

// Run does the work in this process: it prints a newline when all connections
// are idle, waits for the end of stdin, and prints a HoldSummary.
func (h Hold) Run(stdin io.Reader, stdout io.Writer) error {
	conns := make([]net.Conn, h.Connections)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	var wg sync.WaitGroup
	failed := make([]error, opening)
	for worker := range opening {
		wg.Go(func() {
			for i := worker; i < len(conns) && failed[worker] == nil; i += opening {
				conns[i], failed[worker] = h.open(i)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, stdin)
	var s HoldSummary
	for _, c := range conns {
		if isOpen(c) {
			s.Open++
		}
	}
	return json.NewEncoder(stdout).Encode(s)
}

// open opens connection i and completes a request on it. Sixteen loopback
// source addresses keep one address from running out of ports.
func (h Hold) open(i int) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   5 * time.Second,
		KeepAlive: -1,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%16))},
	}
	c, err := d.Dial("tcp", h.Address)
	if err != nil {
		return nil, fmt.Errorf("connection %d: %w", i, err)
	}
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if err := h.request(c); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("connection %d: %w", i, err)
	}
	return c, c.SetDeadline(time.Time{})
}

func (h Hold) request(c net.Conn) error {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", h.Path, h.Address); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1024), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || resp.Close {
		return fmt.Errorf("status %d, connection to be closed: %v", resp.StatusCode, resp.Close)
	}
	return nil
}

// isOpen looks, without waiting, whether the peer has sent or closed anything.
func isOpen(c net.Conn) bool {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	var open bool
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = err == syscall.EAGAIN
	})
	return err == nil && open
}
