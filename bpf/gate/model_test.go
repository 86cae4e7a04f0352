package gate

import (
	"encoding/binary"
	"net/netip"
)

// world is what the model of the program knows: the same as the maps and the
// host's sockets, in plain Go.
type world struct {
	rules     []modelRule
	sentences map[netip.Prefix]modelRule
	listeners map[netip.AddrPort]Style // of one address, or of none for any
	listening map[uint16]bool          // ports on which a socket of the host listens
	open      map[tuple]bool           // the host's connections
	cookies   map[handshake]bool       // of which the client may prove a cookie
}

type modelRule struct {
	prefix         netip.Prefix
	allow, expired bool
	answer         Answer
}

type tuple struct{ client, server netip.AddrPort }

// handshake is what the first segment after a cookie shows.
type handshake struct {
	tuple
	seq, ack uint32
}

// outcome is what the model says of a frame.
type outcome struct {
	reason Reason
	seg    segment // what a reply answers, if there is one
	answer Answer
}

// segment is a TCP packet in Go's terms.
type segment struct {
	tuple
	seq, ack  uint32
	flags     byte
	payload   int
	options   []byte // cut where the frame is
	optionEnd int    // how long they claim to be
	l2        []byte
}

const (
	fin, syn, rst, psh, ack = 1, 2, 4, 8, 16
)

// judge is the model of the program, after its contract rather than its code.
func (w *world) judge(frame []byte) outcome {
	kind, source, s := readFrame(frame)
	switch kind {
	case programReasonPASS_NOT_IP, programReasonPASS_MALFORMED, programReasonPASS_NOT_TCP:
		return outcome{reason: Reason(kind)}
	}
	readable := kind != programReasonPASS_UNREADABLE
	if readable && !w.portIsOurs(s.server.Port()) {
		return outcome{reason: Reason(programReasonPASS_OTHER_PORT)}
	}
	rule, sentenced, condemned := w.condemns(source)
	switch {
	case !condemned && rule.allow:
		return outcome{reason: Reason(programReasonPASS_ALLOWED)}
	case !condemned && readable:
		return outcome{reason: Reason(programReasonPASS_CLEAN)}
	case !condemned:
		return outcome{reason: Reason(programReasonPASS_UNREADABLE)}
	case !readable:
		return outcome{reason: Reason(programReasonDROP_UNREADABLE)}
	}
	by := func(rule, sentence programReason) outcome {
		if sentenced {
			rule = sentence
		}
		return outcome{reason: Reason(rule), seg: s, answer: rule0(w, source)}
	}
	style, ours := w.style(s.server)
	opens := s.flags&(syn|ack|rst|fin) == syn
	switch {
	case !ours:
		return outcome{reason: Reason(programReasonPASS_OTHER_PORT)}
	case !opens && w.open[s.tuple]:
		return outcome{reason: Reason(programReasonPASS_OPEN)}
	case !opens && !w.listening[s.server.Port()]:
		return outcome{reason: Reason(programReasonPASS_NO_LISTENER)}
	case s.flags&rst != 0 && !opens:
		return outcome{reason: Reason(programReasonDROP_SILENT)}
	case style == Drop:
		return by(programReasonDROP_RULE, programReasonDROP_SENTENCE)
	case style == Reset:
		return by(programReasonRESET_RULE, programReasonRESET_SENTENCE)
	case opens && len(s.options) < s.optionEnd:
		return outcome{reason: Reason(programReasonDROP_FAILED)}
	case opens:
		return by(programReasonCOOKIE_RULE, programReasonCOOKIE_SENTENCE)
	case s.flags&ack == 0 || s.length() == 0:
		return outcome{reason: Reason(programReasonDROP_SILENT)}
	case s.payload > 0 && w.cookies[handshake{s.tuple, s.seq, s.ack}]:
		return by(programReasonANSWER_RULE, programReasonANSWER_SENTENCE)
	default:
		return outcome{reason: Reason(programReasonCLOSE), seg: s}
	}
}

func rule0(w *world, source netip.Addr) Answer {
	rule, _, _ := w.condemns(source)
	return rule.answer
}

// length is what the segment takes of the sequence space.
func (s *segment) length() uint32 {
	n := uint32(s.payload)
	if s.flags&syn != 0 {
		n++
	}
	if s.flags&fin != 0 {
		n++
	}
	return n
}

func (w *world) portIsOurs(port uint16) bool {
	for l := range w.listeners {
		if l.Port() == port {
			return true
		}
	}
	return false
}

func (w *world) style(server netip.AddrPort) (Style, bool) {
	if style, ok := w.listeners[server]; ok {
		return style, true
	}
	style, ok := w.listeners[netip.AddrPortFrom(netip.Addr{}, server.Port())]
	return style, ok
}

func (w *world) condemns(source netip.Addr) (rule modelRule, sentenced, condemned bool) {
	best := -1
	for _, r := range w.rules {
		if !r.expired && r.prefix.Contains(source) && r.prefix.Bits() > best {
			rule, best = r, r.prefix.Bits()
		}
	}
	if best >= 0 {
		return rule, false, !rule.allow
	}
	bits := 32
	if source.Is6() {
		bits = 64
	}
	s, ok := w.sentences[netip.PrefixFrom(source, bits).Masked()]
	return s, true, ok && !s.expired
}

// readFrame returns the segment, or as a reason why there is none.
func readFrame(frame []byte) (kind programReason, source netip.Addr, s segment) {
	at := 14
	if len(frame) < at {
		return programReasonPASS_NOT_IP, source, s
	}
	etherType := binary.BigEndian.Uint16(frame[12:])
	for range 2 {
		if etherType != 0x8100 && etherType != 0x88a8 {
			break
		}
		if len(frame) < at+4 {
			return programReasonPASS_NOT_IP, source, s
		}
		etherType = binary.BigEndian.Uint16(frame[at+2:])
		at += 4
	}
	s.l2 = frame[:at]
	switch etherType {
	case 0x0800:
		kind, source, s = read4(frame[at:], s)
	case 0x86dd:
		kind, source, s = read6(frame[at:], s)
	default:
		kind = programReasonPASS_NOT_IP
	}
	return kind, source, s
}

func read4(ip []byte, s segment) (programReason, netip.Addr, segment) {
	if len(ip) < 20 || ip[0]>>4 != 4 || ip[0]&15 < 5 {
		return programReasonPASS_MALFORMED, netip.Addr{}, s
	}
	source, size := netip.AddrFrom4([4]byte(ip[12:])), int(ip[0]&15)*4
	if ip[9] != 6 {
		return programReasonPASS_NOT_TCP, source, s
	}
	if more, offset := ip[6]&0x20 != 0, binary.BigEndian.Uint16(ip[6:])&0x1fff; more || offset != 0 {
		return programReasonPASS_UNREADABLE, source, s
	}
	total := int(binary.BigEndian.Uint16(ip[2:]))
	if total == 0 {
		total = len(ip)
	}
	return readTCP(ip, size, total-size, source, netip.AddrFrom4([4]byte(ip[16:])), s)
}

func read6(ip []byte, s segment) (programReason, netip.Addr, segment) {
	if len(ip) < 40 || ip[0]>>4 != 6 {
		return programReasonPASS_MALFORMED, netip.Addr{}, s
	}
	source, at, next := netip.AddrFrom16([16]byte(ip[8:])), 40, ip[6]
	isExtension := func(kind byte) bool {
		switch kind {
		case 0, 43, 44, 51, 60, 135:
			return true
		}
		return false
	}
	for n := 0; isExtension(next); n++ {
		if n == 6 || len(ip) < at+8 {
			return programReasonPASS_UNREADABLE, source, s
		}
		kind, header := next, ip[at:]
		next = header[0]
		switch kind {
		case 44:
			if binary.BigEndian.Uint16(header[2:])&0xfff9 != 0 {
				if next == 6 || isExtension(next) {
					return programReasonPASS_UNREADABLE, source, s
				}
				return programReasonPASS_NOT_TCP, source, s
			}
			at += 8
		case 51:
			at += (int(header[1]) + 2) * 4
		default:
			at += (int(header[1]) + 1) * 8
		}
	}
	if next != 6 {
		return programReasonPASS_NOT_TCP, source, s
	}
	total := int(binary.BigEndian.Uint16(ip[4:]))
	if total == 0 {
		total = len(ip)
	} else {
		total += 40
	}
	return readTCP(ip, at, total-at, source, netip.AddrFrom16([16]byte(ip[24:])), s)
}

// readTCP reads the header at ip[at:]; the IP header says the segment is so long.
func readTCP(ip []byte, at, length int, source, destination netip.Addr, s segment) (programReason, netip.Addr, segment) {
	if len(ip) < at+20 || ip[at+12]>>4 < 5 {
		return programReasonPASS_UNREADABLE, source, s
	}
	tcp, size := ip[at:], int(ip[at+12]>>4)*4
	s.client = netip.AddrPortFrom(source, binary.BigEndian.Uint16(tcp))
	s.server = netip.AddrPortFrom(destination, binary.BigEndian.Uint16(tcp[2:]))
	s.seq, s.ack, s.flags = binary.BigEndian.Uint32(tcp[4:]), binary.BigEndian.Uint32(tcp[8:]), tcp[13]
	s.payload = max(length-size, 0)
	s.options, s.optionEnd = tcp[20:min(size, len(tcp))], size-20
	return programReasonCLOSE, source, s // of all reasons, one that is none of the above
}
