package websocket_test

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestChaos: clients and backends that do what they should not, at any moment,
// while connections are closed by id, leave nothing behind: no memory, no
// descriptor, no connection.
func TestChaos(t *testing.T) {
	short := func(o *serverOptions) {
		o.loops = 2
		o.limits.QueueMessages, o.limits.QueueBytes = 20, 100_000
		o.limits.Closing, o.limits.Send, o.limits.Ping = 50*time.Millisecond, 100*time.Millisecond, 50*time.Millisecond
		o.message = func(s *session, op websocket.Opcode, payload []byte) {
			switch len(payload) % 50 {
			case 7:
				s.Close(websocket.PolicyViolation, "seven")
			case 8: // more than anybody takes
				for s.Send(op, payload) == websocket.Sent && len(payload) > 2000 {
				}
			default:
				s.Send(op, payload)
			}
		}
	}
	before := descriptors(t)
	backend := newServer(t, short)
	servers := []*server{backend, newServer(t, short, passTo(backend.addr)), newServer(t, short, func(o *serverOptions) { o.tls = serverTLS(t) })}
	stop := make(chan struct{})
	var closers sync.WaitGroup
	for _, s := range servers {
		closers.Go(func() {
			task := &closer{code: websocket.GoingAway, had: make(chan bool, 1)}
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case x := <-s.sessions:
					if ref, _ := s.hub.Parse([]byte(x.text)); i%5 == 0 && s.hub.Do(ref, task) == websocket.Sent {
						<-task.had
					}
				}
			}
		})
	}
	var wg sync.WaitGroup
	for seed := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for range 40 {
				chaoticClient(servers[r.IntN(len(servers))], r)
			}
		})
	}
	wg.Wait()
	close(stop)
	closers.Wait()
	for _, s := range servers {
		s.stats("all is over", func(st websocket.Stats) bool {
			return st.Open == 0 && st.Backends == 0 && st.Held == 0 && st.Queued == 0
		})
		s.close()
	}
	for deadline := time.Now().Add(5 * time.Second); descriptors(t) > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d descriptors, %d before", descriptors(t), before)
		}
	}
}

// chaoticClient says random things, well cut or not, and ends in a random way.
func chaoticClient(s *server, r *rand.Rand) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Error(err)
		return
	}
	under := conn
	if s.options.tls != nil {
		conn = tls.Client(conn, anyCertificate)
	}
	defer conn.Close()
	c, _, err := wstest.Upgrade(conn, s.addr, "/")
	if err != nil || c == nil {
		return
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	for range r.IntN(12) {
		f := wstest.Frame{Op: []byte{1, 2, 2, 9, 10, 0}[r.IntN(6)], Payload: make([]byte, []int{0, 7, 8, 125, 500, 3008, 30_000}[r.IntN(7)])}
		if f.Op > 8 {
			f.Payload = f.Payload[:min(len(f.Payload), 125)]
		}
		f.More = f.Op < 3 && r.IntN(4) == 0
		b := wstest.Bytes(f)
		switch r.IntN(8) {
		case 0:
			b = b[:r.IntN(len(b))]
		case 1:
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		if c.SayBytes(b, r.IntN(3)*1500) != nil {
			return
		}
		switch r.IntN(3) {
		case 0:
			_ = c.SetReadDeadline(time.Now().Add(time.Duration(r.IntN(5)) * time.Millisecond))
			var b [4000]byte
			_, _ = c.Read(b[:])
		case 1:
			runtime.Gosched()
		}
	}
	switch r.IntN(5) {
	case 0:
		_ = c.Say(wstest.CloseFrame(1000, "end"))
	case 1:
		_ = under.(*net.TCPConn).SetLinger(0)
	case 2:
		_ = under.(*net.TCPConn).CloseWrite()
		time.Sleep(time.Millisecond)
	case 3:
		_ = c.Say(wstest.CloseFrame(1000, "end"))
		_, _ = c.Hear()
	}
}
