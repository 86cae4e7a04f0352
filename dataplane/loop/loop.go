package loop

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// openPoll makes a poller that is not one of netpoll's shared ones, so that
// both ends of an exchange can be put on the same core. netpoll exports the
// poller's type and the operators, but not this.
//
//go:linkname openPoll github.com/cloudwego/netpoll.openPoll
func openPoll() (netpoll.Poll, error)

// ReadBufferSize is the size in bytes of a loop's shared read buffer.
const ReadBufferSize = 64 << 10

// tickSlow is the period of deadline checks, and tickFast while a deadline is
// nearer than nearHorizon.
const (
	tickSlow    = 250 * time.Millisecond
	tickFast    = 20 * time.Millisecond
	nearHorizon = 3 * tickSlow
)

func init() {
	// Its messages are about descriptors that both sides let go of.
	_ = netpoll.Configure(netpoll.Config{LoggerOutput: io.Discard})
}

// Loop is one event loop.
type Loop struct {
	ID int // 0, 1, 2…

	// ReadBuffer is for the callback that is running; it is not kept between
	// callbacks.
	ReadBuffer []byte

	poll   netpoll.Poll
	rounds rounds
	wake   descriptor // eventfd: Post was called
	timer  descriptor // timerfd: time to look at deadlines
	dead   []*netpoll.FDOperator

	running   *Socket // whose callback runs
	stalled   []*Socket
	deadlines deadlines
	fast      bool
	ticked    int64 // time of the last deadline check
	ticks     []func(now int64)

	wallOffset int64
	reserved   int // the first descriptor that Open refuses; 0 refuses none

	mu     sync.Mutex
	posted []func()
	spare  []func()
	woken  atomic.Bool
	closed atomic.Bool
	done   chan struct{}
}

// descriptor is a kernel object that the loop itself listens to.
type descriptor struct {
	fd int
	op *netpoll.FDOperator
}

// New starts a loop. Its goroutine runs until Close.
func New(id int) (*Loop, error) {
	poll, err := openPoll()
	if err != nil {
		return nil, fmt.Errorf("open event loop %d: %w", id, err)
	}
	l := &Loop{ID: id, poll: poll, ReadBuffer: make([]byte, ReadBufferSize), done: make(chan struct{})}
	l.wallOffset = epoch.UnixNano()
	l.ticked = l.Now()
	l.wake.fd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open event loop %d: eventfd: %w", id, err)
	}
	l.timer.fd, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open event loop %d: timerfd: %w", id, err)
	}
	if err := l.listen(&l.wake, l.onWake); err != nil {
		return nil, err
	}
	if err := l.listen(&l.timer, l.onTimer); err != nil {
		return nil, err
	}
	l.setTick(tickSlow)
	_ = l.rounds.waitInside(poll) // without it all is the same, and costs more
	go func() {
		defer close(l.done)
		_ = poll.Wait()
	}()
	return l, nil
}

func (l *Loop) listen(d *descriptor, f func()) error {
	d.op = l.poll.Alloc()
	d.op.FD = d.fd
	d.op.OnRead = func(netpoll.Poll) error {
		var b [8]byte
		_, _ = unix.Read(d.fd, b[:])
		f()
		return nil
	}
	if err := l.poll.Control(d.op, netpoll.PollReadable); err != nil {
		return fmt.Errorf("event loop %d: %w", l.ID, err)
	}
	return nil
}

// epoch is one for all loops: what they share, such as token buckets, goes by
// one clock.
var epoch = time.Now()

// Now returns the nanoseconds since the process began, plus a second: it is
// never 0 and never goes back, whatever is done to the system's clock.
func Now() int64 { return int64(time.Since(epoch) + time.Second) }

// Now returns what the function of that name does.
func (l *Loop) Now() int64 { return Now() }

// Coarse returns the time of the last deadline check, at most 250 milliseconds
// before Now.
func (l *Loop) Coarse() int64 { return l.ticked }

// Wall returns the time of day, in nanoseconds since the Unix epoch, of a time
// that Now returned lately.
func (l *Loop) Wall(now int64) int64 { return now - int64(time.Second) + l.wallOffset }

// Post has f run on the loop's goroutine, soon. Any goroutine may call it.
// After Close it does nothing and returns false.
func (l *Loop) Post(f func()) bool {
	if l.closed.Load() {
		return false
	}
	l.mu.Lock()
	l.posted = append(l.posted, f)
	l.mu.Unlock()
	if l.woken.CompareAndSwap(false, true) {
		one := [8]byte{1}
		_, _ = unix.Write(l.wake.fd, one[:])
	}
	return true
}

// Do runs f on the loop's goroutine and waits for it. It must not be called on
// a loop's goroutine.
func (l *Loop) Do(f func()) {
	ran := make(chan struct{})
	if !l.Post(func() { f(); close(ran) }) {
		return
	}
	select {
	case <-ran:
	case <-l.done:
	}
}

// OnTick has f run at every deadline check, between 20 and 250 ms apart. It must
// not be called on a loop's goroutine.
func (l *Loop) OnTick(f func(now int64)) {
	l.Do(func() { l.ticks = append(l.ticks, f) })
}

// Reserve has sockets refused whose descriptor is first or more, so that those are
// left to others: the kernel gives the lowest that is free, so as many are open
// then. 0 reserves none. It must not be called on a loop's goroutine.
func (l *Loop) Reserve(first int) { l.Do(func() { l.reserved = first }) }

// IsReserved reports whether a new socket's descriptor is one that is left to
// others. It must be called on the loop's goroutine.
func (l *Loop) IsReserved(fd int) bool { return l.reserved > 0 && fd >= l.reserved }

// Close stops the loop. Its sockets must have been closed before.
func (l *Loop) Close() {
	if l.closed.Swap(true) {
		return
	}
	_ = l.poll.Close()
	<-l.done
	unix.Close(l.wake.fd)
	unix.Close(l.timer.fd)
}

func (l *Loop) onWake() {
	l.woken.Store(false)
	l.bury()
	l.mu.Lock()
	run := l.posted
	l.posted = l.spare[:0]
	l.mu.Unlock()
	for i, f := range run {
		f()
		run[i] = nil
	}
	l.mu.Lock()
	l.spare = run[:0]
	l.mu.Unlock()
}

func (l *Loop) onTimer() {
	l.bury()
	now := l.Now()
	l.ticked = now
	l.wallOffset = time.Now().UnixNano() - now + int64(time.Second)
	near := l.deadlines.expire(now)
	l.writeStalled()
	for _, f := range l.ticks {
		f(now)
	}
	if fast := near > 0 && near < now+int64(nearHorizon) || len(l.stalled) > 0; fast != l.fast {
		l.setFast(fast)
	}
}

// stall has the socket's OnWritable called at the ticks to come. It is for peers
// that closed their sending end and go on reading: the poller has no way to wait
// for these that does not tell of the hang-up again at once.
func (l *Loop) stall(s *Socket) {
	if s.state&stateStalled != 0 {
		return
	}
	s.state |= stateStalled
	l.stalled = append(l.stalled, s)
	if !l.fast {
		l.setFast(true)
	}
}

func (l *Loop) writeStalled() {
	stalled := l.stalled
	l.stalled = nil
	for _, s := range stalled {
		s.state &^= stateStalled
		const waits = stateOpen | stateWriting | stateHangup
		if s.state&waits != waits {
			continue
		}
		s.events.OnWritable()
		if s.state&waits == waits {
			l.stall(s)
		}
	}
}

func (l *Loop) setFast(fast bool) {
	l.fast = fast
	if fast {
		l.setTick(tickFast)
	} else {
		l.setTick(tickSlow)
	}
}

func (l *Loop) setTick(period time.Duration) {
	spec := unix.NsecToTimespec(int64(period))
	_ = unix.TimerfdSettime(l.timer.fd, 0, &unix.ItimerSpec{Interval: spec, Value: spec}, nil)
}

// bury gives operators of closed sockets back to netpoll, which must not happen
// inside their own callback.
func (l *Loop) bury() {
	for i, op := range l.dead {
		l.poll.Free(op)
		l.dead[i] = nil
	}
	l.dead = l.dead[:0]
}

// Responds reports whether the loop runs what is posted to it within a time. It
// must not be called on a loop's goroutine.
func (l *Loop) Responds(within time.Duration) bool {
	ran := make(chan struct{})
	if !l.Post(func() { close(ran) }) {
		return false
	}
	select {
	case <-ran:
		return true
	case <-time.After(within):
		return false
	}
}
