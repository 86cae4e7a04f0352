package dataplane

import (
	"testing"

	"github.com/tidegate/tidegate/configs"
)

// TestCapabilitiesFor: a host file has the capabilities kept that it takes, and no
// other.
func TestCapabilitiesFor(t *testing.T) {
	const kernel, port = uint64(kernelCapabilities), uint64(portCapabilities)
	for name, c := range map[string]struct {
		listener configs.Listener
		admin    string
		gate     []string
		want     uint64
	}{
		"nothing":          {listener: configs.Listener{Address: ":8080"}, admin: "127.0.0.1:9090"},
		"port 1024":        {listener: configs.Listener{Address: ":1024"}},
		"port 1023":        {listener: configs.Listener{Address: ":1023"}, want: port},
		"any port":         {listener: configs.Listener{Address: "[::1]:0"}},
		"a Unix socket":    {listener: configs.Listener{Address: "unix:/run/80"}},
		"low for admins":   {listener: configs.Listener{Address: ":8080"}, admin: "10.0.0.1:90", want: port},
		"a gate":           {listener: configs.Listener{Address: ":8080"}, gate: []string{"eth0"}, want: kernel},
		"private":          {listener: configs.Listener{Address: ":8443", Interfaces: []string{"eth1"}}, want: kernel},
		"private, and low": {listener: configs.Listener{Address: ":443", Interfaces: []string{"eth1"}}, want: kernel | port},
	} {
		host := &configs.Host{Listeners: []configs.Listener{c.listener}, Admin: configs.Admin{Address: c.admin}, KernelGate: configs.KernelGate{Interfaces: c.gate}}
		if got := capabilitiesFor(host); got != c.want {
			t.Errorf("%s: %s, want %s", name, names(got), names(c.want))
		}
	}
}

// TestConfinementAllows: nothing is turned on that the process can no longer have.
func TestConfinementAllows(t *testing.T) {
	gated := &configs.Host{KernelGate: configs.KernelGate{Interfaces: []string{"eth0"}}}
	for name, c := range map[string]struct {
		confinement confinement
		host        *configs.Host
		want        bool
	}{
		"a gate, given up": {confinement{noKernel: true}, gated, false},
		"a gate, kept":     {confinement{}, gated, true},
		"none":             {confinement{noKernel: true}, &configs.Host{}, true},
	} {
		if err := c.confinement.allows(c.host); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
