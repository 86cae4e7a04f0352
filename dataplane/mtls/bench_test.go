package mtls

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/internal/testpki"
)

// BenchmarkHandshake has both ends of a handshake in one process: with a domain
// that asks nobody, with one that asks, and with a session that is resumed.
func BenchmarkHandshake(b *testing.B) {
	root := testpki.NewCA(b, "root")
	ann := root.Client(b, "ann").TLS()
	s := newServer(b)
	s.Set(map[string]*truststore.Store{"a.example": stores(b, testpki.Roots(root), root.CRL(b, time.Now().Add(time.Hour)))})
	for _, c := range []struct {
		name, server string
		cache        tls.ClientSessionCache
	}{{"plain", "c.example", nil}, {"mutual", "a.example", nil}, {"resumed", "a.example", &anySession{}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if o := s.shake(&tls.Config{ServerName: c.server, Certificates: []tls.Certificate{ann}, ClientSessionCache: c.cache}); o.err != nil {
					b.Fatal(o.err)
				}
			}
		})
	}
}

// BenchmarkTrusted is what a request pays.
func BenchmarkTrusted(b *testing.B) {
	c := newClient("a.example", testpki.NewCA(b, "root").Client(b, "ann").Chain(), time.Now().Add(time.Hour))
	host, now := []byte("a.example"), time.Now().UnixNano()
	for b.Loop() {
		if !c.Trusted(host, now) {
			b.Fatal("not trusted")
		}
	}
}
