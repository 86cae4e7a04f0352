package upstream

import "github.com/tidegate/tidegate/dataplane/http1"

// take uses bytes of the answer.
func (c *conn) take(data []byte) {
	if !c.headDone {
		if data = c.takeHead(data); !c.headDone || c.moved(data) {
			return
		}
		c.takeBody(true, data)
		return
	}
	c.takeBody(false, data)
}

// takeHead looks for the final head and returns what follows it.
func (c *conn) takeHead(data []byte) []byte {
	scanned := len(c.in)
	if scanned > 0 {
		c.in = append(c.in, data...)
		data = c.in
	}
	resp := &c.call.Response
	for {
		n := http1.HeadEnd(data, scanned)
		if n == 0 {
			if len(data) > http1.MaxResponseHead {
				c.fail(Invalid)
				return nil
			}
			c.in = append(c.in[:0], data...)
			return nil
		}
		if n > http1.MaxResponseHead || resp.Parse(data[:n]) != 0 || resp.Status == 101 {
			c.fail(Invalid)
			return nil
		}
		if resp.Status >= 200 {
			c.headDone = true
			c.frame()
			return data[n:]
		}
		if c.interim++; c.interim > maxInterim {
			c.fail(Invalid)
			return nil
		}
		data, scanned = data[n:], 0
	}
}

// moved sends the call to another target when the status is a failure of this one
// and that may be. The rest of the answer is nobody's.
func (c *conn) moved(rest []byte) bool {
	call := c.call
	if len(c.pool.lane.rotation.all) == 1 || call.verdict() == 0 {
		return false
	}
	p := call.other(badStatus)
	if p == nil {
		return false
	}
	keep := c.keepAlive && c.framing == framingLength && int64(len(rest)) == c.left && len(c.out) == 0 && c.Unsent() == 0
	c.call, call.conn = nil, nil
	c.SetDeadline(0)
	call.settle(badStatus)
	call.move(p)
	c.rest(keep)
	return true
}

// frame decides how the body ends (RFC 9112 section 6.3) and whether another
// request may follow on the connection.
func (c *conn) frame() {
	call := c.call
	resp := &call.Response
	c.keepAlive = resp.KeepAlive && resp.Minor == 1
	switch {
	case http1.NoBody(resp.Status, call.Verb):
		c.framing = framingNone
		if resp.Chunked || resp.ContentLength > 0 { // some backends send it all the same
			c.keepAlive = false
		}
	case resp.Chunked:
		c.framing = framingChunked
	case resp.ContentLength >= 0:
		c.framing = framingLength
		c.left = resp.ContentLength
	default:
		c.framing = framingClose
		c.keepAlive = false
	}
}

// takeBody hands body bytes to the receiver.
func (c *conn) takeBody(first bool, data []byte) {
	call := c.call
	body, last, extra := data, false, false
	switch c.framing {
	case framingNone:
		body, last, extra = nil, true, len(data) > 0
	case framingLength:
		if c.left > call.MaxBody {
			c.tooLarge()
			return
		}
		if int64(len(data)) > c.left {
			body, extra = data[:c.left], true
		}
		c.left -= int64(len(body))
		last = c.left == 0
	case framingChunked:
		var n int
		var fault http1.Fault
		if body, n, fault = c.chunked.Compact(data); fault != 0 {
			if first {
				c.fail(Invalid)
			} else {
				c.fail(Truncated)
			}
			return
		}
		last, extra = c.chunked.Done(), n < len(data)
	}
	if c.received += int64(len(body)); c.received > call.MaxBody {
		c.tooLarge()
		return
	}
	call.begun = true
	if !last {
		call.drop()
		call.Receiver.Receive(first, body, false)
		return
	}
	c.finish(first, body, extra)
}

func (c *conn) tooLarge() {
	if c.call.begun {
		c.fail(Truncated)
	} else {
		c.fail(TooLarge)
	}
}

// finish ends the call and keeps the connection if there is no doubt about it.
func (c *conn) finish(first bool, body []byte, extra bool) {
	call := c.call
	whole := call.complete && len(c.out) == 0 && c.Unsent() == 0
	c.call, call.conn = nil, nil
	c.SetDeadline(0)
	keep := c.keepAlive && whole && !extra
	call.settle(call.verdict())
	call.leave()
	call.Receiver.Receive(first, body, true)
	c.rest(keep)
}

// rest makes a connection idle whose call is over, or closes it.
func (c *conn) rest(keep bool) {
	c.in = c.in[:0]
	if cap(c.in) > 4<<10 {
		c.in = nil
	}
	if c.state != connActive {
		return
	}
	if keep {
		if c.Paused() {
			c.Resume()
		}
		c.pool.putBack(c)
	} else {
		c.close()
	}
}

// ended is the end of the stream.
func (c *conn) ended() {
	if c.headDone && c.framing == framingClose {
		c.finish(false, nil, false)
		return
	}
	c.lost()
}
