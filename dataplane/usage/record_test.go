package usage

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func someTotal(n int64) total {
	return total{key: uint64(n), Usage: definition.Usage{
		PlanID: "gold01", Day: 20000 + n, Used: n, Remaining: 7,
		Period: definition.PeriodMonth, Window: 600, WindowUsed: 3 * n, Granted: -n,
	}}
}

func segmentOf(n int64) []byte {
	b := []byte(magic)
	for i := range n {
		b = appendRecord(b, someTotal(i))
	}
	return b
}

func TestSegment(t *testing.T) {
	whole := segmentOf(3)
	damaged := bytes.Clone(whole)
	damaged[len(magic)+recordSize+40] ^= 1
	for _, tt := range []struct {
		says string
		in   []byte
		want int64
		torn bool
		err  string
	}{
		{"whole", whole, 3, false, ""},
		{"no records", whole[:len(magic)], 0, false, ""},
		{"nothing at all", nil, 0, false, ""},
		{"torn magic", whole[:5], 0, true, ""},
		{"torn record", whole[:len(whole)-1], 2, true, ""},
		{"a byte more", append(bytes.Clone(whole), 0), 3, true, ""},
		{"zeros behind, as after a power loss", append(bytes.Clone(whole), make([]byte, 4096)...), 3, true, ""},
		{"damage within", damaged, 1, true, ""},
		{"another version", []byte("tidegate usage 2 and more"), 0, false, "another version"},
		{"another file", []byte("x"), 0, false, "not ours"},
	} {
		got := int64(0)
		torn, err := readSegment(bytes.NewReader(tt.in), func(u total) {
			if u != someTotal(got) {
				t.Errorf("%s: record %d is %+v", tt.says, got, u)
			}
			got++
		})
		if got != tt.want || torn != tt.torn || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %d records, torn %v, %v", tt.says, got, torn, err)
		}
	}
}

func TestRecordWithoutQuota(t *testing.T) {
	in := total{key: keyNumbers - 1, Usage: definition.Usage{PlanID: "an-id-of-16-char", Used: 1, Remaining: definition.NoQuota}}
	if out, ok := parseRecord(appendRecord(nil, in)); !ok || out != in {
		t.Errorf("%+v became %+v", in, out)
	}
}

// FuzzSegment reads anything without harm: what it restores it can write, and a
// store takes.
func FuzzSegment(f *testing.F) {
	f.Add(segmentOf(2), true)
	f.Add(segmentOf(1)[:50], false)
	f.Add(make([]byte, recordSize), true)
	f.Fuzz(func(t *testing.T, in []byte, seal bool) {
		if seal { // get past the checksum
			in = append([]byte(magic), in...)
			for at := len(magic); at+recordSize <= len(in); at += recordSize {
				sealRecord(in[at : at+recordSize])
			}
		}
		s := newFixture(t)
		s.deploy(onProd("gold01", definition.UsagePlan{Quota: &definition.Quota{Limit: 10, Period: definition.PeriodMonth}}))
		_, _ = readSegment(bytes.NewReader(in), func(u total) {
			if again, ok := parseRecord(appendRecord(nil, u)); !ok || again != u {
				t.Fatalf("%+v became %+v", u, again)
			}
			s.key(formatID(u.key), "gold01")
			s.restore(u, true)
		})
		s.untouch(s.takeTouched(), func(u total) {
			if u.Used < 0 || u.WindowUsed < 0 || u.Remaining < 0 || u.Day < 0 {
				t.Fatalf("restored %+v", u)
			}
		})
	})
}
