package waf

import "strings"

// place is a country and perhaps a region of it, by ISO 3166-1 and 3166-2.
type place struct {
	country [2]byte
	region  [3]byte // zeros at the end
}

func (p *place) known() bool     { return p.country[0] != 0 }
func (p *place) hasRegion() bool { return p.region[0] != 0 }

// placeChars are what places are spelled with, the first for nothing.
const placeChars = "\x00ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// placeBits is the size of a packed place: five characters of six bits.
const placeBits = 30

func (p *place) pack() (v uint64) {
	for _, c := range [...]byte{p.country[0], p.country[1], p.region[0], p.region[1], p.region[2]} {
		v = v<<6 | uint64(max(0, strings.IndexByte(placeChars, c)))
	}
	return v
}

func unpackPlace(v uint64) (p place) {
	char := func(i int) byte {
		if n := v >> (6 * i) & 63; n < uint64(len(placeChars)) {
			return placeChars[n]
		}
		return 0
	}
	p.country = [2]byte{char(4), char(3)}
	p.region = [3]byte{char(2), char(1), char(0)}
	return p
}

// Whose place it is: indexes of Verdict.places.
const (
	ofClient = iota
	ofForwarded
)

// appendCountry and appendRegion append the labels that AWS gives to requests by
// place.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-geo-match.html
func (p *place) appendCountry(dst []byte, whose int) []byte {
	return append(append(dst, [...]string{clientCountry, forwardCountry}[whose]...), p.country[:]...)
}

func (p *place) appendRegion(dst []byte, whose int) []byte {
	dst = append(append(dst, [...]string{clientRegion, forwardRegion}[whose]...), p.country[:]...)
	dst = append(dst, '-')
	for _, c := range p.region {
		if c != 0 {
			dst = append(dst, c)
		}
	}
	return dst
}

// geoMatch is a GeoMatchStatement. It labels every request that it looks at.
type geoMatch struct {
	geo       *Geo
	countries map[[2]byte]bool
	forwarder int // -1: the connection's own address
	fallback  bool
}

func (m *geoMatch) match(in *Input, a *ACL) bool {
	addr, whose := in.source, ofClient
	if m.forwarder >= 0 {
		whose = ofForwarded
		f := in.forwarded(a, m.forwarder)
		if f.absent {
			return false
		}
		if addr = f.one(firstHop); !addr.IsValid() {
			return m.fallback
		}
	}
	p := m.geo.find(addr)
	in.verdict.places[whose] = p
	return m.countries[p.country]
}

// geoMatch compiles a GeoMatchStatement.
func (c *compiler) geoMatch(v value) matcher {
	o := c.object(v, "CountryCodes", "ForwardedIPConfig")
	m := &geoMatch{geo: c.options.Geo, countries: map[[2]byte]bool{}, forwarder: -1}
	if m.geo == nil {
		c.report(v.at, "takes a geo database, and this host has none; give it a MaxMind file such as GeoLite2-Country.mmdb")
	}
	for _, item := range o.list("CountryCodes", 1, 300) {
		code := c.textOf(item, 2, 2)
		if strings.Trim(code, placeChars[1:27]) != "" {
			c.report(item.at, "%q is no country code; write two capitals, such as DE", code)
		}
		m.countries[[2]byte([]byte(code+"  "))] = true
	}
	if o.has("ForwardedIPConfig") {
		f := c.object(o.members["ForwardedIPConfig"], "HeaderName", "FallbackBehavior")
		m.forwarder, m.fallback = c.forwarder(f)
	}
	return m
}
