package callers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/http1"
)

const (
	host   = "api.example.com"
	region = "us-east-1"
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var headLimits = http1.Limits{Target: 16384, Header: 32768, Count: 100}

// oneKey is a source of credentials that has one.
type oneKey struct{ credential *sigv4.Credential }

func (k oneKey) Lookup([]byte) *sigv4.Credential { return k.credential }

// signatures are the SDK signing a request, and Tidegate verifying it, with the
// day's signing key at hand for both.
func signatures() (sign, verify Contestant, err error) {
	request, err := http.NewRequest(http.MethodGet, "https://"+host+"/prod/pets/12?limit=10&after=abc%20def", nil)
	if err != nil {
		return sign, verify, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("X-Amz-Meta-Trace", "abc")
	request.Header["User-Agent"] = nil // or net/http sends its own
	empty := sha256.Sum256(nil)
	hash, at, signer := hex.EncodeToString(empty[:]), time.Now(), v4.NewSigner()
	credentials, ctx := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, context.Background()
	sign = Contestant{Signer, func() error {
		return signer.SignHTTP(ctx, credentials, request, hash, sigv4.ExecuteAPI, region, at)
	}, few}
	if err := sign.Check(); err != nil {
		return sign, verify, err
	}
	var wire bytes.Buffer
	if err := request.Write(&wire); err != nil {
		return sign, verify, err
	}
	head := &http1.Request{}
	if fault := head.Parse(wire.Bytes(), headLimits); fault != 0 {
		return sign, verify, fmt.Errorf("the request is malformed: %v", fault)
	}
	verifier := sigv4.New(sigv4.Config{Region: region, Credentials: oneKey{&sigv4.Credential{AccessKeyID: keyID, Secret: secret}}})
	verify = Contestant{Verify, func() error {
		if _, failure := verifier.Verify(head, host, nil, at.UnixNano()); failure != nil {
			return fmt.Errorf("the signature is refused: %s", failure.Message)
		}
		return nil
	}, few}
	return sign, verify, verify.Check()
}
