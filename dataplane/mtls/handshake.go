package mtls

import (
	"crypto/tls"
	"strings"

	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// Ask has a listener with the configuration ask for certificates in connections
// to the domains, which clients name by SNI. Other connections stay as they are.
// The Client is left with the connection's loop.PeerKeeper.
func (d *Domains) Ask(config *tls.Config) {
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		dom := (*d.byName.Load())[strings.ToLower(hello.ServerName)]
		if dom == nil {
			return nil, nil
		}
		return d.configFor(dom, config, hello), nil
	}
}

// configFor is the configuration of one handshake. Tickets are sealed with keys
// of the domain and its trust store, so that no session is resumed elsewhere or
// after a change; crypto/tls would take those of the listener, and renews these
// as it renews those.
func (d *Domains) configFor(dom *domain, config *tls.Config, hello *tls.ClientHelloInfo) *tls.Config {
	store, tickets := dom.current()
	c := config.Clone()
	c.GetConfigForClient = nil
	c.ClientAuth = tls.RequireAnyClientCert // for VerifyConnection to verify, which resumed sessions come by too
	if store != nil {
		c.ClientCAs = store.Names()
	}
	c.WrapSession, c.UnwrapSession = tickets.EncryptTicket, tickets.DecryptTicket
	c.VerifyConnection = func(state tls.ConnectionState) error {
		client, err := dom.admit(state.PeerCertificates, d.now())
		if err != nil {
			d.refused(dom.name, truststore.Name(state.PeerCertificates[0].RawSubject), err)
			return err
		}
		if client != nil {
			hello.Conn.(loop.PeerKeeper).SetPeer(client)
		}
		return nil
	}
	return c
}
