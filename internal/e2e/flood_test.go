package e2e

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSpoofedFlood (R37): nobody is shut out by packets that somebody else
// sends in his name, however many, and he is served meanwhile.
func TestSpoofedFlood(t *testing.T) {
	t.Parallel()
	g := guard(t, 2, host{more: "kernel_gate: {interfaces: [veth1, veth2], pin_dir: PINS, sentences: {denials: 2}}"})
	g.free(t, 10)
	victim := g.clients[2].IPv4
	w := tap(t, g.clients[1])
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		random := rand.New(rand.NewPCG(1, 2))
		for n := 0; ; n++ {
			select {
			case <-stop:
				sent <- n
				return
			default:
			}
			if n%64 == 63 {
				time.Sleep(time.Millisecond) // leave something to others on this machine
			}
			source := netip.AddrFrom4([4]byte{198, 18, byte(random.Uint32()), byte(random.Uint32())})
			if n%2 == 0 {
				source = victim
			}
			s := segment{from: netip.AddrPortFrom(source, uint16(1024+random.IntN(60000))), to: netip.AddrPortFrom(g.ends[1].IPv4, 8080), flags: flagSYN}
			w.send(s.frames(g.clients[1].MAC, g.ends[1].MAC, false)[0])
		}
	}()
	visits := func(during time.Duration) (took []time.Duration) {
		for end := time.Now().Add(during); time.Now().Before(end); {
			began := time.Now()
			if status, _, body := g.visit(2, public, "/prod/free"); status != 200 {
				t.Errorf("the victim is answered %d %s", status, body)
				break
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took
	}
	flooded := visits(span(1500*time.Millisecond, 30*time.Second))
	close(stop)
	forged := <-sent
	calm := visits(span(500*time.Millisecond, 10*time.Second))
	if t.Failed() {
		return
	}
	p99 := func(took []time.Duration) time.Duration { return took[len(took)*99/100] }
	found(t, "R37", "%d forged packets, %d visits of the victim served, p99 %s, %s without them", forged, len(flooded), tenths(p99(flooded)), tenths(p99(calm)))
	if got := g.sentences(); len(got) != 0 {
		t.Errorf("shut out: %v", got)
	}
	if m := g.metrics(t); !strings.Contains(m, "\ntidegate_gate_sentences 0\n") || !strings.Contains(m, "\ntidegate_gate_prefixes 2\n") {
		t.Error("the gate's maps changed")
	}
}
