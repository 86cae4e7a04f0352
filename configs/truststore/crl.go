package truststore

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// list is a revocation list that its authority has signed.
type list struct {
	at       string // file name, and line if it is PEM
	issuer   string // for messages
	from, to time.Time
	revoked  map[string]struct{} // serial numbers, big-endian
}

// readLists reads a file of revocation lists.
func (s *Store) readLists(name string, content []byte) error {
	if !bytes.Contains(content, begin) {
		return s.readList(filepath.Base(name), content)
	}
	return eachBlock(name, content, "X509 CRL", s.readList)
}

// readList reads a list. Its authority has to be in the trust store, or nobody
// could tell whose it is.
func (s *Store) readList(at string, der []byte) error {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return fmt.Errorf("%s: not a revocation list of version 2 (RFC 5280), in PEM or DER form: %w", at, err)
	}
	l := &list{at: at, issuer: clip(Name(crl.RawIssuer)), from: crl.ThisUpdate, to: crl.NextUpdate,
		revoked: make(map[string]struct{}, len(crl.RevokedCertificateEntries))}
	if err := complete(crl); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if err := s.signed(crl); err != nil {
		return fmt.Errorf("%s: the list of %q %w", at, l.issuer, err)
	}
	if crl.NextUpdate.IsZero() {
		return fmt.Errorf("%s: the list of %q does not say when the next one comes (RFC 5280 section 5.1.2.5): have it made with that", at, l.issuer)
	}
	for i := range crl.RevokedCertificateEntries {
		l.revoked[string(crl.RevokedCertificateEntries[i].SerialNumber.Bytes())] = struct{}{}
	}
	s.lists = append(s.lists, l)
	s.ofName[string(crl.RawIssuer)] = append(s.ofName[string(crl.RawIssuer)], l)
	return nil
}

// signed checks a list's signature.
func (s *Store) signed(crl *x509.RevocationList) error {
	if err := weakSignature(crl.SignatureAlgorithm); err != nil {
		return err
	}
	err := errors.New("has no use: put the certificate of its authority into the trust store")
	for i := range s.entries {
		c := s.entries[i].Certificate
		if !bytes.Equal(c.RawSubject, crl.RawIssuer) {
			continue
		}
		if failure := crl.CheckSignatureFrom(c); failure == nil {
			return nil
		} else {
			err = fmt.Errorf("is not signed by the authority at %s: %w", s.entries[i].at, failure)
		}
	}
	return err
}

// Extensions of lists (RFC 5280 section 5.2).
var (
	deltaIndicator    = asn1.ObjectIdentifier{2, 5, 29, 27}
	issuingPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	certificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// issuingDistributionPoint says what a list is about (RFC 5280 section 5.2.5).
type issuingDistributionPoint struct {
	Point          asn1.RawValue  `asn1:"optional,tag:0"`
	OnlyUsers      bool           `asn1:"optional,tag:1"`
	OnlyCAs        bool           `asn1:"optional,tag:2"`
	OnlyReasons    asn1.BitString `asn1:"optional,tag:3"`
	Indirect       bool           `asn1:"optional,tag:4"`
	OnlyAttributes bool           `asn1:"optional,tag:5"`
}

// complete refuses lists that say only a part of what is revoked, or of other
// authorities than their own. One that is split by distribution points or into
// clients and authorities is good if all of it is given.
func complete(crl *x509.RevocationList) error {
	for _, e := range crl.Extensions {
		switch {
		case e.Id.Equal(deltaIndicator):
			return errors.New("a delta list says only what has changed: give the complete one")
		case e.Id.Equal(issuingPoint):
			var p issuingDistributionPoint
			if rest, err := asn1.Unmarshal(e.Value, &p); err != nil || len(rest) > 0 {
				return errors.New("the issuing distribution point of the list cannot be read")
			}
			if p.Indirect || p.OnlyAttributes || p.OnlyReasons.BitLength > 0 {
				return errors.New("an indirect list, or one of some reasons or of attribute certificates alone, is not supported: give the authority's own complete one")
			}
		case e.Critical:
			return fmt.Errorf("the list has a critical extension %s, which is not known", e.Id)
		}
	}
	for i := range crl.RevokedCertificateEntries {
		for _, e := range crl.RevokedCertificateEntries[i].Extensions {
			if e.Critical || e.Id.Equal(certificateIssuer) {
				return fmt.Errorf("an entry of the list has an extension %s, which is not supported", e.Id)
			}
		}
	}
	return nil
}

// current returns why a list cannot be gone by at a time, if so.
func (l *list) current(now time.Time) error {
	if now.Before(l.from) {
		return fmt.Errorf("%s: the revocation list of %q is not in force before %s", l.at, l.issuer, date(l.from))
	}
	if !now.Before(l.to) {
		return fmt.Errorf("%s: the revocation list of %q is out of date since %s", l.at, l.issuer, date(l.to))
	}
	return nil
}

// revoked looks a certificate up in the lists of its issuer, whether they are in
// force or not.
func (s *Store) revoked(c *x509.Certificate) error {
	for _, l := range s.ofName[string(c.RawIssuer)] {
		if _, ok := l.revoked[string(c.SerialNumber.Bytes())]; ok {
			return fmt.Errorf("is revoked by %s", l.at)
		}
	}
	return nil
}

// cleared checks a certificate against the lists of its issuer, all of which have
// to be current, and returns until when they are. An issuer without lists is not
// asked.
func (s *Store) cleared(c *x509.Certificate, now time.Time) (until time.Time, err error) {
	if err := s.revoked(c); err != nil {
		return until, err
	}
	until = c.NotAfter
	for _, l := range s.ofName[string(c.RawIssuer)] {
		if err := l.current(now); err != nil {
			return until, err
		}
		until = earlier(until, l.to)
	}
	return until, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
