package gate

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
)

// newWorld fills a gate, and a model of it, in a namespace of its own.
func newWorld(t *testing.T) (*Gate, *world, *generator, *testnet.Namespace) {
	t.Helper()
	need.Root(t)
	ns := testnet.New(t)
	var g *Gate
	if err := ns.Do(func() (err error) {
		g, err = Open(Options{Dir: filepath.Join(testnet.FS(t), "gate")})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	w := &world{
		sentences: map[netip.Prefix]modelRule{}, listening: map[uint16]bool{}, open: map[tuple]bool{}, cookies: map[handshake]bool{},
		listeners: map[netip.AddrPort]Style{},
	}
	gen := &generator{Rand: rand.New(rand.NewPCG(36, 5))}
	w.addListeners(t, g, gen, ns)
	w.addRules(t, g, gen)
	w.addConnections(t, gen, ns)
	time.Sleep(50 * time.Millisecond) // what is to have expired has
	return g, w, gen, ns
}

func (w *world) addListeners(t *testing.T, g *Gate, gen *generator, ns *testnet.Namespace) {
	t.Helper()
	own4, own6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	gen.servers4 = []netip.Addr{own4, netip.MustParseAddr("10.0.0.2")}
	gen.servers6 = []netip.Addr{own6, netip.MustParseAddr("fd00::2")}
	var listeners []Listener
	add := func(a netip.Addr, port uint16, style Style, listening bool) {
		listeners = append(listeners, Listener{Address: netip.AddrPortFrom(a, port), Style: style})
		w.listeners[netip.AddrPortFrom(a, port)] = style
		w.listening[port] = w.listening[port] || listening
	}
	add(netip.Addr{}, 80, Drop, true)
	add(netip.Addr{}, 81, Reset, true)
	add(netip.Addr{}, 82, Respond, true)
	add(netip.Addr{}, 83, Respond, false)
	add(own4, 84, Reset, true)
	add(own6, 84, Respond, true)
	add(netip.Addr{}, 65535, Drop, true)
	add(own4, 65535, Respond, true)
	if err := g.SetListeners(listeners); err != nil {
		t.Fatal(err)
	}
	gen.ports = []uint16{80, 81, 82, 82, 82, 83, 84, 84, 65535, 22}
	for port, listening := range w.listening {
		if listening {
			ns.Listen("tcp", fmt.Sprintf("[::]:%d", port))
		}
	}
}

func (w *world) addRules(t *testing.T, g *Gate, gen *generator) {
	t.Helper()
	const soon = time.Millisecond
	for _, r := range []struct {
		prefix         string
		allow, expired bool
		answer         Answer
	}{
		{prefix: "192.0.2.0/24"},
		{prefix: "192.0.2.0/28", expired: true},
		{prefix: "192.0.2.4/30", expired: true},
		{prefix: "192.0.2.128/25", allow: true},
		{prefix: "192.0.2.200/32", answer: TooManyRequests},
		{prefix: "100.64.0.0/10", answer: LimitExceeded},
		{prefix: "2001:db8::/32"},
		{prefix: "2001:db8:1::/48", allow: true},
		{prefix: "2001:db8:2::/64", expired: true},
		{prefix: "2001:db8:3::7/128", answer: TooManyRequests},
		{prefix: "fd00:a::/29", answer: LimitExceeded},
		// More lengths on one network than the program is told of one by one.
		{prefix: "203.0.113.0/32", expired: true}, {prefix: "203.0.113.0/31", expired: true}, {prefix: "203.0.113.0/30", allow: true},
		{prefix: "203.0.113.0/29", expired: true}, {prefix: "203.0.113.0/28"}, {prefix: "203.0.113.0/27", expired: true},
		{prefix: "203.0.113.0/26", expired: true}, {prefix: "203.0.113.0/25", allow: true}, {prefix: "203.0.113.0/24", answer: LimitExceeded},
		{prefix: "203.0.112.0/23", expired: true}, {prefix: "203.0.112.0/22", answer: TooManyRequests}, {prefix: "203.0.0.0/16"},
		{prefix: "2a00:1::/128", expired: true}, {prefix: "2a00:1::/127", expired: true}, {prefix: "2a00:1::/126", allow: true},
		{prefix: "2a00:1::/96", expired: true}, {prefix: "2a00:1::/65"}, {prefix: "2a00:1::/64", expired: true}, {prefix: "2a00:1::/63", expired: true},
		{prefix: "2a00:1::/56", allow: true}, {prefix: "2a00:1::/48", answer: TooManyRequests}, {prefix: "2a00:1::/40", expired: true},
		{prefix: "2a00::/24", answer: LimitExceeded}, {prefix: "2a00::/13"},
	} {
		m := modelRule{prefix: netip.MustParsePrefix(r.prefix), allow: r.allow, expired: r.expired, answer: r.answer}
		w.rules = append(w.rules, m)
		rule := Rule{Answer: r.answer, For: time.Hour}
		if r.expired {
			rule.For = soon
		}
		if r.allow {
			if err := g.Allow(m.prefix); err != nil {
				t.Fatal(err)
			}
		} else if err := g.Deny(m.prefix, rule); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []struct {
		source  string
		expired bool
		answer  Answer
	}{
		{"198.51.100.1", false, TooManyRequests}, {"198.51.100.2", true, Forbidden}, {"192.0.2.130", false, Forbidden},
		{"127.0.0.1", false, Forbidden}, {"2001:4860:1:1::1", false, LimitExceeded}, {"2001:4860:1:2::1", true, Forbidden}, {"::1", false, TooManyRequests},
	} {
		a := netip.MustParseAddr(s.source)
		bits := 32
		if a.Is6() {
			bits = 64
		}
		w.sentences[netip.PrefixFrom(a, bits).Masked()] = modelRule{expired: s.expired, answer: s.answer}
		rule := Rule{Answer: s.answer, For: time.Hour}
		if s.expired {
			rule.For = soon
		}
		if err := g.Condemn(a, rule); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []string{
		"192.0.2.1", "192.0.2.5", "192.0.2.77", "192.0.2.130", "192.0.2.200", "100.99.1.2", "198.51.100.1", "198.51.100.1", "198.51.100.2", "8.8.8.8",
		"203.0.113.0", "203.0.113.4", "203.0.113.9", "203.0.113.100", "203.0.113.200", "203.0.114.1", "203.0.9.9",
	} {
		gen.sources4 = append(gen.sources4, netip.MustParseAddr(a))
	}
	for _, a := range []string{
		"2001:db8::9", "2001:db8:1::9", "2001:db8:2::9", "2001:db8:3::7", "2001:db8:3::8", "fd00:d::1", "2001:4860:1:1::1", "2001:4860:1:1:ffff::", "2001:4860:1:2::3", "2600::1",
		"2a00:1::", "2a00:1::4", "2a00:1::1:0:0:0", "2a00:1::8000:0:0:0", "2a00:1:0:1::1", "2a00:1:0:100::1", "2a00:1:1::1", "2a00:100::1", "2a07::1",
	} {
		gen.sources6 = append(gen.sources6, netip.MustParseAddr(a))
	}
}

// addConnections opens some, from condemned sources.
func (w *world) addConnections(t *testing.T, gen *generator, ns *testnet.Namespace) {
	t.Helper()
	for _, address := range []string{"127.0.0.1:82", "[::1]:82", "127.0.0.1:80"} {
		conn, err := ns.Dial(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		open := tuple{client: conn.LocalAddr().(*net.TCPAddr).AddrPort(), server: netip.MustParseAddrPort(address)}
		gen.open = append(gen.open, open)
		w.open[open] = true
	}
}

// try runs a frame and compares it with the model.
func (w *world) try(g *Gate, gen *generator, frame []byte) (Reason, error) {
	want := w.judge(frame)
	got, err := g.Try(frame, 1)
	if err != nil {
		return 0, err
	}
	switch action := actionOf(want.reason); {
	case got.Action != action:
		return 0, fmt.Errorf("action %d, want %d for %s", got.Action, action, want.reason)
	case action != Answered:
		if string(got.Frame) != string(frame) {
			return 0, fmt.Errorf("%s changed the frame to % x", want.reason, got.Frame)
		}
		return want.reason, nil
	}
	seq, err := checkReply(got.Frame, want)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", want.reason, err)
	}
	// Who comes on with a cookie is answered, whatever the host has by then, if he is
	// remembered; so the model has no opinion of what the host has.
	r, to := programReason(want.reason), want.seg.tuple
	if (r == programReasonCOOKIE_RULE || r == programReasonCOOKIE_SENTENCE) && !w.open[to] && w.listening[to.server.Port()] {
		proof := handshake{want.seg.tuple, want.seg.seq + 1, seq + 1}
		w.cookies[proof] = true
		if len(gen.proofs) < 64 {
			gen.proofs = append(gen.proofs, proof)
		} else {
			gen.proofs[gen.IntN(64)] = proof
		}
	}
	return want.reason, nil
}

func actionOf(r Reason) Action {
	switch {
	case programReason(r) < programReasonDROP_UNREADABLE:
		return Passed
	case programReason(r) < programReasonRESET_RULE:
		return Dropped
	default:
		return Answered
	}
}

// The program and the model agree on packets of every kind, on the replies to
// them and on every counter.
func TestVerdictIsTheModels(t *testing.T) {
	g, w, gen, ns := newWorld(t)
	packets := 100_000
	if testing.Short() {
		packets = 10_000
	}
	want := make([]uint64, len(reasons))
	err := ns.Do(func() error {
		for i := range packets {
			frame := gen.damage(gen.packet().frame())
			reason, err := w.try(g, gen, frame)
			if err != nil {
				return fmt.Errorf("packet %d: %w\n% x", i, err, frame)
			}
			want[reason]++
			if i%1000 == 999 || i == packets-1 {
				if err := sameCounts(g, want); err != nil {
					return fmt.Errorf("by packet %d: %w", i, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for r, count := range want {
		switch programReason(r) {
		case programReasonPASS_STALE: // needs a clock; see TestStaleHeartbeat
		default:
			if count < uint64(packets)/5000 {
				t.Errorf("only %d of the packets were %s", count, Reason(r))
			}
		}
	}
	t.Logf("%d packets: %v", packets, want)
}

func sameCounts(g *Gate, want []uint64) error {
	stats, err := g.Stats()
	if err != nil {
		return err
	}
	for r, c := range stats.Reasons {
		if c.Packets != want[r] {
			return fmt.Errorf("%s counted %d, want %d", Reason(r), c.Packets, want[r])
		}
	}
	return nil
}

// Every beginning of a packet gets the model's verdict.
func TestEveryTruncation(t *testing.T) {
	g, w, gen, ns := newWorld(t)
	timed := append([]byte{2, 4, 5, 180, 4, 2, 8, 10}, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7)
	address := netip.MustParseAddrPort
	err := ns.Do(func() error {
		for name, p := range map[string]packet{
			"IPv4":               {client: address("198.51.100.1:5000"), server: address("10.0.0.1:82"), flags: syn, options: timed},
			"IPv4 with options":  {client: address("192.0.2.77:5000"), server: address("10.0.0.1:81"), flags: syn, ipOptions: 10, options: timed},
			"IPv4 tagged twice":  {client: address("192.0.2.77:5000"), server: address("10.0.0.1:82"), flags: ack, tags: []uint16{0x88a8, 0x8100}, payload: make([]byte, 20)},
			"IPv4 tagged thrice": {client: address("192.0.2.77:5000"), server: address("10.0.0.1:82"), flags: syn, tags: []uint16{0x88a8, 0x8100, 0x8100}},
			"IPv4 fragment":      {client: address("192.0.2.77:5000"), server: address("10.0.0.1:80"), flags: syn, fragment: 3},
			"IPv6":               {client: address("[2001:db8::9]:5000"), server: address("[fd00::1]:82"), flags: syn, options: timed},
			"IPv6 tagged":        {client: address("[2001:db8::9]:5000"), server: address("[fd00::1]:84"), flags: ack | fin, tags: []uint16{0x8100}},
			"IPv6 of six headers": {
				client: address("[2001:4860:1:1::1]:5000"), server: address("[fd00::1]:82"), flags: syn,
				extensions: []byte{0, 60, 43, 44, 51, 135}, options: timed,
			},
			"IPv6 of seven headers": {client: address("[2001:db8::9]:5000"), server: address("[fd00::1]:80"), flags: syn, extensions: []byte{0, 60, 43, 44, 51, 135, 60}},
			"IPv6 fragment":         {client: address("[2001:db8::9]:5000"), server: address("[fd00::1]:80"), flags: syn, extensions: []byte{0, 44}, fragment: 5},
			"IPv6 clean":            {client: address("[2600::1]:5000"), server: address("[fd00::1]:80"), flags: syn, extensions: []byte{0, 44}},
		} {
			p.protocol = 6
			frame := p.frame()
			for length := 14; length <= len(frame); length++ { // the kernel takes no shorter one
				if _, err := w.try(g, gen, frame[:length:length]); err != nil {
					return fmt.Errorf("%s, %d of %d bytes: %w", name, length, len(frame), err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
