package dataplane

import (
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/dataplane/mtls"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// mutualTLS is what the gateway knows of the domains that ask for certificates.
type mutualTLS struct {
	domains *mtls.Domains
	refused atomic.Uint64

	mu       sync.Mutex // of the log of refusals
	refusals sparingLog

	// Of g.mu.
	stores map[string]*truststore.Store
	told   map[string]bool // warnings that were logged
}

// startMutualTLS reads the trust stores, before there are listeners.
func (g *Gateway) startMutualTLS(host *configs.Host) error {
	m := &g.mutual
	m.refusals.log = g.log
	m.domains = mtls.New(time.Now, func(domain, client string, why error) {
		m.refused.Add(1)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.refusals.line(slog.LevelWarn, "client certificate refused", "domain", domain, "client", clip(client), "reason", clip(why.Error()))
	})
	seen := modified(truststoreFiles(host)) // before they are read: what changes then is read again
	stores, err := host.Truststores()
	if err != nil {
		return err
	}
	g.trust(stores)
	g.registry.CounterFunc(telemetry.ClientCertificatesRefused, m.refused.Load)
	g.keeping.Go(func() { g.watchTruststores(seen) })
	return nil
}

// trust makes trust stores the ones in force. g.mu is held, or nobody else is
// there yet.
func (g *Gateway) trust(stores map[string]*truststore.Store) {
	g.mutual.stores = stores
	g.mutual.domains.Set(stores)
	g.warnOfTruststores()
}

// withOthers is stores, and those that are not among them.
func withOthers(stores, others map[string]*truststore.Store) map[string]*truststore.Store {
	all := maps.Clone(others)
	maps.Copy(all, stores)
	return all
}

// warnOfTruststores logs what is wrong with trust stores, each thing once. g.mu is
// held, or nobody else is there yet.
func (g *Gateway) warnOfTruststores() {
	now := map[string]bool{}
	for _, w := range g.truststoreWarnings() {
		if now[w] = true; !g.mutual.told[w] {
			g.log.Warn(w)
		}
	}
	g.mutual.told = now
}

// truststoreWarnings are for people who look at the gateway's status. g.mu is
// held, or nobody else is there yet.
func (g *Gateway) truststoreWarnings() (warnings []string) {
	now := time.Now()
	for _, name := range slices.Sorted(maps.Keys(g.mutual.stores)) {
		for _, w := range g.mutual.stores[name].Warnings(now) {
			warnings = append(warnings, "mutual TLS of "+name+": "+w)
		}
	}
	return warnings
}

// watchTruststores reads the trust stores again when a file has changed. What
// cannot be read leaves those in use that were. seen sums the files up as they
// were when they were read.
func (g *Gateway) watchTruststores(seen int64) {
	tick := time.NewTicker(certificateCheck)
	defer tick.Stop()
	trouble := ""
	for {
		select {
		case <-g.unkeep:
			return
		case <-tick.C:
		}
		g.mu.Lock()
		host := g.host.Load()
		if now := modified(truststoreFiles(host)); now != seen {
			stores, err := host.Truststores()
			if err == nil {
				g.trust(stores)
				g.log.Info("trust stores read again")
				seen, trouble = now, ""
			} else if err.Error() != trouble { // half written, perhaps: look again
				trouble = err.Error()
				g.log.Warn("trust stores changed but cannot be read; the old ones stay in use", "error", err)
			}
		}
		g.warnOfTruststores()
		g.mu.Unlock()
	}
}

// clip keeps a line of the log short, whatever a client has sent.
func clip(text string) string {
	const most = 500
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

func truststoreFiles(h *configs.Host) (names []string) {
	for i := range h.Domains {
		if m := h.Domains[i].MutualTLS; m != nil {
			names = append(append(names, m.Truststore), m.CRLs...)
		}
	}
	return names
}

// modified sums up when files were last written.
func modified(names []string) (sum int64) {
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			sum = sum*31 + info.ModTime().UnixNano() + info.Size()
		}
	}
	return sum
}
