package dataplane

import (
	"fmt"
	"os"
	"time"

	"github.com/tidegate/tidegate/dataplane/waf"
)

// places is the database of the places of addresses that the host file names.
type places struct {
	file  string
	geo   *waf.Geo // nil without a file
	stamp int64    // of the file before it was read
}

func readPlaces(file string) (*places, error) {
	if file == "" {
		return &places{}, nil
	}
	p := &places{file: file, stamp: fileStamp(file)}
	database, err := os.ReadFile(file)
	if err == nil {
		p.geo, err = waf.NewGeo(database)
	}
	if err != nil {
		return nil, fmt.Errorf("waf.geo_file: %s: %w", file, err)
	}
	return p, nil
}

// fileStamp is another number when a file was written anew.
func fileStamp(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano() + info.Size()
}

// placesCheck is how often the file is looked at.
const placesCheck = 2 * time.Second

// watchPlaces reads the file again when it has changed. What cannot be read leaves
// the old database in use.
func (g *Gateway) watchPlaces() {
	tick := time.NewTicker(placesCheck)
	defer tick.Stop()
	var last *places
	var seen int64
	for {
		select {
		case <-g.unkeep:
			return
		case <-tick.C:
		}
		p := g.places.Load()
		if p != last {
			last, seen = p, p.stamp
		}
		now := fileStamp(p.file)
		if now == seen {
			continue
		}
		seen = now
		if err := p.reload(); err != nil { // half written, perhaps: then it changes again
			g.log.Warn("the database of places changed but cannot be read; the old one stays in use", "file", p.file, "error", err)
			continue
		}
		g.log.Info("database of places read again", "file", p.file)
	}
}

func (p *places) reload() error {
	database, err := os.ReadFile(p.file)
	if err != nil {
		return err
	}
	return p.geo.Load(database)
}
