package websocket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/dataplane/loop"
	"github.com/tidegate/tidegate/internal/wstest"
)

// A crowd is many clients in a process of their own, so that neither their
// memory nor their time counts as the server's: this test binary again, told by
// its environment.
const (
	crowdVariable = "TIDEGATE_TEST_CROWD"
	beBackend     = "backend"
)

func TestMain(m *testing.M) {
	switch addr := os.Getenv(crowdVariable); addr {
	case "":
	case beBackend: // an echo for others to pass through to
		s := newServer(&testing.B{}, func(o *serverOptions) { o.loops = 2 })
		fmt.Println(s.addr)
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	default:
		if err := beCrowd(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crowdMessage is the size of the messages a crowd sends and expects.
const crowdMessage = 128

type crowd struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// newCrowd connects n clients to addr.
func newCrowd(t testing.TB, addr string, n int) *crowd {
	t.Helper()
	c := &crowd{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), crowdVariable+"="+addr)
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.ask("connect %d", n)
	return c
}

// newBackend starts an echo in a process of its own, and returns its address.
func newBackend(t testing.TB) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdVariable+"="+beBackend)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

// start gives an order.
func (c *crowd) start(order string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.in, order+"\n", args...); err != nil {
		c.t.Fatal(err)
	}
}

// done waits for the answer to it, some numbers.
func (c *crowd) done() (numbers []int64) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range strings.Fields(line) {
		var n int64
		if _, err := fmt.Sscan(f, &n); err != nil {
			c.t.Fatalf("%q: %v", line, err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func (c *crowd) ask(order string, args ...any) []int64 {
	c.t.Helper()
	c.start(order, args...)
	return c.done()
}

func (c *crowd) close() {
	c.in.Close()
	_ = c.cmd.Wait()
}

// monotonic is a clock that processes share, in nanoseconds.
func monotonic() int64 { return began + int64(time.Since(epoch)) }

var epoch, began = time.Now(), func() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}()

// member is one client of a crowd.
type member struct {
	loop.Socket
	crowd *crowdLoop
	have  int
	in    [crowdMessage + 4]byte
}

// crowdLoop is the state of a crowd, on its one loop.
type crowdLoop struct {
	loop    *loop.Loop
	members []*member
	frame   []byte
	echoing bool
	count   int64
	want    int64
	latency []int64
	enough  chan struct{}
}

func beCrowd(addr string) error {
	l, err := loop.New(0)
	if err != nil {
		return err
	}
	c := &crowdLoop{loop: l, enough: make(chan struct{}, 1)}
	c.frame = wstest.Bytes(wstest.T(strings.Repeat("x", crowdMessage)))
	answer := func(numbers ...any) { fmt.Println(numbers...) }
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var order string
		var n int64
		if _, err := fmt.Sscan(in.Text(), &order, &n); err != nil {
			return err
		}
		switch order {
		case "connect":
			for range n {
				if err := c.connect(addr); err != nil {
					return err
				}
			}
			answer(n)
		case "echo": // for n milliseconds
			start := monotonic()
			l.Do(func() {
				c.count, c.echoing = 0, true
				for _, m := range c.members {
					m.say()
				}
			})
			time.Sleep(time.Duration(n) * time.Millisecond)
			l.Do(func() { c.echoing = false })
			time.Sleep(20 * time.Millisecond) // the last come back
			answer(c.count, monotonic()-start)
		case "expect": // n messages, which begin with the time they were sent at
			l.Do(func() { c.count, c.want, c.latency = 0, n, c.latency[:0] })
			answer(0)
			<-c.enough
			end := monotonic()
			slices.Sort(c.latency)
			answer(end, c.latency[len(c.latency)/2], c.latency[len(c.latency)*99/100])
		}
	}
	return nil
}

// connect adds a client. It blocks, which is simplest.
func (c *crowdLoop) connect(addr string) error {
	fd, err := rawClient(addr, 0)
	if err != nil {
		return err
	}
	m := &member{crowd: c}
	c.members = append(c.members, m)
	c.loop.Do(func() { err = m.Open(c.loop, fd, m, false) })
	return err
}

// rawClient is a WebSocket client that is no more than a descriptor, with a
// receive buffer of so many bytes if not 0.
func rawClient(addr string, buffer int) (fd int, err error) {
	to := netip.MustParseAddrPort(addr)
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if buffer > 0 {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return -1, fmt.Errorf("connect: %w", err)
	}
	if _, err = unix.Write(fd, []byte(request())); err != nil {
		return -1, err
	}
	var b [1000]byte
	n, err := unix.Read(fd, b[:])
	if err != nil || !strings.HasPrefix(string(b[:n]), "HTTP/1.1 101") || !strings.HasSuffix(string(b[:n]), "\r\n\r\n") {
		return -1, fmt.Errorf("upgrade: %q, %v", b[:max(n, 0)], err)
	}
	return fd, unix.SetNonblock(fd, true)
}

func (m *member) say() { _, _ = m.Write(m.crowd.frame) }

// OnReadable implements loop.Events.
func (m *member) OnReadable() {
	data := m.crowd.loop.ReadBuffer
	n, err := m.Read(data)
	if err != nil || n == 0 {
		if err != loop.ErrWouldBlock {
			m.Close()
		}
		return
	}
	for data = data[:n]; len(data) > 0; {
		used := copy(m.in[m.have:], data)
		data = data[used:]
		if m.have += used; m.have == len(m.in) {
			m.have = 0
			m.take()
		}
	}
}

// take uses a message that is whole.
func (m *member) take() {
	c := m.crowd
	c.count++
	if c.echoing {
		m.say()
		return
	}
	if c.want > 0 {
		c.latency = append(c.latency, monotonic()-int64(binary.LittleEndian.Uint64(m.in[4:])))
		if c.count == c.want {
			c.want = 0
			c.enough <- struct{}{}
		}
	}
}

func (m *member) OnWritable()      {}
func (m *member) OnDeadline(int64) {}
func (m *member) OnHangup()        { m.Close() }
