package http1

// Response is a parsed response head. Its slices point into the bytes it was
// parsed from, and are valid as long as those are.
type Response struct {
	Headers

	Status int    // 100 to 599
	Line   []byte // after the version: "200 OK", without line end
	Minor  int

	Framing
	KeepAlive bool
}

// MaxResponseHead bounds a response head in bytes.
const MaxResponseHead = 64 << 10

const maxResponseFields = 256

// Parse reads the head that is exactly buf, as HeadEnd cut it. A fault means
// that the answer is invalid and its connection must be closed.
func (r *Response) Parse(buf []byte) Fault {
	const prefix = "HTTP/1."
	if len(buf) < len(prefix)+9 || string(buf[:len(prefix)]) != prefix || buf[8] != ' ' {
		return FaultStatusLine
	}
	r.Minor = int(buf[7]) - '0'
	if r.Minor != 0 && r.Minor != 1 {
		return FaultStatusLine
	}
	r.Status = 0
	for _, c := range buf[9:12] {
		if c < '0' || c > '9' {
			return FaultStatusLine
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	if r.Status < 100 || r.Status > 599 {
		return FaultStatusLine
	}
	at := 12
	if buf[at] != ' ' && buf[at] != '\r' {
		return FaultStatusLine
	}
	for at < len(buf) && isFieldValue[buf[at]] {
		at++
	}
	if at+1 >= len(buf) || buf[at] != '\r' || buf[at+1] != '\n' {
		return FaultStatusLine
	}
	r.Line = buf[9:at]
	end, fault := r.Headers.parse(buf, at+2, maxResponseFields)
	if fault != 0 {
		return fault
	}
	if end != len(buf) {
		return FaultHeader
	}
	return r.fields()
}

func (r *Response) fields() Fault {
	r.Framing = noBody
	r.KeepAlive = r.Minor == 1
	for i := range r.lines {
		switch r.lines[i].ID {
		case ContentLength, TransferEncoding:
			if fault := r.Framing.read(r.lines[i].ID, r.Value(i), r.Minor); fault != 0 {
				return fault
			}
		case Connection:
			for list := r.Value(i); len(list) > 0; {
				var option []byte
				if option, list = nextElement(list); EqualFold(option, "close") {
					r.KeepAlive = false
				}
			}
		}
	}
	return 0
}

// NoBody reports whether an answer with this status to this verb never has a
// body, whatever its fields say (RFC 9112 section 6.3).
func NoBody(status int, verb Verb) bool {
	return verb == HEAD || status < 200 || status == 204 || status == 304
}
