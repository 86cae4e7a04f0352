package sigv4

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestR34AcceptsWhatTheSDKSigns(t *testing.T) {
	g, v := generator{rand.New(rand.NewPCG(1, 2))}, newVerifier()
	for i := range 2000 {
		head, body := g.request(t, i%2 == 1)
		h := sha(body)
		if got := verdict(t, v, head, &h, now); got != "ok" {
			t.Fatalf("request %d: %s\n%s", i, got, head)
		}
	}
}

// What AWS's canonical form does not tell apart is accepted.
func TestAcceptsOtherSpellings(t *testing.T) {
	v := newVerifier()
	r := request(t, "GET", "/prod/pets?a=1%20x&b=2", "X-Two: one two|X-Empty: ", "")
	sign(t, r, longTerm, hexSHA(""), at)
	head := wire(t, r)
	for _, change := range [][2]string{
		{"", ""},
		{"a=1%20x&b=2", "b=2&a=1%20x"},
		{"a=1%20x", "a=1+x"},
		{"a=1%20x", "%61=%31%20%78"},
		{"X-Two: one two", "x-TWO:   one   two  "},
		{"X-Empty: ", "X-Empty:"},
		{"X-Two", "User-Agent: any\r\nX-Amzn-Trace-Id: Root=1\r\nX-Two"},
		{", ", ","},
		{", ", " , \t"},
		{", ", " "},
	} {
		changed := strings.ReplaceAll(head, change[0], change[1])
		if change[0] == "" {
			changed = head
		}
		if got := verdict(t, v, changed, nil, now); got != "ok" {
			t.Errorf("%q for %q: %s", change[1], change[0], got)
		}
	}
}

func TestIdentity(t *testing.T) {
	v := newVerifier()
	for _, row := range []struct {
		credentials aws.Credentials
		presigned   bool
		want        Identity
	}{
		{longTerm, false, Identity{AccessKeyID: keyID, Principal: "ann"}},
		{longTerm, true, Identity{AccessKeyID: keyID, Principal: "ann", Presigned: true}},
		{temporary, false, Identity{AccessKeyID: tempID, Principal: "bob", Temporary: true}},
		{temporary, true, Identity{AccessKeyID: tempID, Principal: "bob", Temporary: true, Presigned: true}},
	} {
		r := request(t, "GET", "/prod/pets", "", "")
		if row.presigned {
			r = presign(t, r, row.credentials, hexSHA(""), "60", at)
		} else {
			sign(t, r, row.credentials, hexSHA(""), at)
		}
		row.want.SignedAt = now
		id, failure := v.Verify(parse(wire(t, r)), host, nil, now+int64(time.Second))
		if failure != nil || id != row.want {
			t.Errorf("got %+v, %v, want %+v", id, failure, row.want)
		}
	}
}

// The example of the AWS documentation, which is for another service.
func TestDocumentedExample(t *testing.T) {
	v := newVerifier(func(c *Config) { c.Service = "iam" })
	head := "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\n" +
		"Host: iam.amazonaws.com\r\n" +
		"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n" +
		"X-Amz-Date: 20150830T123600Z\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n\r\n"
	when := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC).UnixNano()
	if got := outcome(v.Verify(parse(head), "iam.amazonaws.com", nil, when)); got != "ok" {
		t.Error(got)
	}
	k := deriveKey(secret, [8]byte([]byte("20150830")), region, "iam")
	var key [32]byte
	for i := range key {
		key[i] = k.inner[i] ^ 0x36
	}
	if got := fmt.Sprintf("%x", key); got != "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9" {
		t.Errorf("signing key %s", got)
	}
}
