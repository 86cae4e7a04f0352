package gate

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// sip is SipHash-2-4's state (Aumasson and Bernstein, 2012).
type sip [4]uint64

func newSip(k0, k1 uint64) sip {
	return sip{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
}

func (v *sip) rounds(n int) {
	for range n {
		v[0] += v[1]
		v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
		v[0] = bits.RotateLeft64(v[0], 32)
		v[2] += v[3]
		v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
		v[0] += v[3]
		v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
		v[2] += v[1]
		v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
		v[2] = bits.RotateLeft64(v[2], 32)
	}
}

func (v *sip) add(words ...uint64) *sip {
	for _, w := range words {
		v[3] ^= w
		v.rounds(2)
		v[0] ^= w
	}
	return v
}

func (v *sip) sum() uint64 {
	v[2] ^= 0xff
	v.rounds(4)
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

// TestSip has the example of the paper's appendix A.
func TestSip(t *testing.T) {
	v := newSip(0x0706050403020100, 0x0f0e0d0c0b0a0908)
	if got := v.add(0x0706050403020100, 0x0f0e0d0c0b0a0908).sum(); got != 0xa129ca6149be45e5 {
		t.Errorf("%#x", got)
	}
}

// TestCookie: the program's cookies are a SipHash of who asks, under the key that is
// pinned, and another one's is not taken.
func TestCookie(t *testing.T) {
	g, w, gen, ns := newWorld(t)
	var key programCookieKey
	if err := g.objects.CookieKeys.Lookup(uint32(0), &key); err != nil {
		t.Fatal(err)
	}
	if key.Words[0] == 0 || key.Words[1] == 0 {
		t.Fatalf("key %x", key.Words)
	}
	address := netip.MustParseAddrPort
	err := ns.Do(func() error {
		for _, p := range []packet{
			{client: address("192.0.2.77:5000"), server: address("10.0.0.1:82")},
			{client: address("[2001:db8::9]:5000"), server: address("[fd00::1]:82")},
		} {
			p.protocol, p.flags, p.seq = 6, syn, 0xfffffff0
			got, err := g.Try(p.frame(), 1)
			if err != nil {
				return err
			}
			_, _, reply := readFrame(got.Frame)
			var now unix.Timespec
			if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
				return err
			}
			client, server, family := p.client.Addr().AsSlice(), p.server.Addr().AsSlice(), uint64(unix.AF_INET)
			v := newSip(key.Words[0], key.Words[1])
			if p.client.Addr().Is4() {
				v.add(uint64(binary.NativeEndian.Uint32(client)) | uint64(binary.NativeEndian.Uint32(server))<<32)
			} else {
				family = unix.AF_INET6
				for _, at := range [][]byte{client, client[8:], server, server[8:]} {
					v.add(uint64(binary.NativeEndian.Uint32(at)) | uint64(binary.NativeEndian.Uint32(at[4:]))<<32)
				}
			}
			port := func(p uint16) uint64 { return uint64(binary.NativeEndian.Uint16([]byte{byte(p >> 8), byte(p)})) }
			v.add(port(p.client.Port())<<48|port(p.server.Port())<<32|uint64(p.seq), family<<32|uint64(now.Nano())>>36)
			if want := uint32(v.sum()); reply.flags != syn|ack || reply.seq != want {
				t.Errorf("%s: flags %#x, cookie %#x, want %#x", p.client, reply.flags, reply.seq, want)
			}
			// The model knows no proof but this one's.
			p.flags, p.seq, p.ack, p.payload = ack, p.seq+1, reply.seq+2, []byte("GET")
			for range 3 {
				p.ack--
				if p.ack == reply.seq+1 {
					w.cookies[handshake{tuple{p.client, p.server}, p.seq, p.ack}] = true
				}
				for range 2 { // at hand, and not any more
					if _, err := w.try(g, gen, p.frame()); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVisitor: who was let connect is refused even when his source is allowed in the
// meantime, as the host has no connection of his; the next one is the host's.
func TestVisitor(t *testing.T) {
	g, _, _, ns := newWorld(t)
	err := ns.Do(func() error {
		for prefix, client := range map[string]string{"192.0.2.77/32": "192.0.2.77:5000", "2001:db8::9/128": "[2001:db8::9]:5000"} {
			p := packet{client: netip.MustParseAddrPort(client), server: netip.MustParseAddrPort("10.0.0.1:82"), protocol: 6, flags: syn, seq: 7}
			if p.client.Addr().Is6() {
				p.server = netip.MustParseAddrPort("[fd00::1]:82")
			}
			step := func(name string, want Action) (reply segment, err error) {
				got, err := g.Try(p.frame(), 1)
				if err != nil {
					return reply, err
				}
				if got.Action != want {
					t.Errorf("%s of %s: action %d, want %d", name, client, got.Action, want)
				}
				if want == Answered {
					_, _, reply = readFrame(got.Frame)
				}
				return reply, nil
			}
			opened, err := step("SYN", Answered)
			if err != nil {
				return err
			}
			if err := g.Allow(netip.MustParsePrefix(prefix)); err != nil {
				return err
			}
			p.flags, p.seq, p.ack = ack, 8, opened.seq+1
			if _, err := step("handshake", Dropped); err != nil {
				return err
			}
			p.payload = []byte("GET / HTTP/1.1\r\n\r\n")
			answer, err := step("request", Answered)
			if err != nil {
				return err
			}
			if answer.payload == 0 {
				t.Errorf("%s has no answer", client)
			}
			p.flags, p.seq, p.ack, p.payload = ack|fin, answer.ack, answer.seq+answer.length(), nil
			if _, err := step("FIN", Answered); err != nil {
				return err
			}
			p.seq++ // which is not what was remembered
			if _, err := step("stranger", Passed); err != nil {
				return err
			}
			p.flags, p.seq = syn, 9
			if _, err := step("next SYN", Passed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
