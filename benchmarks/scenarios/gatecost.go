package scenarios

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/bpf/gate"
)

const (
	packetMeasure   = "ns_per_packet"
	sentenceMeasure = "sentence_us"
	millionMeasure  = "million_prefixes_s"
	forLong         = time.Hour // longer than any scenario takes

	reference = "reference"
	gateName  = "gate"
)

// costSize is how much the gate knows, and how much is measured of it.
type costSize struct {
	prefixes, sentences int
	runs                int // of the program for a sample
	condemned           int // sources a round
	many, loads         int // prefixes that are loaded at once, and how often
}

// gateCost compares what a packet costs with the reference program, and then
// takes the time of the control path.
func gateCost(ctx context.Context, b *bench) ([]report.Figure, error) {
	return b.compareCost(ctx, costSize{
		prefixes: 100_000, sentences: 100_000, runs: 200_000, condemned: 1000, many: 1_000_000, loads: 3,
	})
}

func (b *bench) compareCost(ctx context.Context, size costSize) ([]report.Figure, error) {
	h, err := b.newGateHost(network.AnyCPU)
	if err != nil {
		return nil, err
	}
	g, err := h.open()
	if err != nil {
		return nil, err
	}
	defer h.close(g)
	known, err := fill(g, size)
	if err != nil {
		return nil, err
	}
	figures, err := packets(ctx, b, g, known, size.runs)
	if err != nil || b.selfCheck {
		return figures, err
	}
	for _, part := range []func() (report.Figure, error){
		func() (report.Figure, error) { return sentences(ctx, b, g, size.condemned) },
		func() (report.Figure, error) { return manyPrefixes(ctx, b, g, size) },
	} {
		f, err := part()
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// known is what the gate has been told.
type known struct {
	prefixes []netip.Prefix
	sources  []netip.Addr
}

var (
	gatePort  = uint16(8080)
	gateHost4 = netip.MustParseAddr("203.0.113.1")
	gateHost6 = netip.MustParseAddr("2001:db8::1")
)

// fill has the gate deny prefixes, condemn sources, and drop at the port of a
// listener.
func fill(g *gate.Gate, size costSize) (known, error) {
	a := newAddresses(1)
	k := known{a.prefixes(size.prefixes), a.sources(size.sentences)}
	if err := g.SetListeners([]gate.Listener{{Address: netip.AddrPortFrom(netip.IPv6Unspecified(), gatePort), Style: gate.Drop}}); err != nil {
		return k, err
	}
	if err := g.ReplaceSet("denied", k.prefixes, gate.Rule{Reason: "benchmark"}); err != nil {
		return k, err
	}
	for _, source := range k.sources {
		if err := g.Condemn(source, gate.Rule{For: forLong, Reason: "benchmark"}); err != nil {
			return k, err
		}
	}
	return k, nil
}

// packet is one kind of packet, from another source in every round.
type packet struct {
	name   string
	figure string // against the reference
	want   gate.Action
	try    func(frame []byte, repeat int) (gate.Trial, error)
	source func(*rand.Rand) netip.Addr
	port   uint16
	tags   int
}

func packetName(p packet) string { return p.name }

// kinds are the packets that are compared, the reference first.
func (k known) kinds(g *gate.Gate, a addresses) []packet {
	clean4 := func(*rand.Rand) netip.Addr { return a.clean4() }
	clean6 := func(*rand.Rand) netip.Addr { return a.clean6() }
	prefix := func(six bool) func(*rand.Rand) netip.Addr {
		return func(r *rand.Rand) netip.Addr {
			return pick(r, k.prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() == six }).Addr()
		}
	}
	sentence := func(six bool) func(*rand.Rand) netip.Addr {
		return func(r *rand.Rand) netip.Addr {
			return pick(r, k.sources, func(s netip.Addr) bool { return s.Is6() == six })
		}
	}
	kinds := []packet{
		{name: reference, want: gate.Passed, try: gate.TryReference, source: clean4},
		{name: "pass", figure: "pass_vs_reference", want: gate.Passed, source: clean4},
		{name: "drop", figure: "drop_vs_reference", want: gate.Dropped, source: prefix(false)},
		{name: "drop-sentence", figure: "sentence_drop_vs_reference", want: gate.Dropped, source: sentence(false)},
		{name: "pass-neighbour", figure: "neighbour_vs_reference", want: gate.Passed, source: k.neighbour},
		{name: "pass-other-port", figure: "other_port_vs_reference", want: gate.Passed, source: clean4, port: gatePort + 1},
		{name: "pass-ipv6", figure: "ipv6_pass_vs_reference", want: gate.Passed, source: clean6},
		{name: "drop-ipv6", figure: "ipv6_drop_vs_reference", want: gate.Dropped, source: prefix(true)},
		{name: "drop-sentence-ipv6", figure: "ipv6_sentence_drop_vs_reference", want: gate.Dropped, source: sentence(true)},
		{name: "pass-tagged", figure: "tagged_vs_reference", want: gate.Passed, source: clean4, tags: 2},
	}
	for i := range kinds {
		p := &kinds[i]
		if p.port == 0 {
			p.port = gatePort
		}
		if p.try == nil {
			p.try = g.Try
		}
	}
	return kinds
}

// neighbour is a source that no prefix is on, beside one that some are.
func (k known) neighbour(r *rand.Rand) netip.Addr {
	for {
		a := pick(r, k.prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() && p.Bits() > 24 }).Addr().As4()
		for range 16 {
			a[3] = byte(r.IntN(256))
			s := netip.AddrFrom4(a)
			if !slices.ContainsFunc(k.prefixes, func(p netip.Prefix) bool { return p.Contains(s) }) {
				return s
			}
		}
	}
}

func pick[T any](r *rand.Rand, from []T, fits func(T) bool) T {
	for {
		if v := from[r.IntN(len(from))]; fits(v) {
			return v
		}
	}
}

// packets runs the program on one kind of packet after the other. In a self
// check, the reference stands for all.
func packets(ctx context.Context, b *bench, g *gate.Gate, k known, runs int) ([]report.Figure, error) {
	a := newAddresses(2)
	kinds := k.kinds(g, a)
	if b.selfCheck {
		for i := range kinds {
			kinds[i].try, kinds[i].want = gate.TryReference, gate.Passed
		}
	}
	err := interleave(ctx, b, kinds, packetName, func(_ int, p packet) (map[string]float64, error) {
		source := p.source(a.Rand)
		server := gateHost4
		if source.Is6() {
			server = gateHost6
		}
		trial, err := p.try(synFrame(netip.AddrPortFrom(source, 40_000), netip.AddrPortFrom(server, p.port), p.tags), runs)
		if err == nil && trial.Action != p.want {
			err = fmt.Errorf("a packet of %s met with action %d, not %d", source, trial.Action, p.want)
		}
		return map[string]float64{packetMeasure: float64(trial.Time.Nanoseconds())}, err
	})
	if err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, p := range kinds[1:] {
		f, err := report.Ratio(p.figure, b.samples, packetMeasure, p.name, reference)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// sentences measures how long it takes to condemn a source, beside all that are
// condemned already. What counts is the 99th percentile of the worst round: the
// slowest call is more often the machine's doing than the gate's.
func sentences(ctx context.Context, b *bench, g *gate.Gate, n int) (report.Figure, error) {
	a := newAddresses(3)
	err := interleave(ctx, b, []string{gateName}, sameName, func(int, string) (map[string]float64, error) {
		var took []float64
		for range n {
			source := a.clean4()
			start := time.Now()
			if err := g.Condemn(source, gate.Rule{For: forLong, Reason: "benchmark"}); err != nil {
				return nil, err
			}
			took = append(took, float64(time.Since(start).Nanoseconds())/1e3)
			if err := meets(g, source, gate.Dropped); err != nil {
				return nil, err
			}
		}
		slices.Sort(took)
		return map[string]float64{
			sentenceMeasure: took[(len(took)*99-1)/100], "sentence_p50_us": took[(len(took)-1)/2], "sentence_max_us": took[len(took)-1],
		}, nil
	})
	return report.Max(sentenceMeasure, b.samples, sentenceMeasure, gateName), err
}

// manyPrefixes measures how long it takes to load a list, beside all that is
// loaded already.
func manyPrefixes(ctx context.Context, b *bench, g *gate.Gate, size costSize) (report.Figure, error) {
	list := newAddresses(4).prefixes(size.many)
	defer func(rounds int) { b.rounds = rounds }(b.rounds)
	b.rounds = size.loads
	err := interleave(ctx, b, []string{gateName}, sameName, func(int, string) (map[string]float64, error) {
		start := time.Now()
		if err := g.ReplaceSet("many", list, gate.Rule{}); err != nil {
			return nil, err
		}
		took := time.Since(start)
		for _, p := range []netip.Prefix{list[0], list[len(list)/2], list[len(list)-1]} {
			if err := meets(g, p.Addr(), gate.Dropped); err != nil {
				return nil, err
			}
		}
		return map[string]float64{millionMeasure: took.Seconds()}, g.ReplaceSet("many", nil, gate.Rule{})
	})
	return report.Max(millionMeasure, b.samples, millionMeasure, gateName), err
}

// meets is an error unless that happens to a SYN of the source.
func meets(g *gate.Gate, source netip.Addr, want gate.Action) error {
	server := gateHost4
	if source.Is6() {
		server = gateHost6
	}
	trial, err := g.Try(synFrame(netip.AddrPortFrom(source, 40_000), netip.AddrPortFrom(server, gatePort), 0), 1)
	if err == nil && trial.Action != want {
		err = fmt.Errorf("a packet of %s met with action %d, not %d", source, trial.Action, want)
	}
	return err
}

func sameName(name string) string { return name }
