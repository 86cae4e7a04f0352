package http1

import "bytes"

// target reads the request target (RFC 9112 section 3.2): the origin-form, or
// an absolute-form that names the same host as the Host field. Nothing is
// decoded or normalised; what could be read in two ways is refused.
func (r *Request) target(t []byte) Fault {
	if len(t) == 0 {
		return FaultTarget
	}
	if t[0] != '/' {
		origin, ok := r.absolute(t)
		if !ok {
			return FaultTarget
		}
		t = origin
	}
	if len(t) > 1 && t[1] == '/' { // "//host/path" is a network-path reference to some readers
		return FaultTarget
	}
	r.Target, r.Path, r.Query, r.HasQuery = t, t, nil, false
	for i := 0; i < len(t); i++ {
		c := t[i]
		if !isTarget[c] {
			return FaultTarget
		}
		switch c {
		case '%':
			if i+2 >= len(t) || unhex(t[i+1]) < 0 || unhex(t[i+2]) < 0 {
				return FaultTarget
			}
			if t[i+1] == '0' && t[i+2] == '0' {
				return FaultTarget
			}
		case '?':
			if !r.HasQuery {
				r.Path, r.Query, r.HasQuery = t[:i], t[i+1:], true
			}
		}
	}
	if hasDotSegment(r.Path) {
		return FaultTarget
	}
	return 0
}

// absolute cuts "http://host" off an absolute-form whose host is r.Host.
func (r *Request) absolute(t []byte) (origin []byte, ok bool) {
	i := bytes.Index(t, []byte("://"))
	if i < 0 || !EqualFold(t[:i], "http") && !EqualFold(t[:i], "https") {
		return nil, false
	}
	t = t[i+3:]
	slash := bytes.IndexByte(t, '/')
	if slash < 0 {
		return nil, false
	}
	authority := t[:slash]
	for i := range r.lines {
		if r.lines[i].ID == Host {
			return t[slash:], bytes.EqualFold(authority, r.Value(i))
		}
	}
	return nil, false
}

// hasDotSegment reports whether a segment of path is "." or "..", plainly or
// once percent-encoding is undone, where an encoded slash or backslash ends a
// segment as well, and so does the semicolon that begins a parameter to servlet
// containers.
func hasDotSegment(path []byte) bool {
	dots, others := 0, 0
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			c = byte(unhex(path[i+1])<<4 | unhex(path[i+2]))
			i += 2
		}
		switch c {
		case '/', '\\', ';':
			if others == 0 && (dots == 1 || dots == 2) {
				return true
			}
			dots, others = 0, 0
			if c == ';' { // what follows it is no segment
				others++
			}
		case '.':
			dots++
		default:
			others++
		}
	}
	return others == 0 && (dots == 1 || dots == 2)
}

// parseHost checks a Host field (RFC 9110 section 7.2; RFC 3986 section 3.2.2
// less userinfo and percent-encoding), lower-cases it in place and cuts its
// port.
func parseHost(v []byte) (host []byte, ok bool) {
	if len(v) == 0 || len(v) > 255+6 {
		return nil, false
	}
	end := 0
	if v[0] == '[' {
		end = bytes.IndexByte(v, ']') + 1
		if end < 4 {
			return nil, false
		}
		for i, c := range v[1 : end-1] {
			if unhex(c) < 0 && c != ':' && c != '.' {
				return nil, false
			}
			if c >= 'A' && c <= 'F' {
				v[1+i] = c | 0x20
			}
		}
	} else {
		for end < len(v) && v[end] != ':' {
			c := v[end]
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
				v[end] = c
			}
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
				return nil, false
			}
			if c == '.' && (end == 0 || v[end-1] == '.') { // an empty label
				return nil, false
			}
			end++
		}
		if end == 0 {
			return nil, false
		}
	}
	if end < len(v) {
		port := v[end+1:]
		if v[end] != ':' || len(port) == 0 || len(port) > 5 {
			return nil, false
		}
		n := 0
		for _, c := range port {
			if c < '0' || c > '9' {
				return nil, false
			}
			n = n*10 + int(c-'0')
		}
		if n == 0 || n > 65535 {
			return nil, false
		}
	}
	host = v[:end]
	if host[len(host)-1] == '.' { // the root label
		host = host[:len(host)-1]
	}
	return host, len(host) > 0
}
