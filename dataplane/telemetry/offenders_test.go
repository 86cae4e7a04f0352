package telemetry

import (
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"unsafe"
)

func TestOffendersKeepReports(t *testing.T) {
	o := NewOffenders(2)
	in := []Report{
		{Source: netip.MustParseAddr("192.0.2.7"), Offence: QuotaExceeded, At: 5, Until: 9},
		{Source: netip.MustParseAddr("2001:db8::7%eth0"), Offence: InvalidKey, At: -1, APIID: [10]byte{'a'}, KeyID: [10]byte{9: 'k'}},
		{Source: netip.MustParseAddr("::ffff:192.0.2.8"), At: 7},
	}
	for i := range in {
		o.Report(i%2, &in[i])
	}
	in[1].Source = netip.MustParseAddr("2001:db8::7")
	in[2].Source = netip.MustParseAddr("192.0.2.8")
	want := []Report{in[0], in[2], in[1]} // shard by shard
	var got []Report
	o.Drain(func(r *Report) { got = append(got, *r) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	o.Drain(func(r *Report) { t.Errorf("drained twice: %v", *r) })
}

func TestOffendersOverflow(t *testing.T) {
	o := NewOffenders(1)
	for round := range 3 { // the ring goes round
		for i := range int64(offenderSlots + 10) {
			o.Report(0, &Report{At: i})
		}
		var next int64
		o.Drain(func(r *Report) {
			if r.At != next {
				t.Fatalf("got report %d, want %d", r.At, next)
			}
			next++
			o.Report(0, &Report{At: next}) // waits for the next call
		})
		again := 0
		o.Drain(func(*Report) { again++ })
		if next != offenderSlots || again != offenderSlots {
			t.Errorf("got %d reports, then %d", next, again)
		}
		o.Report(0, &Report{})
		o.Drain(func(*Report) {})
		if got, want := o.Dropped(), uint64(10*(round+1)); got != want {
			t.Errorf("dropped %d, want %d", got, want)
		}
	}
}

func TestOffendersConcurrently(t *testing.T) {
	const shards, each = 2, 50_000
	o := NewOffenders(shards)
	var producers sync.WaitGroup
	for shard := range shards {
		producers.Go(func() {
			for i := range int64(each) {
				// Torn reports would have parts that do not agree.
				o.Report(shard, &Report{At: i, Until: -i, APIID: [10]byte{byte(shard)}, KeyID: [10]byte{byte(i)}})
			}
		})
	}
	done := make(chan struct{})
	go func() { producers.Wait(); close(done) }()
	var got uint64
	last := [shards]int64{-1, -1}
	drain := func() {
		o.Drain(func(r *Report) {
			got++
			if shard := r.APIID[0]; r.At <= last[shard] || r.Until != -r.At || r.KeyID[0] != byte(r.At) {
				t.Errorf("got %v after %d", *r, last[shard])
			} else {
				last[shard] = r.At
			}
		})
	}
	for running := true; running; drain() {
		select {
		case <-done:
			running = false
		default:
		}
	}
	if got != o.Reported() || got+o.Dropped() != shards*each {
		t.Errorf("drained %d of %d, dropped %d", got, o.Reported(), o.Dropped())
	}
}

func TestOffendersAreSmallAndFree(t *testing.T) {
	if n := unsafe.Sizeof(Report{}); n > 64 {
		t.Errorf("a report has %d bytes", n)
	}
	if n := unsafe.Sizeof(offenderSlot{}); n > 64 {
		t.Errorf("a slot has %d bytes", n)
	}
	slot := reflect.TypeFor[offenderSlot]()
	for i := range slot.NumField() {
		field := slot.Field(i).Type
		if field.Kind() == reflect.Array {
			field = field.Elem()
		}
		if k := field.Kind(); k > reflect.Uint64 {
			t.Errorf("%s has pointers", slot.Field(i).Name)
		}
	}
	o := NewOffenders(1)
	source := netip.MustParseAddr("192.0.2.7")
	f := func(*Report) {}
	if n := testing.AllocsPerRun(5000, func() { // fills the queue too
		r := Report{Source: source, At: 1}
		o.Report(0, &r)
	}); n != 0 {
		t.Errorf("%v allocations per report", n)
	}
	if n := testing.AllocsPerRun(10, func() { o.Drain(f) }); n > 1 { // the Report that f gets
		t.Errorf("%v allocations per drain", n)
	}
}

func TestOffenceNames(t *testing.T) {
	for offence, want := range map[Offence]string{Throttled: "THROTTLED", QuotaExceeded: "QUOTA_EXCEEDED", InvalidKey: "INVALID_API_KEY", 99: "unknown"} {
		if got := offence.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	o := NewOffenders(1)
	r := Report{Source: netip.MustParseAddr("192.0.2.7"), At: 1}
	f := func(*Report) {}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o.Report(0, &r)
		if i%1024 == 0 {
			o.Drain(f)
		}
	}
}
