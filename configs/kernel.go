package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/tidegate/tidegate/configs/prefixlist"
)

// Values of Listener.Refusal.
const (
	RefusalDrop    = "drop"
	RefusalReset   = "reset"
	RefusalRespond = "respond"
)

// Values of KernelGate.AtStop.
const (
	AtStopLeave = "leave"
	AtStopClose = "close"
)

// KernelGate is the XDP program that refuses shut-out sources before the host
// spends a socket on them. It takes CAP_BPF, CAP_NET_ADMIN, a BPF file system
// and Linux 5.18; without them the gateway serves all the same and says what is
// missing.
type KernelGate struct {
	// Interfaces are the names of those whose packets the gate looks at. Empty:
	// the gate is off.
	Interfaces []string `yaml:"interfaces"`
	// PinDir is a folder in a BPF file system, where the gate and the steering
	// of private listeners outlive the daemon. Two gateways on one host need
	// two.
	PinDir string `yaml:"pin_dir"`
	// AtStop says what a daemon that stops does with them: `leave` keeps them at
	// work for the next start, sentences for a minute and denied networks for
	// good; `close` takes them out of the kernel.
	AtStop string `yaml:"at_stop"`
	// Never lists networks, besides loopback and `trusted_proxies`, that are
	// never shut out: those that operators and health checks come from.
	Never []netip.Prefix `yaml:"never"`
	// Deny lists networks to keep out.
	Deny []netip.Prefix `yaml:"deny"`
	// DenyFiles are files of more such networks, one a line, with comments after
	// a #. They are read again on SIGHUP.
	DenyFiles []string `yaml:"deny_files"`
	// MaxPrefixes bounds the networks of each IP version that the gate holds at
	// once, at 16 bytes of kernel memory each; while a list is replaced, that is
	// what the old and the new have together.
	MaxPrefixes int `yaml:"max_prefixes"`
	// MaxSentences bounds the sources that are shut out at once.
	MaxSentences int `yaml:"max_sentences"`
	// Sentences say when the gate shuts a source out by itself.
	Sentences Sentences `yaml:"sentences"`
}

// Sentences say when the gate shuts a source out by itself: when every one of
// its requests within a time was denied.
type Sentences struct {
	// Window is the time that is looked back upon.
	Window time.Duration `yaml:"window"`
	// Denials is the least number of denied requests within it. One request
	// that is served, such as one with another API key behind the same address,
	// begins the count anew.
	Denials int `yaml:"denials"`
	// First is the length of a sentence where it is not known when the limit
	// lets the source in again; else it is until then.
	First time.Duration `yaml:"first"`
	// Longest bounds a sentence, which doubles each time it is repeated.
	Longest time.Duration `yaml:"longest"`
}

// Private reports whether only certain interfaces lead to the listener.
func (l *Listener) Private() bool { return len(l.Interfaces) > 0 }

// RefusalInForce returns how the kernel gate refuses at the listener: TLS cannot
// be answered in clear, so respond is reset there.
func (l *Listener) RefusalInForce() string {
	switch {
	case l.Refusal == "" && l.TLS == nil:
		return RefusalRespond
	case l.Refusal == "", l.Refusal == RefusalRespond && l.TLS != nil:
		return RefusalReset
	}
	return l.Refusal
}

// EndpointID returns the id that a private listener has unless the host file
// gives it one. It has the form of a VPC endpoint's and stays the same.
func EndpointID(listener string) string {
	sum := sha256.Sum256([]byte("tidegate listener " + listener))
	return "vpce-" + hex.EncodeToString(sum[:])[:17]
}

// NeverShutOut returns the networks that nothing shuts out: loopback,
// trusted_proxies and kernel_gate.never.
func (h *Host) NeverShutOut() []netip.Prefix {
	list := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	return append(append(list, h.TrustedProxies...), h.KernelGate.Never...)
}

// DenyList reads the networks to keep out: kernel_gate.deny and the files of
// kernel_gate.deny_files. What is never shut out is left away; spared says how
// many networks that were.
func (h *Host) DenyList() (list []netip.Prefix, spared int, err error) {
	g := &h.KernelGate
	all := append([]netip.Prefix(nil), g.Deny...)
	for _, name := range g.DenyFiles {
		more, err := readList(name, 2*g.MaxPrefixes)
		if errors.Is(err, prefixlist.ErrTooMany) {
			err = fmt.Errorf("%w; raise kernel_gate.max_prefixes or shorten the list", err)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("kernel_gate.deny_files: %w", err)
		}
		all = append(all, more...)
	}
	never := h.NeverShutOut()
	counts := map[bool]int{}
	for _, p := range all {
		if _, protected := prefixlist.Within(never, p); protected {
			spared++
			continue
		}
		list = append(list, p)
		counts[p.Addr().Is4()]++
	}
	if most := max(counts[true], counts[false]); most > g.MaxPrefixes {
		return nil, 0, fmt.Errorf("kernel_gate.deny and deny_files hold %d networks of one IP version, more than %d; raise kernel_gate.max_prefixes or shorten the lists", most, g.MaxPrefixes)
	}
	return list, spared, nil
}

func readList(name string, most int) ([]netip.Prefix, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return prefixlist.Read(name, file, most)
}
