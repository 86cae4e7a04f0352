package truststore

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// MaxAuthorities is how many authorities may stand above a client, the one in the
// trust store included. AWS's documentation says "a maximum chain length of four",
// which it was seen to count so.
const MaxAuthorities = 4

// maxPresented bounds what a client may send along, since building chains of it
// costs time.
const maxPresented = 2 * MaxAuthorities

// Verify decides whether to trust the client that presents certificates, its own
// first, at a time. Every certificate of the trust store is an anchor; between it
// and the client's there may be authorities that the client presents. A client
// that is trusted is so until the first of its chain expires or the first list
// that cleared it is out of date. The error says why another is not.
func (s *Store) Verify(presented []*x509.Certificate, now time.Time) (until time.Time, err error) {
	switch {
	case len(presented) == 0:
		return until, errors.New("it presents no certificate")
	case len(presented) > maxPresented:
		return until, fmt.Errorf("it presents %d certificates, more than %d", len(presented), maxPresented)
	}
	client := presented[0]
	if err := weakness(client); err != nil {
		return until, fmt.Errorf("its certificate %w", err)
	}
	if client.KeyUsage != 0 && client.KeyUsage&x509.KeyUsageDigitalSignature == 0 { // RFC 5246 section 7.4.6
		return until, errors.New("the key of its certificate is not for signatures")
	}
	between := x509.NewCertPool()
	for _, c := range presented[1:] {
		if weakness(c) == nil {
			between.AddCert(c)
		}
	}
	chains, err := client.Verify(x509.VerifyOptions{
		Roots: s.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return until, err
	}
	for _, chain := range chains {
		good, failure := s.accept(chain, now)
		if failure != nil {
			err = failure
		} else if good.After(until) {
			until = good
		}
	}
	if !until.IsZero() {
		err = nil
	}
	return until, err
}

// accept decides about a chain whose signatures and times are good. The anchor
// needs no clearance: it would not be one if it were revoked.
func (s *Store) accept(chain []*x509.Certificate, now time.Time) (until time.Time, err error) {
	anchor := len(chain) - 1
	if anchor > MaxAuthorities {
		return until, fmt.Errorf("%d authorities stand above its certificate, more than %d", anchor, MaxAuthorities)
	}
	until = chain[anchor].NotAfter
	for _, c := range chain[:anchor] {
		good, err := s.cleared(c, now)
		if err != nil {
			return until, fmt.Errorf("the certificate of %q %w", clip(Name(c.RawSubject)), err)
		}
		until = earlier(until, good)
	}
	return until, nil
}

// maxNames bounds what the names of authorities may add to a handshake, in bytes.
const maxNames = 16 << 10

// Names returns the authorities by which clients may choose a certificate, nil
// when they are too many to be told of in a handshake.
func (s *Store) Names() *x509.CertPool {
	size := 0
	for i := range s.entries {
		size += len(s.entries[i].RawSubject)
	}
	if size > maxNames {
		return nil
	}
	return s.roots
}
