package sigv4

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tidegate/tidegate/dataplane/http1"
)

const (
	region   = "us-east-1"
	host     = "api.example.com"
	keyID    = "AKIDEXAMPLE"
	secret   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	tempID   = "ASIAEXAMPLE"
	tempKey  = "temporary/secret+key"
	tempWord = "FwoGZXIvYXdzE+/session=token=="
)

var (
	at     = time.Date(2026, 11, 22, 10, 20, 11, 0, time.UTC)
	now    = at.UnixNano()
	expiry = now + int64(time.Hour)

	longTerm  = aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	temporary = aws.Credentials{AccessKeyID: tempID, SecretAccessKey: tempKey, SessionToken: tempWord}

	limits = http1.Limits{Target: 16384, Header: 32768, Count: 100}
)

// source is a CredentialSource of a few keys.
type source map[string]*Credential

func (s source) Lookup(id []byte) *Credential { return s[string(id)] }

func newVerifier(change ...func(*Config)) *Verifier {
	c := Config{Region: region, Credentials: source{
		keyID:  {AccessKeyID: keyID, Secret: secret, Principal: "ann"},
		tempID: {AccessKeyID: tempID, Secret: tempKey, Token: tempWord, Expires: expiry, Principal: "bob"},
	}}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

// request builds a request as a client does, from "Name: value|Name: value".
func request(t testing.TB, method, url, fields, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+host+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["User-Agent"] = nil // or net/http sends its own
	for line := range strings.SplitSeq(fields, "|") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	return r
}

func sha(body string) [32]byte { return sha256.Sum256([]byte(body)) }

func hexSHA(body string) string {
	h := sha(body)
	return hex.EncodeToString(h[:])
}

// sign signs a request with the SDK.
func sign(t testing.TB, r *http.Request, c aws.Credentials, payload string, when time.Time) {
	t.Helper()
	if err := newSigner().SignHTTP(context.Background(), c, r, payload, ExecuteAPI, region, when); err != nil {
		t.Fatal(err)
	}
}

// presign presigns a request with the SDK. expires is in seconds, or empty.
func presign(t testing.TB, r *http.Request, c aws.Credentials, payload, expires string, when time.Time, options ...func(*v4.SignerOptions)) *http.Request {
	t.Helper()
	if expires != "" {
		q := r.URL.Query()
		q.Set("X-Amz-Expires", expires)
		r.URL.RawQuery = q.Encode()
	}
	url, header, err := newSigner().PresignHTTP(context.Background(), c, r, payload, ExecuteAPI, region, when, options...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := http.NewRequest(r.Method, url, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	p.Host, p.Header, p.ContentLength = r.Host, header, r.ContentLength
	p.Header["User-Agent"] = nil
	p.Header.Del("Host")
	return p
}

// wire returns the head that net/http sends.
func wire(t testing.TB, r *http.Request) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
	return head + "\r\n\r\n"
}

// parse parses a head; it returns nil if that is refused.
func parse(head string) *http1.Request {
	var r http1.Request
	if r.Parse([]byte(head), limits) != 0 {
		return nil
	}
	return &r
}

// verdict is what Verify makes of a head: "ok" or the error type and message.
func verdict(t testing.TB, v *Verifier, head string, body *[32]byte, now int64) string {
	t.Helper()
	r := parse(head)
	if r == nil {
		t.Fatalf("malformed: %q", head)
	}
	return outcome(v.Verify(r, host, body, now))
}

func outcome(id Identity, failure *Failure) string {
	switch {
	case failure == nil && id.AccessKeyID == "":
		return "nobody"
	case failure == nil:
		return "ok"
	case id != Identity{}:
		return "an identity beside a failure"
	}
	return failure.Kind.ErrorType() + ": " + failure.Message
}

func newSigner() *v4.Signer { return v4.NewSigner() }
