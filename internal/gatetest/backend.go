package gatetest

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"testing"
)

// Backend is a TCP server whose connections a test handles byte by byte.
type Backend struct {
	Addr string

	ln    net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
	total int
	wg    sync.WaitGroup
}

// NewBackend serves each connection with handle, until the test ends.
func NewBackend(t testing.TB, handle func(conn net.Conn)) *Backend {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &Backend{Addr: ln.Addr().String(), ln: ln, conns: map[net.Conn]bool{}}
	b.wg.Add(1)
	go b.accept(handle)
	t.Cleanup(b.Close)
	return b
}

// Connections returns how many connections were ever accepted.
func (b *Backend) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// Close stops the backend and its connections.
func (b *Backend) Close() {
	_ = b.ln.Close()
	b.mu.Lock()
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.wg.Wait()
}

func (b *Backend) accept(handle func(net.Conn)) {
	defer b.wg.Done()
	for {
		conn, err := b.ln.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[conn] = true
		b.total++
		b.mu.Unlock()
		b.wg.Add(1)
		go func() {
			defer b.wg.Done()
			handle(conn)
			_ = conn.Close()
			b.mu.Lock()
			delete(b.conns, conn)
			b.mu.Unlock()
		}()
	}
}

// Answering serves each request with the bytes that answer returns, on
// connections that stay open. An empty answer closes the connection.
func Answering(t testing.TB, answer func(r *http.Request) string) *Backend {
	t.Helper()
	return NewBackend(t, func(conn net.Conn) {
		br := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			text := answer(r)
			if text == "" {
				return
			}
			if _, err := conn.Write([]byte(text)); err != nil {
				return
			}
		}
	})
}
