package configs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/tidegate/tidegate/configs/truststore"
)

// CheckFiles reads the certificates, the trust stores and the lists of networks
// that the host file names, which Load does not, and reports the first that the
// daemon could not use. Of the database of places it says no more than whether it
// can be opened.
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
	if _, err := h.Truststores(); err != nil {
		return err
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
	for field, file := range map[string]string{"upstream.ca_file": h.Upstream.CAFile, "tokens.ca_file": h.Tokens.CAFile} {
		if err := checkCAFile(field, file); err != nil {
			return err
		}
	}
	return nil
}

// checkCAFile reads a file of certificate authorities; empty is none.
func checkCAFile(field, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: %s holds no PEM certificate", field, file)
	}
	return nil
}

// Truststores reads the trust stores of the domains that ask clients for
// certificates, by the name of the domain.
func (h *Host) Truststores() (map[string]*truststore.Store, error) {
	stores := map[string]*truststore.Store{}
	for i := range h.Domains {
		d := &h.Domains[i]
		if d.MutualTLS == nil {
			continue
		}
		store, err := truststore.Read(truststore.Files{Truststore: d.MutualTLS.Truststore, CRLs: d.MutualTLS.CRLs})
		if err != nil {
			return nil, fmt.Errorf("domain %q: mutual_tls: %w", d.Name, err)
		}
		stores[d.Name] = store
	}
	return stores, nil
}
