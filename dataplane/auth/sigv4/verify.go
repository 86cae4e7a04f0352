package sigv4

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// ExecuteAPI is the service that requests to deployed APIs are signed for.
const ExecuteAPI = "execute-api"

// Config is what a Verifier needs to know.
type Config struct {
	Region      string
	Service     string // ExecuteAPI if empty
	Credentials CredentialSource

	// AllowUnsignedPayload lets clients leave bodies out of signatures, with
	// UNSIGNED-PAYLOAD. Whether AWS does so for execute-api is not documented.
	AllowUnsignedPayload bool

	// JoinSlashes also accepts a path that is signed without its empty segments.
	// AWS documents it so, and botocore and the SDKs for Java and JavaScript do it;
	// the SDKs for Go sign the path that they send. A request could be changed on
	// its way by doubling slashes.
	JoinSlashes bool
}

// Verifier verifies requests for one region and service. It can be used by many
// goroutines at once.
type Verifier struct {
	config    Config
	decoy     *Credential
	scratches sync.Pool
}

// New returns a Verifier.
func New(c Config) *Verifier {
	if c.Service == "" {
		c.Service = ExecuteAPI
	}
	return &Verifier{
		config:    c,
		decoy:     &Credential{Secret: rand.Text()},
		scratches: sync.Pool{New: func() any { return new(scratch) }},
	}
}

// Identity is who signed a request.
type Identity struct {
	AccessKeyID string
	Principal   any   // of the Credential
	Temporary   bool  // the key is of a session
	Presigned   bool  // the signature is in the query
	SignedAt    int64 // nanoseconds since the Unix epoch, by the client's clock
	Payload     Payload
	BodyHash    [sha256.Size]byte // if the client declared one
}

// Verify returns who signed the request r that was routed to host (lower case,
// without port), or why it is refused. bodyHash is the SHA-256 of the body, or
// nil if that has not been read: see NeedsBody. now is in nanoseconds since the
// Unix epoch.
func (v *Verifier) Verify(r *http1.Request, host string, bodyHash *[sha256.Size]byte, now int64) (Identity, *Failure) {
	s := v.scratches.Get().(*scratch)
	defer v.scratches.Put(s)
	s.readQuery(r.Query)

	var c claim
	if failure := c.read(s, r); failure != nil {
		return Identity{}, failure
	}
	if failure := c.checkScope(v.config.Region, v.config.Service); failure != nil {
		return Identity{}, failure
	}
	if failure := c.checkTime(now / 1e9); failure != nil {
		return Identity{}, failure
	}
	if string(r.Host) != host {
		return Identity{}, mismatch
	}
	if failure := c.checkSigned(r); failure != nil {
		return Identity{}, failure
	}
	id := Identity{Presigned: c.presigned, SignedAt: c.seconds * 1e9}
	var text [2 * sha256.Size]byte
	payload, failure := id.checkPayload(text[:0], r, &c, bodyHash, v.config.AllowUnsignedPayload)
	if failure != nil {
		return Identity{}, failure
	}
	credential, failure := v.authenticate(s, r, &c, payload, now)
	if failure != nil {
		return Identity{}, failure
	}
	id.AccessKeyID, id.Principal, id.Temporary = credential.AccessKeyID, credential.Principal, credential.Token != ""
	return id, nil
}

// authenticate returns the credential that the request is signed with. An
// unknown key takes the same steps as a known one, with a decoy.
func (v *Verifier) authenticate(s *scratch, r *http1.Request, c *claim, payload []byte, now int64) (*Credential, *Failure) {
	credential := v.config.Credentials.Lookup(c.accessKey)
	known := credential != nil
	if !known {
		credential = v.decoy
	}
	key := credential.signingKey(c.seconds/secondsPerDay, [8]byte(c.date), v.config.Region, v.config.Service)
	signed := v.matches(s, r, c, payload, key)
	belongs := subtle.ConstantTimeCompare(c.token, []byte(credential.Token)) == 1
	switch {
	case !known || !belongs:
		return nil, invalidToken
	case credential.Token != "" && now >= credential.Expires:
		return nil, expiredToken
	case !signed:
		return nil, mismatch
	}
	return credential, nil
}

// matches reports whether the signature is the request's in one of its
// readings.
func (v *Verifier) matches(s *scratch, r *http1.Request, c *claim, payload []byte, key *signingKey) bool {
	all := asGoSDK
	if c.presigned && c.token != nil {
		all |= tokenAfterwards
	}
	if v.config.JoinSlashes {
		all |= joinSlashes
	}
	for as := reading(0); as <= all; as++ {
		if as&^all != 0 {
			continue
		}
		s.makeCanonical(r, c, payload, as)
		if text := s.signature(c, key); hmac.Equal(text[:], c.signature) {
			return true
		}
	}
	return false
}
