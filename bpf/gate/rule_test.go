package gate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/tidegate/tidegate/internal/need"
	"github.com/tidegate/tidegate/internal/testnet"
)

// newGate is a gate without an interface.
func newGate(t testing.TB, o Options) *Gate {
	t.Helper()
	need.Root(t)
	o.Dir = filepath.Join(testnet.FS(t), "gate")
	g, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	if err := g.SetListeners([]Listener{anyAddress(Drop)}); err != nil {
		t.Fatal(err)
	}
	return g
}

// verdict is that on a SYN of the source.
func (g *Gate) verdict(t testing.TB, source string) Action {
	t.Helper()
	trial, err := g.Try(synFrom(netip.MustParseAddr(source)), 1)
	if err != nil {
		t.Fatal(err)
	}
	return trial.Action
}

func synFrom(source netip.Addr) []byte {
	server := netip.MustParseAddr("203.0.113.1")
	if source.Is6() {
		server = netip.MustParseAddr("2001:db8:ffff::1")
	}
	p := packet{protocol: 6, client: netip.AddrPortFrom(source, 40000), server: netip.AddrPortFrom(server, testPort), flags: syn}
	return p.frame()
}

func prefixes(list ...string) (all []netip.Prefix) {
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// A story of one prefix and its neighbours, in steps.
func TestRules(t *testing.T) {
	g := newGate(t, Options{})
	set := func(name string, list ...string) error {
		return g.ReplaceSet(name, prefixes(list...), Rule{Reason: "of " + name})
	}
	deny := func(p string, r Rule) error { return g.Deny(netip.MustParsePrefix(p), r) }
	remove := func(p string) error {
		_, err := g.Remove(netip.MustParsePrefix(p))
		return err
	}
	for _, step := range []struct {
		name            string
		do              func() error
		dropped, passed string
	}{
		{"nothing yet", func() error { return nil }, "", "192.0.2.1 2001:db8::1"},
		{"deny a network", func() error { return deny("192.0.2.7/24", Rule{}) }, "192.0.2.1 192.0.2.255", "192.0.3.1 2001:db8::1"},
		{"allow a part", func() error { return g.Allow(netip.MustParsePrefix("192.0.2.64/26")) }, "192.0.2.1", "192.0.2.64 192.0.2.127"},
		{"which also protects from sentences", func() error { return g.Condemn(netip.MustParseAddr("192.0.2.64"), Rule{For: time.Hour}) }, "192.0.2.1", "192.0.2.64"},
		{"deny one of it", func() error { return deny("192.0.2.65/32", Rule{}) }, "192.0.2.65", "192.0.2.64 192.0.2.66"},
		{"mapped addresses are IPv4", func() error { return deny("::ffff:198.51.100.0/120", Rule{}) }, "198.51.100.9", "198.51.101.9"},
		{"IPv6", func() error { return deny("2001:db8::/32", Rule{}) }, "2001:db8::1", "2001:db9::1"},
		{"a short IPv6 prefix", func() error { return deny("2600::/12", Rule{}) }, "2601:1::1 260f::1", "2610::1"},
		{"a set", func() error { return set("b", "192.0.2.65/32", "203.0.113.0/24", "2a00::/16") }, "203.0.113.1 2a00:1::1", "2a01::1"},
		{"a set beside it", func() error { return set("a", "203.0.113.0/24", "203.0.114.0/24") }, "203.0.113.1 203.0.114.1", "203.0.115.1"},
		{"one set less", func() error { return set("a") }, "203.0.113.1", "203.0.114.1"},
		{"a set replaced", func() error { return set("b", "192.0.2.65/32", "203.0.115.0/24") }, "203.0.115.1 192.0.2.65", "203.0.113.1 2a00:1::1"},
		{"an operator's rule gone, the set's stays", func() error { return remove("192.0.2.65/32") }, "192.0.2.65", "192.0.2.66"},
		{"all gone", func() error {
			return errors.Join(set("b"), remove("192.0.2.0/24"), remove("192.0.2.64/26"), remove("2600::/12"), remove("2001:db8::/32"))
		}, "192.0.2.64", "192.0.2.1 192.0.2.65 203.0.115.1 2601:1::1 2001:db8::1"},
		{"a default route", func() error { return deny("0.0.0.0/0", Rule{}) }, "1.1.1.1 255.0.0.1", "2001:db8::1"},
		{"that ends", func() error {
			defer time.Sleep(60 * time.Millisecond)
			return deny("0.0.0.0/0", Rule{For: time.Millisecond})
		}, "198.51.100.9", "1.1.1.1"},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for _, source := range strings.Fields(step.dropped) {
			if g.verdict(t, source) != Dropped {
				t.Errorf("%s: %s passes", step.name, source)
			}
		}
		for _, source := range strings.Fields(step.passed) {
			if g.verdict(t, source) != Passed {
				t.Errorf("%s: %s is dropped", step.name, source)
			}
		}
	}
}

func TestRulesRefused(t *testing.T) {
	g := newGate(t, Options{})
	good := netip.MustParsePrefix("192.0.2.0/24")
	for name, err := range map[string]error{
		"no prefix":       g.Deny(netip.Prefix{}, Rule{}),
		"negative time":   g.Deny(good, Rule{For: -1}),
		"no such answer":  g.Deny(good, Rule{Answer: 3}),
		"a long reason":   g.Deny(good, Rule{Reason: strings.Repeat("x", 65)}),
		"a nameless set":  g.ReplaceSet("", nil, Rule{}),
		"a bad set":       g.ReplaceSet("waf", []netip.Prefix{good, {}}, Rule{}),
		"nobody":          g.Condemn(netip.IPv4Unspecified(), Rule{For: 1}),
		"many":            g.Condemn(netip.MustParseAddr("ff02::1"), Rule{For: 1}),
		"no network":      g.Condemn(netip.MustParseAddr("::5:0:0:0:1"), Rule{For: 1}),
		"an endless term": g.Condemn(netip.MustParseAddr("192.0.2.1"), Rule{}),
		"two styles":      g.SetListeners([]Listener{anyAddress(Drop), anyAddress(Reset)}),
		"two own styles":  g.SetListeners([]Listener{{Address: netip.MustParseAddrPort("1.2.3.4:5")}, {Address: netip.MustParseAddrPort("1.2.3.4:5"), Style: Reset}}),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if g.verdict(t, "192.0.2.1") != Passed {
		t.Error("a refused rule works")
	}
}

// What does not fit changes nothing, and says so.
func TestFull(t *testing.T) {
	g := newGate(t, Options{MaxPrefixes: 70, MaxSentences: 100})
	if err := g.ReplaceSet("waf", randomPrefixes(90, 0), Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := g.ReplaceSet("more", randomPrefixes(11, 1), Rule{}); !errors.Is(err, ErrFull) {
		t.Errorf("more prefixes than fit: %v", err)
	}
	if sets, err := g.Sets(); err != nil || len(sets) != 1 || sets[0].Prefixes != 90 {
		t.Errorf("after a set that did not fit: %+v, %v", sets, err)
	}
	if g.verdict(t, randomPrefixes(11, 1)[0].Addr().String()) != Passed {
		t.Error("of the set that did not fit a part works")
	}
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)}) }
	for i := range 100 {
		rule := Rule{For: time.Hour}
		if i < 50 {
			rule.For = time.Millisecond
		}
		if err := g.Condemn(address(i), rule); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(10 * time.Millisecond)
	for i := range 51 { // the expired make room, the others stay
		err := g.Condemn(address(100+i), Rule{For: time.Hour})
		if wantFull := i == 50; errors.Is(err, ErrFull) != wantFull {
			t.Fatalf("sentence %d: %v", i, err)
		}
	}
	if all, err := g.Sentences(); err != nil || len(all) != 100 {
		t.Errorf("%d sentences, %v", len(all), err)
	}
}

func randomPrefixes(n int, seed uint64) []netip.Prefix {
	r := rand.New(rand.NewPCG(seed, 1))
	seen := map[netip.Prefix]bool{}
	all := make([]netip.Prefix, 0, n)
	for len(all) < n {
		var p netip.Prefix
		if len(all)%4 == 0 {
			b := [16]byte{0x20 | byte(r.IntN(16))}
			for i := 1; i < 8; i++ {
				b[i] = byte(r.IntN(256))
			}
			p = netip.PrefixFrom(netip.AddrFrom16(b), 32+r.IntN(33)).Masked()
		} else {
			v := r.Uint32() | 1<<31
			p = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), 20+r.IntN(13)).Masked()
		}
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all
}

// A million prefixes cost little more than the kernel takes to enter them in bare
// tries, its own way to keep them: BenchmarkMillionPrefixes has the seconds, of
// which 5 are the most.
func TestMillionPrefixes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a gigabyte and seconds")
	}
	n := 1_000_000
	if underRace {
		n = 100_000
	}
	g := newGate(t, Options{})
	list := randomPrefixes(n, 3)
	bare := fillBareTries(t, list)
	for _, step := range []struct {
		name string
		list []netip.Prefix
	}{{"load", list}, {"the same again", list}, {"all but one", list[1:]}, {"none", nil}} {
		start := time.Now()
		if err := g.ReplaceSet("waf", step.list, Rule{}); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		t.Logf("%s: %v, %.1f times the bare tries", step.name, took, float64(took)/float64(bare))
		if took > 4*bare && !underRace {
			t.Errorf("%s took %v, the bare tries %v", step.name, took, bare)
		}
		for _, p := range step.list[:min(1000, len(step.list))] {
			if g.verdict(t, p.Addr().String()) != Dropped {
				t.Fatalf("%s: %s passes", step.name, p)
			}
		}
	}
	if err := g.ReplaceSet("waf", list, Rule{}); err != nil {
		t.Fatal(err)
	}
	if err := g.recover(); err != nil || len(g.sets["waf"].prefixes) != len(list) {
		t.Fatalf("read back %d, %v", len(g.sets["waf"].prefixes), err)
	}
}

// fillBareTries returns how long the kernel takes to enter prefixes in tries.
func fillBareTries(t testing.TB, list []netip.Prefix) time.Duration {
	t.Helper()
	spec, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{programMapPrefixes4, programMapPrefixes6} {
		spec.Maps[name].Type = ebpf.LPMTrie
	}
	g := &Gate{}
	for _, trie := range []struct {
		name string
		to   **ebpf.Map
	}{{programMapPrefixes4, &g.objects.Prefixes4}, {programMapPrefixes6, &g.objects.Prefixes6}} {
		m, err := ebpf.NewMap(spec.Maps[trie.name])
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		*trie.to = m
	}
	var all changes
	for _, p := range list {
		all.add(p, programRule{})
	}
	start := time.Now()
	if err := all.put(g); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func BenchmarkMillionPrefixes(b *testing.B) {
	g := newGate(b, Options{})
	list := randomPrefixes(1_000_000, 3)
	for b.Loop() {
		if err := g.ReplaceSet("waf", list, Rule{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := g.ReplaceSet("waf", nil, Rule{}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// A sentence is in force when the call returns.
func TestSentenceIsPrompt(t *testing.T) {
	g := newGate(t, Options{})
	for i := range 2000 {
		a := netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)})
		if err := g.Condemn(a, Rule{For: time.Hour, Reason: fmt.Sprint("reason ", i%100)}); err != nil {
			t.Fatal(err)
		}
		if g.verdict(t, a.String()) != Dropped {
			t.Fatal("not in the map after the call")
		}
	}
}

// From the call to the kernel's map, of which 10 ms are the most.
func BenchmarkSentence(b *testing.B) {
	g := newGate(b, Options{})
	for i := uint32(0); b.Loop(); i++ {
		a := netip.AddrFrom4([4]byte{9, byte(i % 4), byte(i >> 8), byte(i)})
		if err := g.Condemn(a, Rule{For: time.Hour, Reason: "throttled"}); err != nil {
			b.Fatal(err)
		}
	}
}
