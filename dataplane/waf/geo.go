package waf

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Geo finds the places of addresses in a database of MaxMind's format, such as
// GeoLite2-Country or GeoLite2-City. It outlives deployments; Load replaces the
// database while it is in use. Any goroutine may use it.
type Geo struct{ current atomic.Pointer[geoDatabase] }

// geoDatabase is in memory as a whole: a file that is mapped would have an event
// loop wait for the disk, and end the process if somebody cut it short.
type geoDatabase struct {
	reader *maxminddb.Reader
	slots  [geoSlots]atomic.Uint64 // places by the offset of their records
}

// geoSlots bounds the places that are remembered: a power of two.
const geoSlots = 1 << 14

// NewGeo makes a Geo with the bytes of a database file, which must not be changed
// later.
func NewGeo(database []byte) (*Geo, error) {
	g := &Geo{}
	if err := g.Load(database); err != nil {
		return nil, err
	}
	return g, nil
}

// Load replaces the database. When it returns an error nothing was changed.
func (g *Geo) Load(database []byte) error {
	reader, err := maxminddb.OpenBytes(database)
	if err != nil {
		return fmt.Errorf("read the geo database: %w; it must be a .mmdb file with countries", err)
	}
	g.current.Store(&geoDatabase{reader: reader})
	return nil
}

// find returns the place of an address. It allocates only for a record that it
// does not remember.
func (g *Geo) find(addr netip.Addr) place {
	d := g.current.Load()
	result := d.reader.Lookup(addr)
	if !result.Found() {
		return place{}
	}
	offset := uint64(result.Offset()) + 1
	slot := &d.slots[offset%geoSlots]
	if v := slot.Load(); v>>placeBits == offset {
		return unpackPlace(v)
	}
	p := decodePlace(&result)
	slot.Store(offset<<placeBits | p.pack())
	return p
}

func decodePlace(result *maxminddb.Result) (p place) {
	var country, region string
	// What is not there, or not as it should be, is not known.
	_ = result.DecodePath(&country, "country", "iso_code")
	_ = result.DecodePath(&region, "subdivisions", 0, "iso_code")
	if len(country) == len(p.country) {
		copy(p.country[:], country)
		if len(region) <= len(p.region) {
			copy(p.region[:], region)
		}
	}
	return p
}
