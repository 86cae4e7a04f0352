package scenarios

import (
	"context"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/bpf/gate"
)

// idleProgram is a program that does nothing but drop what may be a SYN, by its length
// alone, or pass everything. What the kernel says of its run time is the price of
// calling and measuring a program.
func idleProgram(drops bool) (*ebpf.Program, error) {
	const longestARP = 60 // bytes of a frame
	longest := int32(math.MaxInt32)
	if drops {
		longest = longestARP
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "nothing", Type: ebpf.XDP, License: "Dual BSD/GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, 0, asm.Word), // data
			asm.LoadMem(asm.R3, asm.R1, 4, asm.Word), // data_end
			asm.Sub.Reg(asm.R3, asm.R2),
			asm.Mov.Imm(asm.R0, int32(gate.Passed)),
			asm.JLE.Imm(asm.R3, longest, "out"),
			asm.Mov.Imm(asm.R0, int32(gate.Dropped)),
			asm.Return().WithSymbol("out"),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("load a program that does nothing: %w", err)
	}
	return p, nil
}

// inNothing is inKernel with such a program in the gate's place. What passes is the
// server's to refuse.
func (r refuser) inNothing(ctx context.Context, client, here network.End, d time.Duration) (values map[string]float64, err error) {
	p, err := idleProgram(r.style == gate.Drop)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	err = here.Host.Do(func() error {
		i, err := net.InterfaceByName(here.Interface)
		if err != nil {
			return err
		}
		l, err := link.AttachXDP(link.XDPOptions{Program: p, Interface: i.Index, Flags: link.XDPGenericMode})
		if err != nil {
			return fmt.Errorf("attach a program that does nothing to %s: %w", here.Interface, err)
		}
		defer l.Close()
		values, err = r.measured(ctx, client, d, func() (runs uint64, took time.Duration, err error) {
			stats, err := p.Stats()
			if err != nil {
				return 0, 0, fmt.Errorf("ask what a program that does nothing took: %w", err)
			}
			return stats.RunCount, stats.Runtime, nil
		})
		return err
	})
	return values, err
}

// netMeasure is refusalMeasure, of a program less what one that does nothing took for as
// many packets in the same round.
const netMeasure = "net_us_per_refusal"

// addNet adds the net measure to the samples.
func addNet(samples []report.Sample) {
	type turn struct {
		round int
		name  string
	}
	price := map[turn]float64{}
	for _, s := range samples {
		if of, ok := strings.CutPrefix(s.Rival, nothingBefore); ok {
			price[turn{s.Round, of}] = s.Values[packetMeasure]
		}
	}
	for _, s := range samples {
		s.Values[netMeasure] = s.Values[refusalMeasure] - s.Values[packetsMeasure]*price[turn{s.Round, s.Rival}]/1e3
	}
}
