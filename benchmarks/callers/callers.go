// Package callers measures what it costs to find out who calls, in this process:
// a signed request against the AWS SDK signing the same one, a token against the
// library that verifies its bare signature, and what is remembered of a token or
// an authorizer's answer against that. What is compared is here once, for the
// scenario auth and for
//
//	go test -bench . -count=10
package callers

import (
	"fmt"
	"runtime"
	"time"
)

// Names of the contestants.
const (
	Verify     = "tidegate-sigv4"
	Signer     = "aws-sdk-signer"
	JWTCached  = "tidegate-jwt-cached"
	JWTES256   = "tidegate-jwt-es256"
	JWTRS256   = "tidegate-jwt-rs256"
	ES256      = "golang-jwt-es256"
	RS256      = "golang-jwt-rs256"
	Authorizer = "tidegate-authorizer-cached"
)

// Modules are the modules the rivals are from.
var Modules = map[string]string{
	Signer: "github.com/aws/aws-sdk-go-v2", ES256: "github.com/golang-jwt/jwt/v5", RS256: "github.com/golang-jwt/jwt/v5",
}

// Contestant finds out who calls, or does what that is compared with.
type Contestant struct {
	Name  string
	Check func() error // once
	batch int          // between two looks at the clock
}

// Batches, such that one takes well above what the clock does.
const (
	many = 1024
	few  = 16
)

// All returns the contestants. Close ends what they need.
func All() (all []Contestant, shut func(), err error) {
	sign, verify, err := signatures()
	if err != nil {
		return nil, nil, fmt.Errorf("signed requests: %w", err)
	}
	tokens, closeTokens, err := tokens()
	if err != nil {
		return nil, nil, fmt.Errorf("tokens: %w", err)
	}
	remembered, closeStore, err := remembered()
	if err != nil {
		closeTokens()
		return nil, nil, fmt.Errorf("authorizer: %w", err)
	}
	return append([]Contestant{verify, sign, remembered}, tokens...), func() { closeTokens(); closeStore() }, nil
}

// SelfCheck returns the library under every name that is compared: all ratios
// must be about 1.
func SelfCheck() ([]Contestant, error) {
	library, err := newSigned("ES256")
	if err != nil {
		return nil, err
	}
	var same []Contestant
	for _, name := range []string{Verify, Signer, JWTCached, JWTES256, JWTRS256, ES256, RS256, Authorizer} {
		same = append(same, Contestant{name, library.verify, few})
	}
	return same, nil
}

// Cost is what one check takes.
type Cost struct {
	Nanos  float64
	Allocs float64 // heap allocations, rounded down as Go's benchmarks do
}

// Cost measures for d.
func (c Contestant) Cost(d time.Duration) (Cost, error) {
	before, checks, began := mallocs(), 0, time.Now()
	var took time.Duration
	for took < d {
		for range c.batch {
			if err := c.Check(); err != nil {
				return Cost{}, err
			}
		}
		checks += c.batch
		took = time.Since(began)
	}
	return Cost{Nanos: float64(took) / float64(checks), Allocs: float64((mallocs() - before) / uint64(checks))}, nil
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
