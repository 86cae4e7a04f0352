package control

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"strconv"
	"time"
)

const (
	// linesType is one JSON object a line.
	linesType = "application/x-ndjson"
	// traceQuiet is how long a trace says nothing before it sends an empty line,
	// by which it notices that nobody listens any more.
	traceQuiet = 5 * time.Second
)

// stream is an answer that goes on until the client, which closes gone, or the
// server ends it. It is the last of its connection.
type stream struct {
	run func(gone <-chan struct{}, write func(any) error)
}

// writer renews the deadline of the connection with each line: the server's own
// is for an answer that has an end. Reading, it notices a client that leaves.
func (s *stream) writer(conn net.Conn) func(*bufio.Writer) {
	return func(w *bufio.Writer) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_ = conn.SetReadDeadline(time.Time{})
			_, _ = conn.Read(make([]byte, 1)) // nothing more is to come
		}()
		s.run(gone, func(v any) error {
			_ = conn.SetWriteDeadline(time.Now().Add(sendTimeout))
			if v != nil {
				text, err := json.Marshal(v)
				if err != nil {
					return err
				}
				if _, err := w.Write(text); err != nil {
					return err
				}
			}
			if err := w.WriteByte('\n'); err != nil {
				return err
			}
			return w.Flush()
		})
	}
}

// gateTrace streams a line for each event until somebody ends it.
func (s *Server) gateTrace(r *request) (int, any, error) {
	every := uint64(1)
	if text := r.query.Get("every"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n == 0 {
			return 0, nil, badRequest("Invalid every: %q. It must be a number, 1 for all packets", text)
		}
		every = n
	}
	ctx, cancel := context.WithCancel(s.ctx)
	events, err := s.gateway.Gate().Trace(ctx, every)
	if err != nil {
		cancel()
		return 0, nil, conflict("There is nothing to trace: %v", err)
	}
	return 200, &stream{func(gone <-chan struct{}, write func(any) error) {
		defer cancel()
		quiet := time.NewTicker(traceQuiet)
		defer quiet.Stop()
		for err := write(nil); err == nil; {
			select {
			case e, more := <-events:
				if !more {
					return
				}
				err = write(e)
			case <-quiet.C:
				err = write(nil)
			case <-gone:
				return
			}
		}
	}}, nil
}

// GateTrace calls f with a sample of the packets of sources that are kept out,
// one of every so many, until ctx ends, and returns nil then.
func (c *Client) GateTrace(ctx context.Context, every uint64, f func(GateEvent)) error {
	path := "/tidegate/gate/trace?every=" + strconv.FormatUint(every, 10)
	err := c.lines(ctx, path, func(line []byte) error {
		var e GateEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		f(e)
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
