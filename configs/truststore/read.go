package truststore

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Limits of files. Those of a trust store are AWS's.
const (
	MaxCertificates = 1000     // in a trust store
	maxTruststore   = 1 << 20  // bytes
	maxCRL          = 16 << 20 // bytes
)

// Files name what a Store is read from.
type Files struct {
	Truststore string   // certificates of authorities, PEM
	CRLs       []string // revocation lists of these authorities, PEM or DER
}

// Store is the authorities of a trust store with their revocation lists. It is
// immutable; any number of goroutines may use it.
type Store struct {
	roots   *x509.CertPool
	entries []entry
	lists   []*list
	ofName  map[string][]*list // the lists by the name of their authority, in DER
	digest  [sha256.Size]byte
}

// entry is a certificate of a trust store.
type entry struct {
	*x509.Certificate
	at      string // where it is, such as "clients.pem:14"
	problem string // that time does not heal, or ""
}

// Read reads a trust store and its revocation lists. An error names the file, and
// the line where it has lines. A certificate that cannot be used is no error:
// Warnings tells of it.
func Read(f Files) (*Store, error) {
	text, err := readFile(f.Truststore, maxTruststore)
	if err != nil {
		return nil, fmt.Errorf("trust store: %w", err)
	}
	crls := make([][]byte, len(f.CRLs))
	for i, name := range f.CRLs {
		if crls[i], err = readFile(name, maxCRL); err != nil {
			return nil, fmt.Errorf("revocation list: %w", err)
		}
	}
	return parse(f, text, crls)
}

// readFile reads a file whole, if it is not larger than most bytes.
func readFile(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return text, nil
}

// parse makes a Store of the files' contents.
func parse(f Files, text []byte, crls [][]byte) (*Store, error) {
	s := &Store{roots: x509.NewCertPool(), ofName: map[string][]*list{}}
	sum := sha256.New()
	for _, content := range append([][]byte{text}, crls...) {
		part := sha256.Sum256(content)
		sum.Write(part[:])
	}
	sum.Sum(s.digest[:0])
	if err := s.readCertificates(f.Truststore, text); err != nil {
		return nil, err
	}
	for i, name := range f.CRLs {
		if err := s.readLists(name, crls[i]); err != nil {
			return nil, err
		}
	}
	s.judge()
	return s, nil
}

// Same reports whether two stores were read from the same bytes.
func (s *Store) Same(other *Store) bool { return s.digest == other.digest }

func (s *Store) readCertificates(name string, text []byte) error {
	err := eachBlock(name, text, "CERTIFICATE", func(at string, der []byte) error {
		if len(s.entries) == MaxCertificates {
			return fmt.Errorf("%s: more than %d certificates", at, MaxCertificates)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%s: not a certificate: %w", at, err)
		}
		s.entries = append(s.entries, entry{Certificate: c, at: at})
		return nil
	})
	if err == nil && len(s.entries) == 0 {
		err = fmt.Errorf("%s holds no certificate: put those of authorities there, in PEM form", name)
	}
	return err
}

var begin = []byte("-----BEGIN ")

// eachBlock hands out the PEM blocks of a file with where they begin, base name
// and line. All of them have to be whole and of one kind; text between them is
// comment.
func eachBlock(name string, text []byte, kind string, do func(at string, der []byte) error) error {
	base, line := filepath.Base(name), 1
	for {
		block, rest := pem.Decode(text)
		start := bytes.Index(text, begin)
		if start < 0 {
			return nil
		}
		line += bytes.Count(text[:start], []byte("\n"))
		at := fmt.Sprintf("%s:%d", base, line)
		if block == nil || bytes.Count(text[:len(text)-len(rest)], begin) > 1 { // it was skipped
			return fmt.Errorf("%s: the PEM block that begins here is not whole", at)
		}
		if block.Type != kind {
			return fmt.Errorf("%s: a block of type %q; only those of type %q belong here", at, clip(block.Type), kind)
		}
		if err := do(at, block.Bytes); err != nil {
			return err
		}
		line += bytes.Count(text[start:len(text)-len(rest)], []byte("\n"))
		text = rest
	}
}

// clip keeps a message short, whatever a file holds.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// judge finds what is wrong with the certificates, and trusts the others.
func (s *Store) judge() {
	seen, names := map[string]string{}, map[string]string{}
	for i := range s.entries {
		e := &s.entries[i]
		if first, again := seen[string(e.Raw)]; again {
			e.problem = "is at " + first + " already"
			continue
		}
		seen[string(e.Raw)] = e.at
		err := weakness(e.Certificate)
		if err == nil {
			err = s.revoked(e.Certificate)
		}
		if err != nil {
			e.problem = err.Error() + ": nobody is trusted by it"
			continue
		}
		s.roots.AddCert(e.Certificate)
		first, again := names[string(e.RawSubject)]
		switch {
		case !isAuthority(e.Certificate):
			e.problem = "is not an authority: it is trusted as a client, and vouches for nobody"
		case again:
			e.problem = "has the name of the one at " + first + "; both are trusted"
		default:
			names[string(e.RawSubject)] = e.at
		}
	}
}
