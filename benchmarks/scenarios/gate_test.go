package scenarios

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/internal/need"
)

// gateBench is a short run. nginx takes Tidegate's place where there is no binary.
func gateBench(t *testing.T, rounds int, window time.Duration) *bench {
	t.Helper()
	need.Root(t)
	need.Tool(t, "ip")
	b := &bench{dir: t.TempDir(), rounds: rounds, window: window, log: io.Discard, tidegate: rivals.Nginx.As(rivals.TidegateName)}
	t.Cleanup(b.stopAll)
	return b
}

// startBackend is for scenarios that start servers.
func (b *bench) startBackend(t *testing.T) {
	t.Helper()
	need.Tool(t, "nginx")
	var err error
	if b.backend, err = b.start(context.Background(), rivals.Backend, rivals.Site{}, "/"); err != nil {
		t.Fatal(err)
	}
}

func TestGateCost(t *testing.T) {
	for _, selfCheck := range []bool{false, true} {
		b := gateBench(t, 3, 0)
		b.selfCheck = selfCheck
		figures, err := b.compareCost(context.Background(), costSize{
			prefixes: 2000, sentences: 2000, runs: 2000, condemned: 100, many: 5000, loads: 2,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !selfCheck {
			allTaken(t, "gate-cost", figures)
			continue
		}
		for _, f := range figures {
			if f.Value < 0.2 || f.Value > 5 {
				t.Errorf("self check: %s is %v", f.Name, f.Value)
			}
		}
	}
}

// What the gate is told of, and what it is not, are apart.
func TestGateAddresses(t *testing.T) {
	a := newAddresses(1)
	prefixes, sources := a.prefixes(3000), a.sources(3000)
	four := 0
	for _, p := range prefixes {
		if p != p.Masked() {
			t.Fatalf("%s is not masked", p)
		}
		if p.Addr().Is4() {
			four++
		}
		for _, s := range append(sources[:100:100], a.clean4(), a.clean6()) {
			if p.Contains(s) {
				t.Fatalf("%s contains %s", p, s)
			}
		}
	}
	if four != 2250 {
		t.Errorf("%d of 3000 prefixes are IPv4", four)
	}
	again := newAddresses(1)
	if got := again.prefixes(3000); got[2999] != prefixes[2999] {
		t.Error("the same seed makes others")
	}
	k := known{prefixes: prefixes}
	for range 20 {
		s := k.neighbour(a.Rand)
		for _, p := range prefixes {
			if p.Contains(s) {
				t.Fatalf("the neighbour %s is in %s", s, p)
			}
		}
	}
}

func TestSynFrame(t *testing.T) {
	client := netip.MustParseAddrPort("192.0.2.1:5000")
	for tags, want := range map[int]string{0: "\x08\x00E", 1: "\x81\x00\x00\x07\x08\x00E", 2: "\x88\xa8\x00\x07\x81\x00\x00\x07\x08\x00E"} {
		frame := string(synFrame(client, netip.MustParseAddrPort("192.0.2.2:80"), tags))
		if !strings.HasPrefix(frame[12:], want) || len(frame) != 14+4*tags+20+40 {
			t.Errorf("with %d tags: % x", tags, frame)
		}
	}
	six := synFrame(netip.MustParseAddrPort("[2001:db8::1]:5000"), netip.MustParseAddrPort("[2001:db8::2]:80"), 0)
	if len(six) != 14+40+40 || six[12] != 0x86 || six[14] != 0x60 {
		t.Errorf("IPv6: % x", six)
	}
}

func TestGateRefuse(t *testing.T) {
	b := gateBench(t, 1, 80*time.Millisecond)
	b.startBackend(t)
	figures, err := gateRefuse(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "gate-refuse", figures)
	for name, want := range map[string]float64{gateRespond: 3, gateDrop: 1, gateRespond + saturated: 3, gateDrop + saturated: 1} { // a handshake, a request, a close
		if got := report.Values(b.samples, name, "packets_per_refusal"); len(got) != 1 || got[0] < want || got[0] > 4*want {
			t.Errorf("%s took %v packets", name, got)
		}
	}
	b.selfCheck = true
	if _, err := gateRefuse(context.Background(), b); !errors.As(err, new(*Skipped)) {
		t.Errorf("self check: %v", err)
	}
}

// What was not refused as it should is no refusal.
func TestRefusedAll(t *testing.T) {
	for name, c := range map[string]struct {
		style gate.Style
		s     load.FreshSummary
		ok    bool
	}{
		"answered":            {gate.Respond, load.FreshSummary{Opened: 2, Status: map[int]int64{429: 2}}, true},
		"one served":          {gate.Respond, load.FreshSummary{Opened: 2, Status: map[int]int64{429: 1, 200: 1}}, false},
		"dropped":             {gate.Drop, load.FreshSummary{Opened: 2, Silent: 2}, true},
		"one reset":           {gate.Drop, load.FreshSummary{Opened: 2, Silent: 1, Reset: 1}, false},
		"nothing, dropped":    {gate.Drop, load.FreshSummary{}, false},
		"nothing, in respond": {gate.Respond, load.FreshSummary{}, false},
	} {
		if err := (refuser{style: c.style}).refusedAll(c.s); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every defence does to the attacker what it is named for.
func TestGateAttack(t *testing.T) {
	need.Tool(t, "nft")
	need.Tool(t, "wrk")
	b := gateBench(t, 1, time.Second)
	b.startBackend(t)
	field, err := b.battlefield()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	srv, err := b.start(ctx, b.tidegate, refusingSite(b.backend, field.here[0], rivals.ByLimit), servedPath)
	if err != nil {
		t.Fatal(err)
	}
	field.rate = 200
	happens := map[string]func(load.FreshSummary) int64{
		elsewhere: reset, gateReset: reset, nginxElsewhere: reset,
		withoutGate: answered, gateRespond: answered, nginxLimitReq: answered,
		gateDrop: silent, nftablesDrop: silent,
	}
	defences := field.defences(srv, srv)
	for _, d := range defences {
		var s load.FreshSummary
		err := d.with(func() error {
			attack, err := field.attack(ctx, d.server, d.aside)
			if err != nil {
				return err
			}
			time.Sleep(200 * time.Millisecond)
			s, err = attack.Stop()
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if n := happens[d.name](s); s.Opened == 0 || n < s.Opened*9/10 {
			t.Errorf("%s: only so to %d: %+v", d.name, n, s)
		}
	}
	values, err := field.turn(ctx, defences[1], b.window)
	if err != nil || values[throughputMeasure] < 100 || values[p99Measure] <= 0 || values["attacks_per_second"] < 100 {
		t.Errorf("a turn: %v, %v", values, err)
	}
	for _, d := range defences {
		b.samples = append(b.samples, report.Sample{Rival: d.name, Values: values})
	}
	figures, err := attackFigures(b.samples)
	if err != nil {
		t.Fatal(err)
	}
	allTaken(t, "gate-attack", figures)
}

func answered(s load.FreshSummary) int64 { return s.Status[429] }
func reset(s load.FreshSummary) int64    { return s.Reset }
func silent(s load.FreshSummary) int64   { return s.Silent }

// Without root a scenario that takes it is skipped, and says why.
func TestSkipped(t *testing.T) {
	s, err := Find("gate-cost")
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		_, err := s[0].Run(context.Background(), Options{Log: io.Discard})
		if skipped := new(Skipped); !errors.As(err, &skipped) || skipped.Why != "it takes root" {
			t.Errorf("got %v", err)
		}
		return
	}
	lacking := Scenario{Name: "test", InProcess: true, Root: true, run: func(_ context.Context, b *bench) ([]report.Figure, error) {
		_, err := gate.Open(gate.Options{Dir: filepath.Join(b.dir, "gate")})
		return nil, err
	}}
	_, err = lacking.Run(context.Background(), Options{Log: io.Discard})
	if skipped := new(Skipped); !errors.As(err, &skipped) || !strings.Contains(err.Error(), "scenario test: the kernel gate is off, for lack of a BPF file system") {
		t.Errorf("without a BPF file system: %v", err)
	}
}
