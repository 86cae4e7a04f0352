package http1

// Framing says how the body of a message ends (RFC 9112 section 6).
type Framing struct {
	ContentLength int64 // -1 when there is none
	Chunked       bool
}

var noBody = Framing{ContentLength: -1}

// read takes in a Content-Length or Transfer-Encoding field. Repeated, combined
// or other than plain, either would let two readers see different messages.
func (f *Framing) read(id ID, value []byte, minor int) Fault {
	if f.Chunked || f.ContentLength >= 0 {
		return FaultFraming
	}
	if id == ContentLength {
		if f.ContentLength = parseLength(value); f.ContentLength < 0 {
			return FaultFraming
		}
		return 0
	}
	if minor == 0 || !EqualFold(value, "chunked") {
		return FaultFraming
	}
	f.Chunked = true
	return 0
}
