package telemetry

import (
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"testing"
)

func report(source string, at int64) *Report {
	return &Report{Source: netip.MustParseAddr(source), At: at}
}

func TestOffenderTable(t *testing.T) {
	table := NewOffenderTable()
	table.Add(&Report{Source: netip.MustParseAddr("192.0.2.1"), Offence: Throttled, At: 10, Until: 20})
	table.Add(&Report{Source: netip.MustParseAddr("192.0.2.1"), Offence: QuotaExceeded, At: 30, Until: 99})
	table.Add(&Report{Source: netip.MustParseAddr("::ffff:192.0.2.1"), Offence: Throttled, At: 5, Until: 6}) // of a loop drained later
	table.Add(&Report{Source: netip.MustParseAddr("2001:db8::1"), Offence: InvalidKey, At: 11})
	table.Add(report("2001:db8::ffff:0:0:1%eth0", 12))
	table.Add(report("2001:db8:0:1::1", 13))
	want := []Offender{
		{netip.MustParsePrefix("192.0.2.1/32"), 3, 5, 30, QuotaExceeded, 99},
		{netip.MustParsePrefix("2001:db8::/64"), 2, 11, 12, Throttled, 0},
		{netip.MustParsePrefix("2001:db8:0:1::/64"), 1, 13, 13, Throttled, 0},
	}
	if got := table.Top(10); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if got := table.Top(2); !reflect.DeepEqual(got, want[:2]) {
		t.Errorf("the first two: %v", got)
	}
	if got := append(table.Top(0), table.Top(-1)...); len(got) != 0 {
		t.Errorf("none: %v", got)
	}
}

func TestOffenderTableIsBounded(t *testing.T) {
	table := NewOffenderTable()
	source := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i>>8, i&255) }
	for i := range offenderSources {
		table.Add(report(source(i), int64(i)))
	}
	table.Add(report(source(0), 1<<20)) // seen again, so it stays
	for i := range 3 * offenderSources {
		table.Add(report(source(1<<15+i), 1<<20))
		if i == 0 {
			if left := table.Top(offenderSources); len(left) != offenderSources || left[0].Denied != 2 {
				t.Fatalf("%d sources, first %v", len(left), left[0])
			}
			if _, kept := table.places[netip.MustParsePrefix("10.0.0.1/32")]; kept {
				t.Error("the least recently seen stayed")
			}
		}
	}
	if n := len(table.Top(1 << 20)); n != offenderSources || len(table.places) != n || len(table.entries) != n+1 {
		t.Errorf("%d sources, %d places, %d entries", n, len(table.places), len(table.entries))
	}
	// The circle holds every source once, in both directions.
	for i, steps := table.entries[0].next, 0; ; i, steps = table.entries[i].next, steps+1 {
		if i == 0 {
			if steps != offenderSources {
				t.Errorf("the circle has %d sources", steps)
			}
			break
		}
		if table.entries[table.entries[i].next].previous != i || table.places[table.entries[i].Source] != i {
			t.Fatalf("entry %d is linked wrongly", i)
		}
	}
}

func TestOffenderTableWhileItIsRead(t *testing.T) {
	table := NewOffenderTable()
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for range 200 {
				table.Top(5)
			}
		})
	}
	for i := range 5000 {
		table.Add(report(fmt.Sprintf("10.0.0.%d", i%256), int64(i)))
	}
	readers.Wait()
	if got := table.Top(1)[0].Denied; got != 20 {
		t.Errorf("the first was denied %d times", got)
	}
}

func BenchmarkOffenderTableAdd(b *testing.B) {
	table := NewOffenderTable()
	addr := [4]byte{10}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		addr[1], addr[2], addr[3] = byte(i>>16), byte(i>>8), byte(i)
		table.Add(&Report{Source: netip.AddrFrom4(addr), At: int64(i)})
	}
}
