package loop

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// Before netpoll's poller blocks it yields to Go's scheduler, which has nothing
// else to run and moves the loop's goroutine to another thread, with a futex, a
// sleep and an epoll_wait of its own: a tenth of what a small answer costs. So
// the loop waits for events by itself, inside of the poller's handler of them,
// and goes back to the poller now and then, which frees operators only there.

// event is what netpoll's handler takes: a struct epoll_event.
type event = unix.EpollEvent

const (
	roundsPerReturn = 64
	eventsPerRound  = 128
)

// rounds is the wait of a loop.
type rounds struct {
	fd     int // of epoll
	handle func([]event) (closed bool)
	events [eventsPerRound]event
}

// waitInside has the handler of p wait for further events. It fails, and all is
// left as it was, if the poller is not made as that of netpoll 0.7 is.
func (r *rounds) waitInside(p netpoll.Poll) error {
	v := reflect.ValueOf(p)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("netpoll's poller is a %T", p)
	}
	fd, handler := v.Elem().FieldByName("fd"), v.Elem().FieldByName("Handler")
	if fd.Kind() != reflect.Int || handler.Kind() != reflect.Func || handler.IsNil() {
		return fmt.Errorf("netpoll's poller %T has no fd and Handler", p)
	}
	t := handler.Type()
	if t.NumIn() != 1 || t.In(0).Kind() != reflect.Slice || t.In(0).Elem().Size() != unsafe.Sizeof(event{}) ||
		t.NumOut() != 1 || t.Out(0).Kind() != reflect.Bool {
		return fmt.Errorf("netpoll's handler is a %s", t)
	}
	field := (*func([]event) bool)(handler.Addr().UnsafePointer())
	r.fd, r.handle = int(fd.Int()), *field
	*field = r.run
	return nil
}

// run handles events, waits for the next, and handles these too.
func (r *rounds) run(events []event) (closed bool) {
	for range roundsPerReturn {
		if r.handle(events) {
			return true
		}
		n := r.wait()
		if n <= 0 {
			return false
		}
		events = r.events[:n]
	}
	return r.handle(events)
}

// wait looks for events, and blocks if there are none yet. Only then Go has to
// know of the system call.
func (r *rounds) wait() int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(r.fd), uintptr(unsafe.Pointer(&r.events)), eventsPerRound, 0, 0, 0)
	if n == 0 && errno == 0 {
		const forEver = ^uintptr(0)
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(r.fd), uintptr(unsafe.Pointer(&r.events)), eventsPerRound, forEver, 0, 0)
	}
	if errno != 0 { // a signal: the poller asks again
		return 0
	}
	return int(n)
}
