package prefixlist

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.0/24":             "192.0.2.0/24",
		"192.0.2.7":                "192.0.2.7/32",
		"2001:db8::/32":            "2001:db8::/32",
		"2001:db8::1":              "2001:db8::1/128",
		"::ffff:192.0.2.7":         "192.0.2.7/32",
		"192.0.2.7/24":             `"192.0.2.7/24" has bits beyond the prefix; write 192.0.2.0/24`,
		"0.0.0.0/0":                `"0.0.0.0/0" is every address; name the networks you mean`,
		"::/0":                     `"::/0" is every address; name the networks you mean`,
		"::ffff:192.0.2.0/120":     `"::ffff:192.0.2.0/120" is IPv4 written as IPv6; write it as IPv4`,
		"fe80::1%eth0":             `"fe80::1%eth0" has a zone; write the address without %eth0`,
		"192.0.2.0/33":             `"192.0.2.0/33" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`,
		"example.com":              `"example.com" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`,
		"":                         `"" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`,
		strings.Repeat("x", 10000): `"` + strings.Repeat("x", 60) + `…" is not a network; write one like 192.0.2.0/24 or 2001:db8::/32, or an address`,
	} {
		p, err := Parse(text)
		got := p.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.70q: %s, want %s", text, got, want)
		}
	}
}

func TestRead(t *testing.T) {
	list, err := Read("deny.txt", strings.NewReader("# bots\n\n 192.0.2.0/24\t# a comment\r\n2001:db8::1\n10.0.0.1"), 3)
	if got := fmt.Sprint(list); err != nil || got != "[192.0.2.0/24 2001:db8::1/128 10.0.0.1/32]" {
		t.Errorf("%s, %v", got, err)
	}
	_, err = Read("deny.txt", strings.NewReader("192.0.2.0/24\n# x\nbots"), 3)
	if err == nil || !strings.HasPrefix(err.Error(), `deny.txt:3: "bots" is not a network`) {
		t.Errorf("%v", err)
	}
	if _, err = Read("deny.txt", strings.NewReader("10.0.0.1\n10.0.0.2"), 1); !errors.Is(err, ErrTooMany) || !strings.HasPrefix(err.Error(), "deny.txt:2: ") {
		t.Errorf("too many: %v", err)
	}
	if _, err = Read("deny.txt", strings.NewReader("10.0.0.1\n"+strings.Repeat(" ", 2*maxLine)), 9); err == nil || !strings.HasPrefix(err.Error(), "deny.txt:2: ") {
		t.Errorf("a long line: %v", err)
	}
}

func TestWithin(t *testing.T) {
	list := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for text, want := range map[string]bool{"10.1.0.0/16": true, "10.0.0.0/8": true, "10.0.0.0/7": false, "11.0.0.0/8": false, "2001:db8:1::/48": true, "2001::/16": false} {
		if _, got := Within(list, netip.MustParsePrefix(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// naive is the specification of Match.
func naive(entries []Entry, addr netip.Addr, now int64) (best int, denied bool) {
	best = -1
	for _, e := range entries {
		if e.Prefix.Contains(addr.Unmap()) && (e.Until == 0 || e.Until > now) && e.Prefix.Bits() > best {
			best, denied = e.Prefix.Bits(), !e.Allow
		}
	}
	return best, denied
}

func TestMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr { // few, so that networks nest
		if random.IntN(2) == 0 {
			return netip.AddrFrom4([4]byte{10, byte(random.IntN(4)), byte(random.IntN(2)), byte(random.IntN(4))})
		}
		return netip.AddrFrom16([16]byte{0: 0x20, 1: byte(random.IntN(2)), 7: byte(random.IntN(4)), 8: byte(random.IntN(4)), 15: byte(random.IntN(4))})
	}
	for range 300 {
		var entries []Entry
		seen := map[netip.Prefix]bool{}
		for range random.IntN(30) {
			a := address()
			p, err := a.Prefix(1 + random.IntN(a.BitLen()))
			if err != nil {
				t.Fatal(err)
			}
			if !seen[p] {
				seen[p] = true
				entries = append(entries, Entry{Prefix: p, Allow: random.IntN(3) == 0, Until: int64(random.IntN(4))})
			}
		}
		table := Compile(entries)
		if table.Len() != len(entries) {
			t.Fatalf("%d of %d", table.Len(), len(entries))
		}
		for range 200 {
			addr, now := address(), int64(random.IntN(4))
			if random.IntN(4) == 0 && addr.Is4() {
				addr = netip.AddrFrom16(addr.As16())
			}
			bits, denied := table.Match(addr, now)
			if wantBits, want := naive(entries, addr, now); bits != wantBits || denied != want {
				t.Fatalf("%s at %d: /%d %v, want /%d %v of %v", addr, now, bits, denied, wantBits, want, entries)
			}
		}
	}
}

func TestSeveralOnOneNetwork(t *testing.T) {
	p := netip.MustParsePrefix("192.0.2.0/24")
	for _, c := range []struct {
		entries []Entry
		want    bool
	}{
		{nil, false},
		{[]Entry{{Prefix: p}, {Prefix: p, Allow: true}}, false},
		{[]Entry{{Prefix: p, Allow: true, Until: 9}, {Prefix: p}}, false},
		{[]Entry{{Prefix: p, Until: 3}, {Prefix: p}, {Prefix: p, Until: 4}}, true},
		{[]Entry{{Prefix: p, Until: 3}, {Prefix: p, Until: 9}}, true},
		{[]Entry{{Prefix: p, Until: 3}, {Prefix: p, Until: 4}}, false},
	} {
		if _, got := Compile(c.entries).Match(p.Addr(), 5); got != c.want {
			t.Errorf("%v: %v", c.entries, got)
		}
	}
	if bits, denied := Compile([]Entry{{Prefix: p}}).Match(netip.Addr{}, 5); bits != -1 || denied {
		t.Error("no address is denied")
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	table := Compile([]Entry{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}})
	addr := netip.MustParseAddr("192.0.2.7")
	if n := testing.AllocsPerRun(100, func() { table.Match(addr, 1) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// FuzzRead holds that whatever is read can be written and read again.
func FuzzRead(f *testing.F) {
	f.Add("192.0.2.0/24 # x\n2001:db8::1\n")
	f.Add("10.0.0.0/8\n::ffff:10.0.0.1\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Read("list", strings.NewReader(text), 100)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, p := range list {
			fmt.Fprintln(&again, p)
		}
		next, err := Read("list", strings.NewReader(again.String()), 100)
		if err != nil || fmt.Sprint(next) != fmt.Sprint(list) {
			t.Errorf("%v, then %v, %v", list, next, err)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{0, 100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			var entries []Entry
			for range n {
				a := random.Uint32()
				entries = append(entries, Entry{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8)}), 24)})
			}
			table := Compile(entries)
			addr := netip.MustParseAddr("192.0.2.7")
			for b.Loop() {
				table.Match(addr, 1)
			}
		})
	}
}
