package configs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// CheckFiles reads the certificates and the lists of networks that the host file
// names, which Load does not, and reports the first that the daemon could not
// use. Of the database of places it says no more than whether it can be opened.
func (h *Host) CheckFiles() error {
	for _, l := range h.Listeners {
		if l.TLS == nil {
			continue
		}
		for _, c := range l.TLS.Certificates {
			if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
				return fmt.Errorf("listener %q: certificate %s with key %s: %w", l.Name, c.Cert, c.Key, err)
			}
		}
	}
	if _, _, err := h.DenyList(); err != nil {
		return err
	}
	if h.WAF.GeoFile != "" {
		file, err := os.Open(h.WAF.GeoFile)
		if err != nil {
			return fmt.Errorf("waf.geo_file: %w", err)
		}
		_ = file.Close()
	}
	if h.Upstream.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(h.Upstream.CAFile)
	if err != nil {
		return fmt.Errorf("upstream.ca_file: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("upstream.ca_file: %s holds no PEM certificate", h.Upstream.CAFile)
	}
	return nil
}
