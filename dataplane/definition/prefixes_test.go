package definition

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func prefixes(t testing.TB, texts ...string) []netip.Prefix {
	t.Helper()
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestPrefixes(t *testing.T) {
	list := prefixes(t, "2001:db8::/32", "192.0.2.77/24", "10.0.0.0/8", "::ffff:198.51.100.7/128", "10.0.0.0/9", "10.1.2.3/8", "::1/128")
	p, err := NewPrefixes(list)
	if err != nil {
		t.Fatal(err)
	}
	want := prefixes(t, "10.0.0.0/8", "10.0.0.0/9", "192.0.2.0/24", "198.51.100.7/32", "::1/128", "2001:db8::/32")
	if got := slices.Collect(p.All()); !slices.Equal(got, want) || p.Len() != len(want) {
		t.Errorf("got %v (%d), want %v", got, p.Len(), want)
	}
	again, err := UnpackPrefixes([]byte(p.Packed()))
	if err != nil || again != p {
		t.Errorf("unpacked %v, error %v", again, err)
	}
	for range p.All() { // it can be left early
		break
	}
	for name, tc := range map[string]struct {
		list []netip.Prefix
		want string
	}{
		"all of IPv4": {prefixes(t, "0.0.0.0/0"), "0.0.0.0/0 stands for every address"},
		"all of IPv6": {prefixes(t, "::/0"), "::/0 stands for every address"},
		"invalid":     {[]netip.Prefix{{}}, "not valid"},
	} {
		if _, err := NewPrefixes(tc.list); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestUnpackRefusesWhatWasNotPacked(t *testing.T) {
	p, err := NewPrefixes(prefixes(t, "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"))
	if err != nil {
		t.Fatal(err)
	}
	good := p.Packed()
	for name, bad := range map[string]string{
		"cut":           good[:len(good)-1],
		"cut after one": good[:7],
		"repeated":      good[:5] + good,
		"unsorted":      good[5:10] + good[:5],
		"host bits":     "\x08\x0a\x00\x00\x01",
		"length":        "\x21\x0a\x00\x00\x00",
	} {
		if _, err := UnpackPrefixes([]byte(bad)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzUnpackPrefixes(f *testing.F) {
	p, _ := NewPrefixes([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")})
	f.Add([]byte(p.Packed()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packed []byte) {
		p, err := UnpackPrefixes(packed)
		if err != nil {
			return
		}
		if p.Packed() != string(packed) {
			t.Fatal("it changed")
		}
		n := 0
		for prefix := range p.All() {
			if !prefix.IsValid() {
				t.Fatalf("%v", prefix)
			}
			n++
		}
		if n != p.Len() {
			t.Errorf("%d of %d", n, p.Len())
		}
	})
}

func TestAMillionPrefixesAreCompact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([]netip.Prefix, MaxPrefixes)
	for i := range list {
		v := uint32(i)<<12 | r.Uint32()&0xfff
		list[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), 32)
	}
	p, err := NewPrefixes(list)
	if err != nil || p.Len() != MaxPrefixes || len(p.Packed()) != 5*MaxPrefixes {
		t.Fatalf("%d in %d bytes, error %v", p.Len(), len(p.Packed()), err)
	}
	list = append(list, netip.MustParsePrefix("2001:db8::/32"))
	if _, err := NewPrefixes(list); err == nil {
		t.Error("one more was accepted")
	}
}
