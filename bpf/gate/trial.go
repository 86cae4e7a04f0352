package gate

import (
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Action is what the kernel does with a packet.
type Action uint32

// Actions. Source: linux/bpf.h, enum xdp_action.
const (
	Dropped  Action = 1
	Passed   Action = 2
	Answered Action = 3
)

// Trial is one frame put through the program, without an interface.
type Trial struct {
	Action Action
	Frame  []byte        // as it left the program
	Time   time.Duration // of one run, if there were several
}

// Try runs the program on an Ethernet frame of at least 14 bytes, and then repeat
// times more to measure it, if repeat is more than 1. The kernel's stack never
// sees the frame; the counters do.
func (g *Gate) Try(frame []byte, repeat int) (Trial, error) {
	return try(g.objects.Gate, frame, repeat)
}

func try(p *ebpf.Program, frame []byte, repeat int) (Trial, error) {
	o := ebpf.RunOptions{Data: frame, DataOut: make([]byte, len(frame)+1024)}
	action, err := p.Run(&o)
	if err != nil {
		return Trial{}, fmt.Errorf("run the gate's program: %w", err)
	}
	trial := Trial{Action: Action(action), Frame: o.DataOut}
	if repeat > 1 {
		if _, trial.Time, err = p.Benchmark(frame, repeat, nil); err != nil {
			return Trial{}, fmt.Errorf("measure the gate's program: %w", err)
		}
	}
	return trial, nil
}

// TryReference runs a program that looks one key up in a hash and returns: the
// yardstick for Try on the same host at the same time.
func TryReference(frame []byte, repeat int) (Trial, error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 8, MaxEntries: 1024})
	if err != nil {
		return Trial{}, fmt.Errorf("make the reference map: %w", err)
	}
	defer m.Close()
	const key = 7
	if err := m.Put(uint32(key), uint64(1)); err != nil {
		return Trial{}, fmt.Errorf("fill the reference map: %w", err)
	}
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.XDP, License: "Dual BSD/GPL", Instructions: asm.Instructions{
		asm.StoreImm(asm.R10, -4, key, asm.Word),
		asm.Mov.Reg(asm.R2, asm.R10),
		asm.Add.Imm(asm.R2, -4),
		asm.LoadMapPtr(asm.R1, m.FD()),
		asm.FnMapLookupElem.Call(),
		asm.Mov.Imm(asm.R0, int32(Passed)),
		asm.Return(),
	}})
	if err != nil {
		return Trial{}, fmt.Errorf("load the reference program: %w", err)
	}
	defer p.Close()
	return try(p, frame, repeat)
}
