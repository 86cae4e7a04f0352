package authorizer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// wire is a Request as an event loop has it.
type wire struct{ r http1.Request }

func (w *wire) IdentityHeader(name string, from int) ([]byte, int) {
	for i := from; i < w.r.Len(); i++ {
		if http1.EqualFold(w.r.Name(i), name) {
			return w.r.Value(i), i + 1
		}
	}
	return nil, -1
}

func (w *wire) IdentityQuery(name string, from int) ([]byte, int) {
	for q := (http1.Query{Rest: w.r.Query[from:]}); q.Next(); {
		if q.Is(name) {
			return q.Value, len(w.r.Query) - len(q.Rest)
		}
	}
	return nil, -1
}

func (w *wire) AppendIdentityContext(dst []byte, v ContextVar) []byte {
	if v == ContextPath {
		return append(dst, w.r.Path...)
	}
	return dst
}

// cachedCase is an authorizer that remembers the verdict on a request with a
// token as long as identity providers make them.
type cachedCase struct {
	a       *Authorizer
	request *wire
	key     []byte
	context policy.Context
	now     int64
}

func newCachedCase(t testing.TB, d *definition.Authorizer) *cachedCase {
	t.Helper()
	head := "GET /prod/pets/6?limit=10&q=a%20b&q=c HTTP/1.1\r\nHost: abcdefghij.execute-api.example.com\r\nUser-Agent: curl/8\r\nAccept: */*\r\n" +
		"Authorization: Bearer " + strings.Repeat("eyJhbGciOiJFUzI1NiJ9", 45) + "\r\nX-Tenant: blue\r\nContent-Type: application/json\r\n\r\n"
	c := &cachedCase{a: compiled(t, d, newStore(t, Options{})), request: &wire{}, key: make([]byte, 0, 4096), now: 1}
	if fault := c.request.r.Parse([]byte(head), http1.Limits{Target: 8192, Header: 8192, Count: 50}); fault != 0 {
		t.Fatal(fault)
	}
	c.context = policy.Context{SourceIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "curl/8"}
	v, err := parseResult([]byte(allowed))
	if err != nil {
		t.Fatal(err)
	}
	key, ok := c.a.AppendKey(nil, c.request)
	if !ok {
		t.Fatal("no key")
	}
	c.a.state.remember(key, v, 0, 1<<62)
	return c
}

// authorize is what every request with a remembered verdict costs.
func (c *cachedCase) authorize(t testing.TB) {
	key, ok := c.a.AppendKey(c.key[:0], c.request)
	if !ok {
		t.Fatal("no key")
	}
	v := c.a.Lookup(key, c.now, 0)
	if v == nil || v.Evaluate(petARN, &c.context) != policy.Allow {
		t.Fatal("not allowed")
	}
}

// cachedCases are both types, with all kinds of sources.
var cachedCases = map[string]*definition.Authorizer{
	"TOKEN": definitionOf("http://h", func(d *definition.Authorizer) { d.IdentityValidation = `Bearer [^ ]+` }),
	"REQUEST": definitionOf("http://h", byRequest("method.request.header.Authorization,method.request.header.X-Tenant,"+
		"method.request.querystring.q,stageVariables.tenant,context.path,context.stage")),
}

func TestARememberedVerdictAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	for name, d := range cachedCases {
		c := newCachedCase(t, d)
		if n := testing.AllocsPerRun(1000, func() { c.authorize(t) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// signed is what a request would cost that has its token's signature verified.
type signed struct {
	key       *ecdsa.PublicKey
	hash      [32]byte
	signature []byte
}

func newSigned(t testing.TB) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &signed{key: &key.PublicKey, hash: sha256.Sum256([]byte("token"))}
	if s.signature, err = ecdsa.SignASN1(rand.Reader, key, s.hash[:]); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *signed) verify(t testing.TB) {
	if !ecdsa.VerifyASN1(s.key, s.hash[:], s.signature) {
		t.Fatal("not verified")
	}
}

// mostOfASignature is what a remembered verdict may cost, as a part of one
// verification of an ECDSA P-256 signature.
const mostOfASignature = 0.01

func TestARememberedVerdictCostsLittle(t *testing.T) {
	if underRace {
		t.Skip("the race detector takes its own time")
	}
	s := newSigned(t)
	for name, d := range cachedCases {
		c := newCachedCase(t, d)
		verdict, signature := time.Hour, time.Hour // the least of each, by turns
		for range 50 {
			start := time.Now()
			for range 1000 {
				c.authorize(t)
			}
			verdict = min(verdict, time.Since(start)/1000)
			start = time.Now()
			for range 10 {
				s.verify(t)
			}
			signature = min(signature, time.Since(start)/10)
		}
		ratio := float64(verdict) / float64(signature)
		t.Logf("%s: %v, a signature %v: %.4f", name, verdict, signature, ratio)
		if ratio > mostOfASignature {
			t.Errorf("%s: a remembered verdict costs %.4f of a signature, more than %v", name, ratio, mostOfASignature)
		}
	}
}

func BenchmarkRemembered(b *testing.B) {
	for name, d := range cachedCases {
		b.Run(name, func(b *testing.B) {
			c := newCachedCase(b, d)
			b.ReportAllocs()
			for b.Loop() {
				c.authorize(b)
			}
		})
	}
}

func BenchmarkVerifyP256(b *testing.B) {
	s := newSigned(b)
	b.ReportAllocs()
	for b.Loop() {
		s.verify(b)
	}
}

func BenchmarkParseResult(b *testing.B) {
	text := []byte(with(`"context":{"a":"b","n":1}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseResult(text); err != nil {
			b.Fatal(err)
		}
	}
}
