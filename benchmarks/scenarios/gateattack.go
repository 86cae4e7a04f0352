package scenarios

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
	"github.com/tidegate/tidegate/bpf/gate"
)

const (
	p99Measure = "p99_us"

	elsewhere      = "attack-elsewhere" // at a port without a listener: what the attacker itself takes
	withoutGate    = "without-gate"
	gateReset      = "gate-reset"
	nftablesDrop   = "nftables-drop"
	nginxElsewhere = "nginx-attack-elsewhere"
	nginxLimitReq  = "nginx-limit-req"

	firstRate = 4_000.0 // connections per second of the attacker
	lastRate  = 32_000.0

	hostCPU, clientCPU = 0, 1
)

// battlefield is a server with two clients, on links of their own.
type battlefield struct {
	host             *gateHost
	honest, attacker network.End
	here             [2]network.End // the ends of both on the host
	rate             float64        // of the attacker
}

// defence is what stands between the attacker and the server in a turn.
type defence struct {
	name   string
	server *rivals.Server
	aside  bool // the attack does not go to the server
	with   func(f func() error) error
}

func defenceName(d defence) string { return d.name }

// gateAttack gives an honest client all that it can take of the server beside an
// attacker, with and without what may keep that one out.
func gateAttack(ctx context.Context, b *bench) ([]report.Figure, error) {
	if b.selfCheck {
		return nil, b.noSelfCheck()
	}
	field, err := b.battlefield()
	if err != nil {
		return nil, err
	}
	var servers []*rivals.Server
	for _, r := range []rivals.Rival{b.tidegate, rivals.Nginx} {
		srv, err := b.start(ctx, r, refusingSite(b.backend, field.here[0], rivals.ByLimit), servedPath)
		if err != nil {
			return nil, err
		}
		servers = append(servers, srv)
	}
	if err := field.calibrate(ctx, b, servers[0]); err != nil {
		return nil, err
	}
	defences := field.defences(servers[0], servers[1])
	err = interleave(ctx, b, defences, defenceName, func(_ int, d defence) (values map[string]float64, err error) {
		err = d.with(func() error {
			values, err = field.turn(ctx, d, b.window)
			return err
		})
		return values, err
	})
	if err != nil {
		return nil, err
	}
	return attackFigures(b.samples)
}

func (b *bench) battlefield() (*battlefield, error) {
	if n := runtime.NumCPU(); n < 2 {
		return nil, fmt.Errorf("2 CPUs are needed, one for the host and one for its clients, and there is %d", n)
	}
	h, err := b.newGateHost(hostCPU)
	if err != nil {
		return nil, err
	}
	f := &battlefield{host: h}
	if f.honest, f.here[0], err = b.newClient(h, clientCPU, 1); err != nil {
		return nil, err
	}
	if f.attacker, f.here[1], err = b.newClient(h, clientCPU, 2); err != nil {
		return nil, err
	}
	// Both reach the server at the one address that it listens on.
	return f, f.attacker.Host.IP("route", "add", f.here[0].Address.String(), "via", f.here[1].Address.String())
}

// defences are the turns of a round.
func (f *battlefield) defences(server, nginx *rivals.Server) []defence {
	return []defence{
		{name: elsewhere, server: server, aside: true, with: nothing},
		{name: withoutGate, server: server, with: nothing},
		{name: gateDrop, server: server, with: f.gate(server, gate.Drop)},
		{name: gateReset, server: server, with: f.gate(server, gate.Reset)},
		{name: gateRespond, server: server, with: f.gate(server, gate.Respond)},
		{name: nftablesDrop, server: server, with: f.nftables(server)},
		{name: nginxElsewhere, server: nginx, aside: true, with: nothing},
		{name: nginxLimitReq, server: nginx, with: nothing},
	}
}

func nothing(f func() error) error { return f() }

// gate has the gate on both interfaces, so that the honest client's packets pay
// for it too.
func (f *battlefield) gate(server *rivals.Server, style gate.Style) func(func() error) error {
	return func(during func() error) error {
		interfaces := []string{f.here[0].Interface, f.here[1].Interface}
		return f.host.refusing(interfaces, server, style, f.attacker.Address, func(*gate.Gate) error { return during() })
	}
}

// nftables drops the attacker's packets where it costs the least: before
// connection tracking and routing.
func (f *battlefield) nftables(server *rivals.Server) func(func() error) error {
	return func(during func() error) error {
		address, err := netip.ParseAddrPort(server.Address())
		if err != nil {
			return err
		}
		rules := fmt.Sprintf("table ip benchmark { chain early { type filter hook prerouting priority raw; ip saddr %s tcp dport %d drop; }; }",
			f.attacker.Address, address.Port())
		if err := f.host.Run("nft", rules); err != nil {
			return err
		}
		err = during()
		if gone := f.host.Run("nft", "delete table ip benchmark"); err == nil {
			err = gone
		}
		return err
	}
}

// attack begins at a server, or at a port of its host on which nobody listens.
func (f *battlefield) attack(ctx context.Context, server *rivals.Server, aside bool) (*load.FreshLoad, error) {
	address := server.Address()
	if aside {
		address = netip.AddrPortFrom(f.here[0].Address, 9).String()
	}
	return load.Fresh{
		Address: address, Host: server.Hosts[1], Path: refusedPath, Connections: 8192, Rate: f.rate,
		Patience: 100 * time.Millisecond, Duration: time.Minute, From: f.attacker.Host,
	}.Start(ctx)
}

// honestLoad is what the honest client asks for, as fast as it is answered.
func (f *battlefield) honestLoad(ctx context.Context, server *rivals.Server, d time.Duration) (load.Summary, error) {
	return load.Wrk{URL: server.URL + servedPath, Connections: connections, Duration: d, From: f.honest.Host}.Run(ctx)
}

// turn measures the honest client while the attack goes on.
func (f *battlefield) turn(ctx context.Context, d defence, window time.Duration) (map[string]float64, error) {
	attack, err := f.attack(ctx, d.server, d.aside)
	if err != nil {
		return nil, err
	}
	waited := pause(ctx, 100*time.Millisecond)
	honest, err := f.honestLoad(ctx, d.server, window)
	attacked, failed := attack.Stop()
	for _, err := range []error{waited, err, failed} {
		if err != nil {
			return nil, err
		}
	}
	return map[string]float64{
		throughputMeasure:       honest.RequestsPerSecond(),
		p99Measure:              honest.P99,
		"p50_us":                honest.P50,
		"attacks_per_second":    attacked.PerSecond(),
		"attacks_answered":      float64(attacked.Status[429]) / float64(attacked.Opened),
		"attacks_reset":         float64(attacked.Reset) / float64(attacked.Opened),
		"attacks_without_reply": float64(attacked.Silent) / float64(attacked.Opened),
	}, nil
}

// calibrate doubles the attacker's rate until the honest client gets half of what
// it gets while the attack goes elsewhere, twice in a row: once may be chance.
func (f *battlefield) calibrate(ctx context.Context, b *bench, server *rivals.Server) error {
	for f.rate = firstRate; ; f.rate *= 2 {
		halved := true
		for try := 0; halved && try < 2; try++ {
			kept, err := f.kept(ctx, server)
			if err != nil {
				return err
			}
			b.logf("%.0f connections per second leave the honest client %.2f of its requests", f.rate, kept)
			halved = kept <= 0.5
		}
		if halved || f.rate >= lastRate {
			return nil
		}
	}
}

// kept is the share of the honest client's throughput that an attack leaves.
func (f *battlefield) kept(ctx context.Context, server *rivals.Server) (float64, error) {
	var throughput [2]float64
	for i, d := range []defence{{server: server, aside: true}, {server: server}} {
		values, err := f.turn(ctx, d, time.Second)
		if err != nil {
			return 0, err
		}
		throughput[i] = values[throughputMeasure]
	}
	return throughput[1] / throughput[0], nil
}

// attackFigures compares every defence with the attack that goes elsewhere.
func attackFigures(samples []report.Sample) ([]report.Figure, error) {
	var figures []report.Figure
	for _, c := range []struct{ throughput, p99, defended, undisturbed string }{
		{"throughput_kept", "p99_ratio", gateReset, elsewhere},
		{"drop_throughput_kept", "drop_p99_ratio", gateDrop, elsewhere},
		{"respond_throughput_kept", "respond_p99_ratio", gateRespond, elsewhere},
		{"nftables_throughput_kept", "nftables_p99_ratio", nftablesDrop, elsewhere},
		{"nginx_throughput_kept", "nginx_p99_ratio", nginxLimitReq, nginxElsewhere},
		{"undefended_throughput_kept", "undefended_p99_ratio", withoutGate, elsewhere},
	} {
		kept, err := report.Ratio(c.throughput, samples, throughputMeasure, c.defended, c.undisturbed)
		if err != nil {
			return nil, err
		}
		p99, err := report.RatioOfMedians(c.p99, samples, p99Measure, c.defended, c.undisturbed)
		if err != nil {
			return nil, err
		}
		figures = append(figures, kept, p99)
	}
	return figures, nil
}
