package loop

import (
	"reflect"
	"testing"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// The poller that the loops run on is made as waitInside takes it to be.
func TestWaitsInside(t *testing.T) {
	poll, err := openPoll()
	if err != nil {
		t.Fatal(err)
	}
	var r rounds
	if err := r.waitInside(poll); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- poll.Wait() }()
	if err := poll.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the poller does not end")
	}
}

// Another poller is left alone.
func TestWaitsOutside(t *testing.T) {
	var r rounds
	for _, p := range []netpoll.Poll{nil, &otherPoll{}, &likePoll{fd: 3, Handler: func([]byte) bool { return true }}} {
		if err := r.waitInside(p); err == nil || r.handle != nil {
			t.Errorf("%T: %v", p, err)
		}
	}
}

type otherPoll struct{ netpoll.Poll }

type likePoll struct {
	netpoll.Poll
	fd      int
	Handler func([]byte) bool
}

// Operators of closed sockets come back although the loop seldom returns to the
// poller.
func TestOperatorsComeBack(t *testing.T) {
	l := open(t)
	for range 40 * roundsPerReturn {
		l.Do(func() {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				t.Error(err)
				return
			}
			var s Socket
			if err := s.Open(l, fds[0], eventsFunc(func() {}), false); err != nil {
				t.Error(err)
				return
			}
			s.Close()
			unix.Close(fds[1])
		})
	}
	cache := reflect.ValueOf(l.poll).Elem().FieldByName("opcache").Elem().FieldByName("cache")
	if n := cache.Len(); n > 8*roundsPerReturn {
		t.Errorf("%d operators for one socket after the other", n)
	}
}
