package sigv4

import (
	"net/url"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func TestPresignedValidity(t *testing.T) {
	v := newVerifier()
	for _, row := range []struct {
		expires string
		after   time.Duration
		want    string
	}{
		{"", 5 * time.Minute, "ok"}, // the clock skew, as for the header form
		{"", 6 * time.Minute, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261122T102111Z (20261122T102611Z - 5 min.)"},
		{"1", time.Second, "ok"},
		{"1", 2 * time.Second, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261122T102012Z (20261122T102013Z - 1 sec.)"},
		{"3600", time.Hour, "ok"},
		{"3600", time.Hour + time.Second, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261122T102012Z (20261122T112012Z - 60 min.)"},
		{"3600", -5 * time.Minute, "ok"},
		{"3600", -6 * time.Minute, invalidType + "Signature not yet current: 20261122T102011Z is still later than 20261122T101911Z (20261122T101411Z + 5 min.)"},
		{"604800", 7 * 24 * time.Hour, "ok"},
		{"604801", 0, incompleteType + "X-Amz-Expires must be between 1 and 604800 seconds, got '604801'."},
		{"0", 0, incompleteType + "X-Amz-Expires must be between 1 and 604800 seconds, got '0'."},
		{"-1", 0, incompleteType + "X-Amz-Expires must be between 1 and 604800 seconds, got '-1'."},
		{"99999999999999999999", 0, incompleteType + "X-Amz-Expires must be between 1 and 604800 seconds, got '99999999999999999999'."},
	} {
		head := wire(t, presign(t, request(t, "GET", "/prod/$connect?a=b", "", ""), longTerm, hexSHA(""), row.expires, at))
		if got := verdict(t, v, head, nil, now+int64(row.after)); got != row.want {
			t.Errorf("%s after %v:\n got %s\nwant %s", row.expires, row.after, got, row.want)
		}
	}
}

func TestPresignedFields(t *testing.T) {
	v := newVerifier()
	head := wire(t, presign(t, request(t, "GET", "/prod?a=b", "X-Custom: 1|X-Amz-Meta-A: 2", ""), longTerm, hexSHA(""), "60", at))
	if got := verdict(t, v, head, nil, now); got != "ok" {
		t.Fatal(got)
	}
	for _, row := range []struct{ old, new, want string }{
		{"X-Custom: 1", "X-Custom: 2", mismatched},
		{"X-Custom: 1\r\n", "", mismatched},
		{"Host", "X-Amz-Other: 1\r\nHost", invalidType + "'X-Amz-Other' must be a 'SignedHeader' in the AWS Authorization."},
		{"Host", "X-Amz-Date: 20261122T102011Z\r\nHost", invalidType + "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"Host", "Cookie: a=b\r\nHost", "ok"},
		{"Host", "Authorization: Bearer a\r\nHost", incompleteType + "'a' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer a'."},
		{"X-Amz-Expires=60", "X-Amz-Expires=61", mismatched},
		{"&X-Amz-Expires=60", "", mismatched},
		{"X-Amz-Date=20261122T102011Z", "X-Amz-Date=20261122T102012Z", mismatched},
		{"X-Amz-Credential=AKIDEXAMPLE", "X-Amz-Credential=ASIAEXAMPLE", unknownToken},
		{"a=b", "a=c", mismatched},
		{"a=b&", "", mismatched},
		{"X-Amz-SignedHeaders=host%3B", "X-Amz-SignedHeaders=", invalidType + "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
	} {
		changed := strings.Replace(head, row.old, row.new, 1)
		if changed == head {
			t.Fatalf("no %q in %s", row.old, head)
		}
		if got := verdict(t, v, changed, nil, now); got != row.want {
			t.Errorf("%s for %s:\n got %s\nwant %s", row.new, row.old, got, row.want)
		}
	}
}

// Some clients add the session token to what is already signed.
func TestTokenAfterwards(t *testing.T) {
	v := newVerifier()
	without := func(o *v4.SignerOptions) { o.DisableSessionToken = true }
	head := wire(t, presign(t, request(t, "GET", "/prod?a=b&a:=1&a-=1", "", ""), temporary, hexSHA(""), "60", at, without))
	add := func(token string) string {
		return strings.Replace(head, "&X-Amz-Signature", "&X-Amz-Security-Token="+url.QueryEscape(token)+"&X-Amz-Signature", 1)
	}
	for _, row := range []struct{ head, want string }{
		{head, unknownToken},
		{add(tempWord), "ok"},
		{add("other"), unknownToken},
		{strings.Replace(add(tempWord), "a=b", "a=c", 1), mismatched},
	} {
		if got := verdict(t, v, row.head, nil, now); got != row.want {
			t.Errorf("%s: %s", row.head, got)
		}
	}

	r := request(t, "GET", "/prod", "", "")
	sign(t, r, longTerm, hexSHA(""), at)
	if got := verdict(t, v, strings.Replace(wire(t, r), "\r\nHost", "\r\nX-Amz-Security-Token: a\r\nHost", 1), nil, now); got != unknownToken {
		t.Errorf("a token beside a long-term key: %s", got)
	}
}
