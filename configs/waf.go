package configs

import "time"

// WAF bounds what the rules of web ACLs may take, and names what they go by. Web
// ACLs themselves change with `tidegate waf`.
type WAF struct {
	// Concurrency bounds the inspections on threads beside the event loops at
	// once: of bodies, and by managed rules. 0 means half of the CPUs.
	Concurrency int `yaml:"concurrency"`
	// Queue bounds the requests that wait for such an inspection; more are
	// answered 503.
	Queue int `yaml:"queue"`
	// Timeout is how long such an inspection may take with its wait. A request
	// that was not inspected in time is answered 503.
	Timeout time.Duration `yaml:"timeout"`
	// RateKeys bounds how many clients each rate-based rule tells apart at once;
	// 136 bytes each.
	RateKeys int `yaml:"rate_keys"`
	// GeoFile is a database of the places of addresses in MaxMind's format
	// (.mmdb), such as GeoLite2-City. It is held in memory, and read again when it
	// changes. Empty: no rule can go by countries.
	GeoFile string `yaml:"geo_file"`
}

func validateWAF(r *report, w *WAF) {
	between(r, "waf.concurrency", w.Concurrency, 0, 1024)
	between(r, "waf.queue", w.Queue, 1, 1<<20)
	between(r, "waf.rate_keys", w.RateKeys, 8, 1<<24)
}
