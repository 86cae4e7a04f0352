package wstest

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"
)

// Case is something that a client says to a server that echoes messages, and
// what must come back.
type Case struct {
	Name string
	Say  []byte
	Cut  int     // send in pieces of so many bytes, if not 0
	Want []Frame // before the close
	// Close is the code that the server must close with. 0 means that it must
	// not, until the client does.
	Close int
}

// NoCode is for a Case whose close frame must be empty.
const NoCode = 1005

// Family is a group of cases.
type Family struct {
	Name  string
	Cases []Case
}

// Run runs all cases as parallel subtests, each on a connection of its own.
func Run(t *testing.T, o Options, dial func() (*Client, error)) {
	for _, family := range Families(o) {
		t.Run(family.Name, func(t *testing.T) {
			for _, c := range family.Cases {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					client, err := dial()
					if err != nil {
						t.Fatal(err)
					}
					defer client.Close()
					c.run(t, client, o.Remote && c.Close > 1001)
				})
			}
		})
	}
}

// run says the case. If hasty, the close may come before what was to be before
// it.
func (c *Case) run(t *testing.T, client *Client, hasty bool) {
	said := make(chan struct{})
	go func() { // the server may end it before all is said
		_ = client.SayBytes(c.Say, c.Cut)
		close(said)
	}()
	var got Frame
	var err error
	for _, want := range c.Want {
		if got, err = client.Hear(); err != nil {
			t.Fatalf("want %v, got %v", want, err)
		}
		if hasty && got.Op == Close {
			break
		}
		if got.Op != want.Op || got.More || got.RSV != 0 || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("want %v, got %v", want, got)
		}
	}
	code := c.Close
	if code == 0 {
		code = 1000
		<-said
		if err := client.Say(CloseFrame(code, "")); err != nil {
			t.Fatal(err)
		}
	}
	if got.Op != Close {
		if got, err = client.Hear(); err != nil {
			t.Fatalf("want a close with %d, got %v", code, err)
		}
	}
	if got.Op != Close || got.More || got.RSV != 0 {
		t.Fatalf("want a close with %d, got %v", code, got)
	}
	if have := CodeOf(got); have != code {
		t.Fatalf("closed with %d, want %d", have, code)
	}
	<-said
	if c.Close != 0 {
		_ = client.Say(CloseFrame(code, "")) // not all of it may be read any more
	}
	if f, err := client.Hear(); err == nil {
		t.Fatalf("after the close came %v", f)
	} else if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("after the close: %v", err)
	}
}

// CodeOf returns the code of a close frame.
func CodeOf(f Frame) int {
	if len(f.Payload) < 2 {
		return NoCode
	}
	return int(f.Payload[0])<<8 | int(f.Payload[1])
}
