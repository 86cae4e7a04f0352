package route

import (
	"bytes"
	"fmt"
	"strings"
)

// Hosts finds a value by host name: exact, else "*.example.com", which stands
// for one whole label, else "*", which stands for every host.
type Hosts[V any] struct {
	exact    map[string]V
	wildcard map[string]V // ".example.com"
	rest     *V
}

// NewHosts compiles names to values. Names are lower-case ASCII without a port.
func NewHosts[V any](values map[string]V) (*Hosts[V], error) {
	h := &Hosts[V]{exact: make(map[string]V, len(values)), wildcard: map[string]V{}}
	for name, value := range values {
		if name == "*" {
			h.rest = &value
			continue
		}
		suffix, wildcard := strings.CutPrefix(name, "*.")
		if err := checkHost(suffix); err != nil {
			return nil, fmt.Errorf("host name %q: %w", name, err)
		}
		if wildcard {
			h.wildcard[name[1:]] = value
		} else {
			h.exact[name] = value
		}
	}
	return h, nil
}

func checkHost(name string) error {
	if name == "" || len(name) > 255 {
		return fmt.Errorf("it must have 1 to 255 characters")
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == '*':
			return fmt.Errorf(`a wildcard is only allowed as the whole first label, such as "*.example.com"`)
		case c <= ' ', c >= 0x7f, c >= 'A' && c <= 'Z', c == '/':
			return fmt.Errorf("character %q is not allowed; write it in lower-case ASCII (punycode)", c)
		}
	}
	return nil
}

// Lookup returns the value for a host, which the caller has lower-cased and
// freed of its port.
func (h *Hosts[V]) Lookup(host []byte) (value V, ok bool) {
	if value, ok = h.exact[string(host)]; ok {
		return value, true
	}
	if dot := bytes.IndexByte(host, '.'); dot > 0 {
		if value, ok = h.wildcard[string(host[dot:])]; ok {
			return value, true
		}
	}
	if h.rest != nil {
		return *h.rest, true
	}
	return value, false
}
