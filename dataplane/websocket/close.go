package websocket

// Close begins the closing handshake. reason must be valid UTF-8, and is cut to
// MaxReason bytes.
func (c *Conn) Close(code Code, reason string) {
	c.closeAs(code, reason, ByGateway)
}

func (c *Conn) closeAs(code Code, reason string, by By) {
	if c.phase != phaseOpen {
		return
	}
	c.phase = phaseClosing
	c.writeClose(code, reason)
	c.unpark()
	c.end(End{Code: code, Reason: []byte(reason), By: by})
}

// fail ends a connection whose peer broke a rule: what else it sends cannot be
// told apart.
func (c *Conn) fail(code Code) {
	if c.phase == phaseOpen {
		c.phase = phaseLingering
		c.writeClose(code, "")
		c.linger()
		c.end(End{Code: code, By: ByGateway})
		return
	}
	c.linger()
	c.leave()
}

// onClose is the peer's close frame.
func (c *Conn) onClose(payload []byte) {
	code, reason, fault := ParseClose(payload)
	switch {
	case fault != 0:
		c.fail(fault)
	case c.peer != nil:
		c.relayClose(code, reason)
	case c.phase == phaseOpen:
		c.phase = phaseLingering
		c.writeClose(code, "")
		c.linger()
		c.end(End{Code: code, Reason: reason, By: ByPeer})
	default:
		c.linger()
	}
}

// linger has what is queued sent, then ends our side, and waits for the peer to
// end its own: to close at once might take from it what it has not read.
func (c *Conn) linger() {
	c.phase = phaseLingering
	c.unpark()
	c.touch()
}

// unpark has a connection that is being closed read on, for a while.
func (c *Conn) unpark() {
	c.stream.SetDeadline(c.shard.loop.Now() + int64(c.limits.Closing))
	c.Resume()
}

func (c *Conn) writeClose(code Code, reason string) {
	var payload [maxControl]byte
	c.write(true, OpClose, AppendClose(payload[:0], code, reason))
}

// lost cuts the connection.
func (c *Conn) lost() {
	was := c.phase
	if was < phaseOpen || was == phaseGone {
		return
	}
	c.phase = phaseGone
	c.stream.Close()
	c.clear()
	sh := c.shard
	if c.backend {
		sh.dropBackend(c.ref.slot)
	} else {
		sh.stats.Open--
		sh.release(c.ref.slot)
	}
	if was == phaseOpen {
		c.end(End{Code: Abnormal, By: ByLoss})
	} else {
		c.leave()
	}
	c.release()
}

// end tells of the end of an open connection, and ends what hangs on it.
func (c *Conn) end(e End) {
	other := c.part()
	c.tell(e)
	if other != nil {
		other.follow()
	}
	c.forget()
}

// leave has the other end of a pass-through, if there still is one, go on alone.
func (c *Conn) leave() {
	if other := c.part(); other != nil {
		other.follow()
	}
}

// tell tells the owner, once.
func (c *Conn) tell(e End) {
	if c.backend {
		return
	}
	c.shard.stats.closes[closeClass(e.Code)]++
	c.handler.OnClose(e)
}
