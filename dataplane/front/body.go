package front

import "github.com/tidegate/tidegate/dataplane/http1"

const continueLine = "HTTP/1.1 100 Continue\r\n\r\n"

// WantBody has the body delivered to the handler. It answers an expectation of
// the client's.
func (x *Exchange) WantBody() {
	if x.body != bodyHeld {
		return
	}
	x.body = bodyWanted
	c := x.conn
	c.deadline(bodyGrace)
	if x.Request.ExpectContinue && x.next == len(x.in) {
		x.Write([]byte(continueLine), nil)
	}
	if x.running {
		return
	}
	c.resume()
	x.run()
}

// PauseBody stops Body calls until ResumeBody.
func (x *Exchange) PauseBody() {
	if x.body == bodyWanted {
		x.body = bodyPaused
		x.conn.SetDeadline(0)
		x.conn.Pause()
	}
}

// ResumeBody undoes PauseBody.
func (x *Exchange) ResumeBody() {
	if x.body == bodyPaused {
		x.body = bodyWanted
		x.received = 0
		x.conn.deadline(bodyGrace)
		x.conn.resume()
		x.run()
	}
}

// takesBody reports whether bytes from the client are body bytes to be used at
// once.
func (x *Exchange) takesBody() bool {
	return (x.body == bodyWanted || x.body == bodyDiscard) && x.next == len(x.in)
}

// bodyMissing reports whether the client still owes body bytes.
func (x *Exchange) bodyMissing() bool {
	return x.body != bodyNone && x.next == len(x.in)
}

// receive takes bytes just read from the client while takesBody.
func (x *Exchange) receive(data []byte) {
	wasRunning := x.running
	x.running = true
	for len(data) > 0 && (x.body == bodyWanted || x.body == bodyDiscard) {
		data = data[x.decode(data):]
	}
	if len(data) > 0 && x.phase != phaseGone { // the next request, or more than the handler wants now
		x.compact()
		x.in = append(x.in, data...)
	}
	x.running = wasRunning
	x.run()
}

// compact drops used bytes after the head, whose slices are in use.
func (x *Exchange) compact() {
	if x.next == len(x.in) && len(x.in) > 0 && cap(x.in)-len(x.in) < inBuffer {
		// A fresh array; the old one lives on in Request's slices.
		x.in, x.next = make([]byte, 0, 2*inBuffer), 0
	}
}

// deliver uses the bytes of the body that were read together with the head.
func (x *Exchange) deliver() {
	x.next += x.decode(x.in[x.next:])
}

// decode uses up the body bytes at the front of data, which is not empty, and
// returns how many they were.
func (x *Exchange) decode(data []byte) (n int) {
	var piece []byte
	last := false
	if x.Request.Chunked {
		var fault http1.Fault
		piece, n, fault = x.chunked.Compact(data)
		if fault != 0 {
			x.fault(fault)
			return len(data)
		}
		last = x.chunked.Done()
	} else {
		n = int(min(x.left, int64(len(data))))
		piece = data[:n]
		x.left -= int64(n)
		last = x.left == 0
	}
	x.total += int64(len(piece))
	x.received += int64(n)
	if x.body == bodyDiscard {
		if x.discarded += int64(n); x.discarded > discardLimit {
			x.closing = true
			last = false
			x.conn.linger()
			x.body = bodyNone
			return len(data)
		}
		if last {
			x.body = bodyNone
			x.phase, x.finished = phaseServing, true // answered, and now done
		}
		return n
	}
	if x.total+x.chunked.Announced() > x.conn.front.config.Body {
		x.fault(http1.FaultBodySize)
		return len(data)
	}
	if last {
		x.body = bodyNone
		x.conn.SetDeadline(0)
	}
	x.Handler.Body(piece, last)
	return n
}

// fault ends a body that is broken or too large.
func (x *Exchange) fault(f http1.Fault) {
	if x.phase == phaseDiscard || x.finished {
		x.closing = true
		x.body = bodyNone
		x.conn.linger()
		return
	}
	x.body = bodyHeld // not to be read on
	x.refuse(f)
}
