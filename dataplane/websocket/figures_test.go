package websocket_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	oracle "github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/need"
)

// plainServer is fasthttp/websocket's server as its documentation has it: an
// echo with a goroutine per connection.
type plainServer struct {
	addr  string
	ln    net.Listener
	mu    sync.Mutex
	conns []*oracle.Conn
}

func newPlainServer(t testing.TB) *plainServer {
	t.Helper()
	p := &plainServer{}
	up := oracle.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		_ = up.Upgrade(ctx, func(c *oracle.Conn) {
			p.mu.Lock()
			p.conns = append(p.conns, c)
			p.mu.Unlock()
			for {
				kind, message, err := c.ReadMessage()
				if err != nil || c.WriteMessage(kind, message) != nil {
					return
				}
			}
		})
	}}
	var err error
	if p.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.addr = p.ln.Addr().String()
	go func() { _ = server.Serve(p.ln) }()
	return p
}

func (p *plainServer) close() {
	p.ln.Close()
	for _, c := range p.conns {
		c.Close()
	}
}

// used returns the bytes of heap and stacks in use.
func used() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// idle returns what each of n idle connections costs this process, in bytes, and
// how many goroutines they all have.
func idle(t testing.TB, addr string, n int) (bytes float64, goroutines int) {
	t.Helper()
	connect := func(n int) (fds []int) {
		for range n {
			fd, err := rawClient(addr, 0)
			if err != nil {
				t.Fatal(err)
			}
			fds = append(fds, fd)
		}
		return fds
	}
	fds := connect(50) // what is paid once
	before, had := used(), runtime.NumGoroutine()
	fds = append(fds, connect(n)...)
	after, has := used(), runtime.NumGoroutine()
	for _, fd := range fds {
		unix.Close(fd)
	}
	return float64(after-before-8*int64(n)) / float64(n), has - had
}

// TestIdleMemory: an idle connection costs no more than a record and what the
// loop needs, and no goroutine.
func TestIdleMemory(t *testing.T) {
	if websocket.UnderRace {
		t.Skip("the race detector takes memory of its own")
	}
	s := newServer(t, func(o *serverOptions) { o.loops = 2 })
	s.sessions = make(chan *session) // none is kept for the test
	bytes, goroutines := idle(t, s.addr, 2000)
	t.Logf("%.0f bytes per idle connection", bytes)
	if bytes > 1024 || goroutines > 0 {
		t.Errorf("%.0f bytes per idle connection, %d goroutines", bytes, goroutines)
	}
}

func BenchmarkIdleMemory(b *testing.B) {
	const n = 5000
	ours := newServer(b, func(o *serverOptions) { o.loops = 2 })
	ours.sessions = make(chan *session)
	mine, _ := idle(b, ours.addr, n)
	plain := newPlainServer(b)
	defer plain.close()
	theirs, _ := idle(b, plain.addr, n)
	b.ReportMetric(mine, "bytes/conn")
	b.ReportMetric(theirs, "plain-bytes/conn")
	b.ReportMetric(mine/theirs, "ratio")
	b.ReportMetric(0, "ns/op")
}

// cpu returns the CPU time of this process, in nanoseconds.
func cpu() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// cost is what a server spent on messages.
type cost struct{ cpu, mallocs, messages int64 }

// add adds what f costs, by a clock of the server's CPU time.
func (c *cost) add(clock func() int64, f func() (messages int64)) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := clock()
	c.messages += f()
	c.cpu += clock() - start
	runtime.ReadMemStats(&after)
	c.mallocs += int64(after.Mallocs - before.Mallocs)
}

func (c *cost) perMessage(of int64) float64 { return float64(of) / float64(c.messages) }

// BenchmarkEcho compares the CPU time that the server spends on a message of 128
// bytes and its echo, in turns.
func BenchmarkEcho(b *testing.B) {
	ours, plain := newServer(b, func(o *serverOptions) { o.loops = 2 }), newPlainServer(b)
	defer plain.close()
	mine, theirs := newCrowd(b, ours.addr, 64), newCrowd(b, plain.addr, 64)
	defer mine.close()
	defer theirs.close()
	mine.ask("echo 200")
	theirs.ask("echo 200")
	var m, t cost
	for range 6 {
		m.add(cpu, func() int64 { return mine.ask("echo 400")[0] })
		t.add(cpu, func() int64 { return theirs.ask("echo 400")[0] })
	}
	b.ReportMetric(m.perMessage(m.cpu), "cpu-ns/msg")
	b.ReportMetric(t.perMessage(t.cpu), "plain-cpu-ns/msg")
	b.ReportMetric(m.perMessage(m.cpu)/t.perMessage(t.cpu), "cpu-ratio")
	b.ReportMetric(float64(m.messages)/float64(t.messages), "rate-ratio")
	b.ReportMetric(m.perMessage(m.mallocs), "allocs/msg")
	b.ReportMetric(t.perMessage(t.mallocs), "plain-allocs/msg")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPassThrough compares the CPU time of a message of 128 bytes that is
// passed to an echo and back with nginx's, in turns.
func BenchmarkPassThrough(b *testing.B) {
	backend := newBackend(b)
	ours := newServer(b, passTo(backend))
	nginx, nginxTime := newNginx(b, backend)
	mine, theirs := newCrowd(b, ours.addr, 64), newCrowd(b, nginx, 64)
	defer mine.close()
	defer theirs.close()
	mine.ask("echo 200")
	theirs.ask("echo 200")
	var m, t cost
	for range 6 {
		m.add(cpu, func() int64 { return mine.ask("echo 400")[0] })
		t.add(nginxTime, func() int64 { return theirs.ask("echo 400")[0] })
	}
	b.ReportMetric(m.perMessage(m.cpu), "cpu-ns/msg")
	b.ReportMetric(t.perMessage(t.cpu), "nginx-cpu-ns/msg")
	b.ReportMetric(m.perMessage(m.cpu)/t.perMessage(t.cpu), "cpu-ratio")
	b.ReportMetric(float64(m.messages)/float64(t.messages), "rate-ratio")
	b.ReportMetric(m.perMessage(m.mallocs), "allocs/msg")
	b.ReportMetric(0, "ns/op")
}

// newNginx starts an nginx with one worker that passes WebSockets through, and
// returns its address and a clock of the worker's CPU time.
func newNginx(b *testing.B, backend string) (addr string, clock func() int64) {
	b.Helper()
	program := need.Tool(b, "nginx")
	dir := b.TempDir()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr = ln.Addr().String()
	ln.Close()
	config := fmt.Sprintf(`daemon off; worker_processes 1; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server {
		listen %[2]s;
		location / {
			proxy_pass http://%[3]s; proxy_http_version 1.1;
			proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
		}
	}
}`, dir, addr, backend)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, "-c", file, "-p", dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			break
		}
		if time.Now().After(deadline) {
			b.Fatal("nginx does not start")
		}
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	worker := strings.Fields(string(children))[0]
	return addr, func() int64 {
		stat, err := os.ReadFile("/proc/" + worker + "/schedstat") // nanoseconds on a CPU come first
		if err != nil {
			b.Fatal(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return ns
	}
}

// push is what fan-out took: messages per second and the latency of messages
// from the decision to push.
type push struct{ rate, p50, p99, cpu []float64 }

func (p *push) add(c *crowd, n, rounds int, send func(payload []byte)) {
	c.ask("expect %d", n*rounds)
	payload := []byte(strings.Repeat("x", crowdMessage))
	start, spent := monotonic(), cpu()
	for range rounds {
		binary.LittleEndian.PutUint64(payload, uint64(monotonic()))
		send(payload)
	}
	r := c.done()
	total := float64(n * rounds)
	p.rate = append(p.rate, total/(float64(r[0]-start)/1e9))
	p.cpu = append(p.cpu, float64(cpu()-spent)/total)
	p.p50, p.p99 = append(p.p50, float64(r[1])/1e6), append(p.p99, float64(r[2])/1e6)
}

func median(v []float64) float64 {
	var sorted []float64
	for _, x := range v {
		at := 0
		for at < len(sorted) && sorted[at] < x {
			at++
		}
		sorted = append(sorted[:at], append([]float64{x}, sorted[at:]...)...)
	}
	return sorted[len(sorted)/2]
}

// BenchmarkPush sends a message to each of 10,000 connections, by id here and
// from one goroutine or one per core over there, and waits for all to have it.
// flood does not wait between the rounds.
func BenchmarkPush(b *testing.B) {
	const n = 10_000
	for name, rounds := range map[string]int{"paced": 1, "flood": 10} {
		b.Run(name, func(b *testing.B) {
			var mine push
			var theirs [2]push
			for range 2 {
				pushOurs(b, &mine, n, rounds)
				pushPlain(b, &theirs[0], n, rounds, 1)
				pushPlain(b, &theirs[1], n, rounds, 2)
			}
			b.ReportMetric(median(mine.rate), "msg/s")
			b.ReportMetric(median(mine.p99), "p99-ms")
			for i, of := range []string{"one", "two"} {
				b.ReportMetric(median(mine.rate)/median(theirs[i].rate), of+"-rate-ratio")
				b.ReportMetric(median(mine.p99)/median(theirs[i].p99), of+"-p99-ratio")
				b.ReportMetric(median(mine.cpu)/median(theirs[i].cpu), of+"-cpu-ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func pushOurs(b *testing.B, p *push, n, rounds int) {
	s := newServer(b, func(o *serverOptions) { o.loops = 2 })
	s.sessions = make(chan *session)
	c := newCrowd(b, s.addr, n)
	defer c.close()
	var refs []websocket.Ref
	s.hub.Each(func(x *websocket.Conn) {
		ref, _ := s.hub.Parse(x.ID(nil))
		refs = append(refs, ref)
	})
	for range 5 {
		p.add(c, n, rounds, func(payload []byte) {
			mine := append([]byte(nil), payload...)
			for _, r := range refs {
				s.hub.Send(r, websocket.OpBinary, mine, nil)
			}
		})
	}
}

func pushPlain(b *testing.B, p *push, n, rounds, goroutines int) {
	plain := newPlainServer(b)
	defer plain.close()
	c := newCrowd(b, plain.addr, n)
	defer c.close()
	time.Sleep(100 * time.Millisecond)
	for range 5 {
		p.add(c, n, rounds, func(payload []byte) {
			m, err := oracle.NewPreparedMessage(oracle.BinaryMessage, payload)
			if err != nil {
				b.Fatal(err)
			}
			var wg sync.WaitGroup
			for first := range goroutines {
				wg.Go(func() {
					for i := first; i < len(plain.conns); i += goroutines {
						_ = plain.conns[i].WritePreparedMessage(m)
					}
				})
			}
			wg.Wait()
		})
	}
}
