package gate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// checkReply compares a frame the program made with what the outcome asks for.
// It returns the sequence number, which a cookie makes unforeseeable.
func checkReply(frame []byte, o outcome) (seq uint32, err error) {
	l2 := o.seg.l2
	want := append(append(append([]byte{}, l2[6:12]...), l2[:6]...), l2[12:]...)
	if len(frame) < len(l2) || !bytes.Equal(frame[:len(l2)], want) {
		return 0, fmt.Errorf("link layer % x, want % x", frame[:min(len(l2), len(frame))], want)
	}
	kind, source, s := readFrame(frame)
	if kind != programReasonCLOSE {
		return 0, fmt.Errorf("unreadable reply: %s", Reason(kind))
	}
	if s.client != o.seg.server || s.server != o.seg.client {
		return 0, fmt.Errorf("from %s to %s, want from %s to %s", s.client, s.server, o.seg.server, o.seg.client)
	}
	if err := checkSums(frame[len(l2):], source); err != nil {
		return 0, err
	}
	payload := string(frame[len(frame)-s.payload:])

	stamp, timed := timestampOf(o.seg.options)
	wantOptions := 0
	flags, text, wantSeq, wantAck := byte(fin|ack), "", o.seg.ack, o.seg.seq+o.seg.length()
	switch programReason(o.reason) {
	case programReasonRESET_RULE, programReasonRESET_SENTENCE:
		timed, flags = false, rst|ack
		if o.seg.flags&ack != 0 {
			flags, wantAck = rst, 0
		} else {
			wantSeq = 0
		}
	case programReasonCOOKIE_RULE, programReasonCOOKIE_SENTENCE:
		flags, wantSeq, wantAck, wantOptions = syn|ack, s.seq, o.seg.seq+1, 4
	case programReasonANSWER_RULE, programReasonANSWER_SENTENCE:
		flags, text = fin|psh|ack, texts[o.answer]
	}
	if timed {
		wantOptions += 12
		if flags == syn|ack { // padded, to be as long as most SYNs
			wantOptions += 4
		}
	}
	if s.flags != flags || s.seq != wantSeq || s.ack != wantAck {
		return 0, fmt.Errorf("flags %#x, seq %d, ack %d; want %#x, %d, %d", s.flags, s.seq, s.ack, flags, wantSeq, wantAck)
	}
	if got, ok := timestampOf(s.options); ok != timed || timed && binary.BigEndian.Uint32(got[4:]) != binary.BigEndian.Uint32(stamp) {
		return 0, fmt.Errorf("options % x to answer timestamp % x", s.options, stamp)
	}
	if len(s.options) != wantOptions {
		return 0, fmt.Errorf("options % x, want %d bytes", s.options, wantOptions)
	}
	if !sameAnswer(payload, text) {
		return 0, fmt.Errorf("payload %q, want %q", payload, text)
	}
	return s.seq, nil
}

// sameAnswer compares all but the seconds, which have to be there.
func sameAnswer(got, text string) bool {
	at := strings.LastIndex(text, seconds)
	if at < 0 {
		return got == text
	}
	return len(got) == len(text) && got[:at] == text[:at] && got[at+len(seconds):] == text[at+len(seconds):] &&
		strings.TrimLeft(got[at:at+len(seconds)], " ") != ""
}

// timestampOf returns the option's eight bytes, looking as far as the program.
func timestampOf(options []byte) ([]byte, bool) {
	for range 10 {
		switch {
		case len(options) < 2 || options[0] == 0:
			return nil, false
		case options[0] == 1:
			options = options[1:]
		case options[0] == 8:
			if options[1] != 10 || len(options) < 10 {
				return nil, false
			}
			return options[2:10], true
		case options[1] < 2 || int(options[1]) > len(options):
			return nil, false
		default:
			options = options[options[1]:]
		}
	}
	return nil, false
}

// checkSums verifies the checksums of IP and TCP.
func checkSums(ip []byte, source netip.Addr) error {
	var pseudo []byte
	tcp := ip[40:]
	if source.Is4() {
		if sum := onesComplement(ip[:20]); sum != 0xffff {
			return fmt.Errorf("IP checksum is off: %#x", sum)
		}
		pseudo, tcp = append(pseudo, ip[12:20]...), ip[20:]
		if int(binary.BigEndian.Uint16(ip[2:])) != len(ip) {
			return fmt.Errorf("IP length %d of %d", binary.BigEndian.Uint16(ip[2:]), len(ip))
		}
	} else {
		pseudo = append(pseudo, ip[8:40]...)
		if int(binary.BigEndian.Uint16(ip[4:])) != len(tcp) {
			return fmt.Errorf("IPv6 length %d of %d", binary.BigEndian.Uint16(ip[4:]), len(tcp))
		}
	}
	pseudo = append(pseudo, 0, 6, byte(len(tcp)>>8), byte(len(tcp)))
	if sum := onesComplement(append(pseudo, tcp...)); sum != 0xffff {
		return fmt.Errorf("TCP checksum is off: %#x", sum)
	}
	return nil
}

func onesComplement(b []byte) uint32 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i]) << 8
		if i+1 < len(b) {
			sum += uint32(b[i+1])
		}
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return sum
}
