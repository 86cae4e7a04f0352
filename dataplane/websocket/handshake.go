package websocket

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; it guards nothing
	"encoding/base64"
	"net/http"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Names of the fields of the handshake, in lower case.
const (
	fieldKey        = "sec-websocket-key"
	fieldAccept     = "sec-websocket-accept"
	fieldVersion    = "sec-websocket-version"
	fieldProtocol   = "sec-websocket-protocol"
	fieldExtensions = "sec-websocket-extensions"
)

const (
	keySize    = 24 // 16 bytes in base64
	acceptSize = 28 // 20 bytes in base64
	guid       = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// Refusal says why a request is not answered with 101; 0 is no refusal.
type Refusal uint8

// Refusals.
const (
	NoUpgrade  Refusal = iota + 1 // the request does not ask for WebSocket
	BadMethod                     // other than GET
	BadRequest                    // a field of the handshake is missing, repeated or malformed
	BadVersion                    // other than 13
)

var refusals = [...]struct {
	status int
	fields string
}{
	NoUpgrade:  {http.StatusUpgradeRequired, "Upgrade: websocket\r\nConnection: Upgrade\r\n"},
	BadMethod:  {http.StatusMethodNotAllowed, "Allow: GET\r\n"},
	BadRequest: {http.StatusBadRequest, ""},
	BadVersion: {http.StatusUpgradeRequired, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"},
}

// Status returns the HTTP status of the answer.
func (r Refusal) Status() int { return refusals[r].status }

// Fields returns the field lines that the answer has to have (RFC 9110 section
// 15.5.22, RFC 6455 section 4.2.2).
func (r Refusal) Fields() string { return refusals[r].fields }

// Upgrade is a request for WebSocket (RFC 6455 section 4.2.1). Its slices point
// into the bytes of the request.
type Upgrade struct {
	Origin    []byte // nil if there is none
	HasOrigin bool

	key     [keySize]byte
	request *http1.Request
}

// Wanted reports whether a request asks to speak WebSocket. Read tells whether
// it does so properly.
func Wanted(r *http1.Request) bool {
	return r.Minor == 1 && r.Present().Has(http1.Upgrade) && hasToken(&r.Headers, http1.Upgrade, "websocket")
}

// Read takes a request's wish. It has to hold still while u is in use.
func (u *Upgrade) Read(r *http1.Request) Refusal {
	*u = Upgrade{request: r}
	if !Wanted(r) {
		return NoUpgrade
	}
	if r.Verb != http1.GET {
		return BadMethod
	}
	if r.HasBody() || !hasToken(&r.Headers, http1.Connection, "upgrade") {
		return BadRequest
	}
	keys, versions, version := 0, 0, []byte(nil)
	for i := range r.Len() {
		switch {
		case r.ID(i) == http1.Origin:
			if u.HasOrigin {
				return BadRequest
			}
			u.Origin, u.HasOrigin = r.Value(i), true
		case r.ID(i) != http1.Other:
		case http1.EqualFold(r.Name(i), fieldKey):
			if keys++; !validKey(r.Value(i)) {
				return BadRequest
			}
			copy(u.key[:], r.Value(i))
		case http1.EqualFold(r.Name(i), fieldVersion):
			versions++
			version = r.Value(i)
		case http1.EqualFold(r.Name(i), fieldProtocol):
			if !validProtocols(r.Value(i)) {
				return BadRequest
			}
		}
	}
	if versions == 1 && string(version) != "13" {
		return BadVersion
	}
	if keys != 1 || versions != 1 {
		return BadRequest
	}
	return 0
}

// Protocols calls yield with each subprotocol that the client offers, in its
// order of preference, until yield is false.
func (u *Upgrade) Protocols(yield func(name []byte) bool) {
	for i := range u.request.Len() {
		if u.request.ID(i) != http1.Other || !http1.EqualFold(u.request.Name(i), fieldProtocol) {
			continue
		}
		for list := u.request.Value(i); len(list) > 0; {
			var name []byte
			if name, list = element(list); len(name) > 0 && !yield(name) {
				return
			}
		}
	}
}

// Offers reports whether the client offers a subprotocol. Their names are case
// sensitive.
func (u *Upgrade) Offers(name string) (found bool) {
	u.Protocols(func(offer []byte) bool {
		found = string(offer) == name
		return !found
	})
	return found
}

// Choose returns the first of the client's subprotocols that is supported, or
// "".
func (u *Upgrade) Choose(supported []string) (chosen string) {
	u.Protocols(func(offer []byte) bool {
		for _, name := range supported {
			if string(offer) == name {
				chosen = name
				return false
			}
		}
		return true
	})
	return chosen
}

// AppendAnswer appends the whole answer that agrees. protocol is "" or one that
// the client offers; fields are further field lines with their line ends.
func (u *Upgrade) AppendAnswer(dst []byte, protocol string, fields []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	accept := acceptFor(u.key)
	dst = append(append(dst, accept[:]...), "\r\n"...)
	if protocol != "" {
		dst = append(append(append(dst, "Sec-WebSocket-Protocol: "...), protocol...), "\r\n"...)
	}
	return append(append(dst, fields...), "\r\n"...)
}

// acceptFor returns the proof that a key was understood.
func acceptFor(key [keySize]byte) (accept [acceptSize]byte) {
	var in [keySize + len(guid)]byte
	copy(in[copy(in[:], key[:]):], guid)
	sum := sha1.Sum(in[:]) //nolint:gosec // see the import
	base64.StdEncoding.Encode(accept[:], sum[:])
	return accept
}

// validKey reports whether a key is base64 of 16 bytes.
func validKey(v []byte) bool {
	if len(v) != keySize {
		return false
	}
	var raw [keySize / 4 * 3]byte
	n, err := base64.StdEncoding.Strict().Decode(raw[:], v)
	return err == nil && n == 16
}

// validProtocols reports whether a list of subprotocols has valid names.
func validProtocols(list []byte) bool {
	some := false
	for len(list) > 0 {
		var name []byte
		if name, list = element(list); len(name) == 0 {
			continue
		}
		some = true
		for _, c := range name {
			if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte(`()<>@,;:\"/[]?={}`), c) >= 0 {
				return false
			}
		}
	}
	return some
}

// hasToken reports whether a list field has a token, given in lower case.
func hasToken(h *http1.Headers, id http1.ID, token string) bool {
	for i := range h.Len() {
		if h.ID(i) != id {
			continue
		}
		for list := h.Value(i); len(list) > 0; {
			var t []byte
			if t, list = element(list); http1.EqualFold(t, token) {
				return true
			}
		}
	}
	return false
}

// element cuts the first element off a comma-separated list and trims it.
func element(list []byte) (first, rest []byte) {
	first, rest, _ = bytes.Cut(list, []byte(","))
	return bytes.Trim(first, " \t"), rest
}
