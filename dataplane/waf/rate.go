package waf

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/dchest/siphash"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/waf/window"
)

// Bounds of AWS's for rate-based statements.
const (
	minRateLimit  = 10
	maxRateLimit  = 2_000_000_000
	maxCustomKeys = 5
)

// rate is a RateBasedStatement. It counts every request that it looks at, also
// those that it blocks, as AWS does; how exactly, package window says.
type rate struct {
	limit  int64
	scope  matcher // nil: every request
	keys   []rateKey
	counts *window.Counts
	store  *Store // for the hash of what is counted by
}

// rateKey is a component of a request that is counted by.
type rateKey struct {
	of     rateKeyKind
	number int    // of a view or a forwarder
	labels bitset // of a namespace
	match  bool   // without a valid forwarded address the rule matches
}

type rateKeyKind uint8

const (
	byAddress rateKeyKind = iota
	byForwarded
	byView
	byLabels
)

func (m *rate) match(in *Input, a *ACL) bool {
	if m.scope != nil && (!m.scope.match(in, a) || in.toolong) {
		return false
	}
	in.work.key = in.work.key[:0]
	for i := range m.keys {
		if found, matched := m.keys[i].append(in, a); !found {
			return matched
		}
	}
	return m.counts.Count(m.store.hash(in.work.key), in.now, m.limit) > m.limit
}

// until returns when the request that was counted last would be within the limit.
func (m *rate) until(in *Input) int64 {
	return m.counts.Until(m.store.hash(in.work.key), in.now, m.limit)
}

// hash is one that nobody outside can choose, and another process has as well.
func (s *Store) hash(key []byte) uint64 { return siphash.Hash(s.k0, s.k1, key) }

// append adds a component to the key. Without it the request is not counted.
func (k *rateKey) append(in *Input, a *ACL) (found, matched bool) {
	w := &in.work
	switch k.of {
	case byAddress:
		w.key = appendNetwork(w.key, in.source)
	case byForwarded:
		f := in.forwarded(a, k.number)
		if f.absent {
			return false, false
		}
		addr := f.one(firstHop)
		if !addr.IsValid() {
			return false, k.match
		}
		w.key = appendNetwork(w.key, addr)
	case byView:
		values := in.values(in.look(a, k.number))
		if len(values) == 0 {
			return false, false
		}
		for _, v := range values {
			w.key = append(w.key, byte(len(v)>>8), byte(len(v)))
			w.key = append(w.key, v...)
		}
	case byLabels:
		empty := len(w.key)
		for i := range k.labels {
			if word := in.verdict.labels[i] & k.labels[i]; word != 0 {
				w.key = append(w.key, byte(i))
				w.key = append(w.key, byte(word), byte(word>>8), byte(word>>16), byte(word>>24), byte(word>>32), byte(word>>40), byte(word>>48), byte(word>>56))
			}
		}
		if len(w.key) == empty {
			return false, false
		}
	}
	w.key = append(w.key, 0xff, byte(k.of)) // no component runs into the next
	return true, false
}

// appendNetwork appends an address: of IPv6 the /64, since a host has all of it.
func appendNetwork(dst []byte, addr netip.Addr) []byte {
	b := addr.As16()
	if addr.Is4() {
		return append(dst, b[12:]...)
	}
	return append(dst, b[:8]...)
}

// rate compiles a RateBasedStatement, which is that of a rule.
func (c *compiler) rate(spec value, ruleName string) *rate {
	o := c.object(spec, "Limit", "EvaluationWindowSec", "AggregateKeyType", "CustomKeys", "ForwardedIPConfig", "ScopeDownStatement")
	m := &rate{limit: o.number("Limit", minRateLimit, maxRateLimit), store: c.store}
	seconds := o.numberOr("EvaluationWindowSec", 300, 60, 600)
	switch seconds {
	case 60, 120, 300, 600:
	default:
		c.report(join(o.at, "EvaluationWindowSec"), "must be 60, 120, 300 or 600")
	}
	if scope, ok := o.members["ScopeDownStatement"]; ok {
		m.scope = c.statement(scope, standing{depth: 1})
	}
	kind := o.choice("AggregateKeyType", true, "IP", "FORWARDED_IP", "CUSTOM_KEYS", "CONSTANT")
	switch kind {
	case "IP":
		m.keys = []rateKey{{of: byAddress}}
	case "FORWARDED_IP":
		m.keys = []rateKey{c.forwardedKey(o)}
	case "CUSTOM_KEYS":
		m.keys = c.customKeys(o)
	case "CONSTANT":
		if m.scope == nil {
			c.report(join(o.at, "ScopeDownStatement"), "is missing: AggregateKeyType CONSTANT limits all requests that it matches together")
		}
	}
	c.useless(o, "CustomKeys", kind != "CUSTOM_KEYS", kind)
	c.useless(o, "ForwardedIPConfig", kind == "IP" || kind == "CONSTANT", kind)
	// What is counted, and by what, is another rate; the limit alone is not.
	var signature bytes.Buffer
	for _, name := range []string{"AggregateKeyType", "CustomKeys", "ForwardedIPConfig", "ScopeDownStatement"} {
		part := o.members[name]
		part.canonical(&signature)
	}
	m.counts = c.store.rate(rateID{c.acl.id, ruleName, fmt.Sprint(seconds, signature.String())}, time.Duration(seconds)*time.Second)
	c.acl.rates = append(c.acl.rates, m.counts)
	return m
}

// useless refuses a member that has no effect.
func (c *compiler) useless(o object, name string, is bool, kind string) {
	if is && o.has(name) {
		c.report(join(o.at, name), "does nothing with AggregateKeyType %s; leave it out", kind)
	}
}

func (c *compiler) forwardedKey(o object) rateKey {
	f := c.object(o.need("ForwardedIPConfig"), "HeaderName", "FallbackBehavior")
	k := rateKey{of: byForwarded}
	k.number, k.match = c.forwarder(f)
	return k
}

// customKeys compiles CustomKeys. The keys of a request are counted together, so
// that their order makes no difference.
func (c *compiler) customKeys(o object) (keys []rateKey) {
	addresses := 0
	for _, item := range o.list("CustomKeys", 1, maxCustomKeys) {
		name, spec := c.only(item, "IP", "ForwardedIP", "Header", "Cookie", "QueryArgument", "QueryString", "HTTPMethod", "UriPath", "LabelNamespace")
		switch name {
		case "IP":
			c.empty(spec)
			addresses++
			keys = append(keys, rateKey{of: byAddress})
		case "ForwardedIP":
			c.empty(spec)
			addresses++
			keys = append(keys, c.forwardedKey(o))
		case "LabelNamespace":
			keys = append(keys, c.labelKey(spec))
		default:
			keys = append(keys, rateKey{of: byView, number: c.rateView(name, spec)})
		}
	}
	if addresses > 0 && len(keys) == addresses {
		c.report(join(o.at, "CustomKeys"), "must have another key beside an address; else use AggregateKeyType IP or FORWARDED_IP")
	}
	return keys
}

// rateView compiles a key that is a component of requests.
func (c *compiler) rateView(name string, spec value) int {
	var v view
	switch name {
	case "HTTPMethod":
		c.empty(spec)
		return c.viewNumber(view{component: ofMethod})
	case "QueryString":
		v.component = ofQuery
		v.chain = c.chain(c.object(spec, "TextTransformations"))
	case "UriPath":
		v.component = ofPath
		v.chain = c.chain(c.object(spec, "TextTransformations"))
	case "Header", "Cookie", "QueryArgument":
		o := c.object(spec, "Name", "TextTransformations")
		v.component = map[string]component{"Header": ofHeader, "Cookie": ofCookie, "QueryArgument": ofArgument}[name]
		if v.name = o.string("Name", 1, maxNameBytes); name != "Cookie" {
			v.name = strings.ToLower(v.name)
		}
		if name == "Header" {
			v.id = http1.FindID([]byte(v.name))
		}
		v.chain = c.chain(o)
	}
	return c.viewNumber(v)
}

// labelKey compiles a LabelNamespace: of the labels that rules before this one
// can add, for later ones are not there yet.
func (c *compiler) labelKey(spec value) (k rateKey) {
	o := c.object(spec, "Namespace")
	namespace := o.string("Namespace", 1, 1024)
	if !strings.HasSuffix(namespace, ":") {
		namespace += ":"
	}
	k.of = byLabels
	for n, label := range c.acl.labels {
		if strings.HasPrefix(label, namespace) {
			k.labels.add(n)
		}
	}
	if k.labels == (bitset{}) {
		c.report(join(o.at, "Namespace"), "no rule before this one adds a label with %q; write it fully qualified, such as %q", namespace, c.acl.labelPrefix+"ns:")
	}
	return k
}
