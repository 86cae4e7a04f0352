package sigv4

import (
	"strings"
	"testing"
	"time"
)

const (
	incompleteType = "IncompleteSignatureException: "
	invalidType    = "InvalidSignatureException: "
	unsigned       = "MissingAuthenticationTokenException: Missing Authentication Token"
	unknownToken   = "UnrecognizedClientException: The security token included in the request is invalid."
	mismatched     = invalidType + "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// Refusals by the value of Authorization.
func TestAuthorizationFailures(t *testing.T) {
	const (
		scope       = "20261122/us-east-1/execute-api/aws4_request"
		credential  = "Credential=AKIDEXAMPLE/" + scope
		rest        = ", SignedHeaders=host;x-amz-date, Signature=00"
		noCred      = "Authorization header requires 'Credential' parameter. "
		noSignature = "Authorization header requires 'Signature' parameter. "
		noHeaders   = "Authorization header requires 'SignedHeaders' parameter. "
	)
	v := newVerifier()
	for _, row := range []struct{ authorization, want string }{
		{"xyz", incompleteType + "'xyz' not a valid key=value pair (missing equal-sign) in Authorization header: 'xyz'."},
		{"Bearer abc.def", incompleteType + "'abc.def' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc.def'."},
		{"AWS4-HMAC-SHA256", incompleteType + noCred + noSignature + noHeaders + "Authorization=AWS4-HMAC-SHA256"},
		{"AWS4-HMAC-SHA256 a=b", incompleteType + noCred + noSignature + noHeaders + "Authorization=AWS4-HMAC-SHA256 a=b"},
		{"AWS4-HMAC-SHA256 Credential=, Signature=, SignedHeaders=", incompleteType + noCred + noSignature + noHeaders + "Authorization=AWS4-HMAC-SHA256 Credential=, Signature=, SignedHeaders="},
		{"AWS4-HMAC-SHA256 Credential=a, Signature=b", incompleteType + noHeaders + "Authorization=AWS4-HMAC-SHA256 Credential=a, Signature=b"},
		{"AWS4-HMAC-SHA256 " + credential + rest + ", x", incompleteType + "'x' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 " + credential + rest + ", x'."},
		{"AWS4-HMAC-SHA256 " + credential + rest + ", Signature=11", incompleteType + "Authorization header has more than one 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 " + credential + rest + ", Signature=11"},
		{"AWS4-HMAC-SHA512 " + credential + rest, incompleteType + "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."},
		{"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE" + rest, incompleteType + "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE'"},
		{"AWS4-HMAC-SHA256 " + credential + "/x" + rest, incompleteType + "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/" + scope + "/x'"},
		{"AWS4-HMAC-SHA256 Credential=a/20261122/x/execute-api/aws4_request" + rest, invalidType + "Credential should be scoped to a valid Region, not 'x'."},
		{"AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/s3/aws4_request" + rest, invalidType + "Credential should be scoped to correct service: 'execute-api'."},
		{"AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/execute-api/x" + rest, invalidType + "Credential should be scoped with a valid terminator: 'aws4_request', not 'x'."},
		{"AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/s3/x" + rest, invalidType + "Credential should be scoped to correct service: 'execute-api'. Credential should be scoped with a valid terminator: 'aws4_request', not 'x'."},
		{"AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/execute-api/aws4_request" + rest, invalidType + "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T102011Z'."},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=x-amz-date, Signature=00", invalidType + "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=host, Signature=00", invalidType + "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=x-amz-date;host, Signature=00", mismatched},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=Host;x-amz-date, Signature=00", mismatched},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=;host;x-amz-date, Signature=00", mismatched},
		{"AWS4-HMAC-SHA256 " + credential + ", SignedHeaders=absent;host;x-amz-date, Signature=00", mismatched},
		{"AWS4-HMAC-SHA256 " + credential + rest, mismatched},
		{"AWS4-HMAC-SHA256 " + credential + rest + strings.Repeat("0", 62), mismatched},
		{"AWS4-HMAC-SHA256 Credential=/" + scope + rest, unknownToken},
		{"AWS4-HMAC-SHA256 Credential=AKIDNOBODY/" + scope + rest, unknownToken},
		{"AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/" + scope + rest, unknownToken}, // without its session token
	} {
		head := "GET /prod HTTP/1.1\r\nHost: " + host + "\r\nX-Amz-Date: 20261122T102011Z\r\nAuthorization: " + row.authorization + "\r\n\r\n"
		if got := verdict(t, v, head, nil, now); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.authorization, got, row.want)
		}
	}
}

func TestOtherFailures(t *testing.T) {
	v := newVerifier()
	const authorization = "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n"
	badDate := func(text string) string {
		return incompleteType + "Date must be in ISO-8601 'basic format'. Got '" + text + "'. See http://en.wikipedia.org/wiki/ISO_8601"
	}
	for _, row := range []struct{ target, fields, want string }{
		{"/", "", unsigned},
		{"/?a=b", "X-Amz-Date: 20261122T102011Z\r\n", unsigned},
		{"/?X-Amz-Date=20261122T102011Z", "", unsigned},
		{"/?x-amz-signature=0", "", unsigned},
		{"/", "Authorization: \r\n", incompleteType + "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
			"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization="},
		{"/", authorization, incompleteType + "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
			strings.TrimSpace(strings.Replace(authorization, ": ", "=", 1))},
		{"/", authorization + authorization, incompleteType + "Request has more than one 'Authorization' header."},
		{"/", authorization + "X-Amz-Date: 1\r\nx-amz-date: 1\r\n", incompleteType + "Request has more than one 'x-amz-date' header."},
		{"/", authorization + "Date: 1\r\nDate: 1\r\n", incompleteType + "Request has more than one 'Date' header."},
		{"/", authorization + "X-Amz-Date: yesterday\r\n", badDate("yesterday")},
		{"/", authorization + "X-Amz-Date: 20260431T000000Z\r\n", badDate("20260431T000000Z")},
		{"/", authorization + "X-Amz-Date: 20261122T102060Z\r\n", badDate("20261122T102060Z")},
		{"/", authorization + "X-Amz-Date: 20261122T102011+\r\n", badDate("20261122T102011+")},
		{"/", authorization + "X-Amz-Date: Sun, 22 Nov 2026 10:20:11 GMT\r\n", badDate("Sun, 22 Nov 2026 10:20:11 GMT")},
		{"/", authorization + "Date: yesterday\r\n", badDate("yesterday")},
		{"/?X-Amz-Signature=0", "", incompleteType + "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. " +
			"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"/?X-Amz-Signature=0&%58-Amz-Signature=0", "", incompleteType + "Request has more than one 'X-Amz-Signature' parameter."},
		{"/?X-Amz-Algorithm=AWS4-HMAC-SHA1&X-Amz-Signature=0&X-Amz-Credential=a&X-Amz-SignedHeaders=host&X-Amz-Date=x", "", incompleteType + "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'."},
		{"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Credential=a&X-Amz-SignedHeaders=host&X-Amz-Date=x", "",
			incompleteType + "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a'"},
		{"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Credential=a%2Fb%2Fc%2Fd%2Fe&X-Amz-SignedHeaders=host&X-Amz-Date=x", "", badDate("x")},
	} {
		head := "GET " + row.target + " HTTP/1.1\r\nHost: " + host + "\r\n" + row.fields + "\r\n"
		if got := verdict(t, v, head, nil, now); got != row.want {
			t.Errorf("%s %q:\n got %s\nwant %s", row.target, row.fields, got, row.want)
		}
	}
}

func TestSkew(t *testing.T) {
	v := newVerifier()
	r := request(t, "GET", "/prod/pets", "", "")
	sign(t, r, longTerm, hexSHA(""), at)
	head := wire(t, r)
	for _, row := range []struct {
		after time.Duration
		want  string
	}{
		{0, "ok"},
		{5 * time.Minute, "ok"},
		{5*time.Minute + time.Second, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261122T102012Z (20261122T102512Z - 5 min.)"},
		{6 * time.Minute, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261122T102111Z (20261122T102611Z - 5 min.)"},
		{24 * time.Hour, invalidType + "Signature expired: 20261122T102011Z is now earlier than 20261123T101511Z (20261123T102011Z - 5 min.)"},
		{-5 * time.Minute, "ok"},
		{-5*time.Minute - time.Second, invalidType + "Signature not yet current: 20261122T102011Z is still later than 20261122T102010Z (20261122T101510Z + 5 min.)"},
	} {
		if got := verdict(t, v, head, nil, now+int64(row.after)); got != row.want {
			t.Errorf("after %v:\n got %s\nwant %s", row.after, got, row.want)
		}
	}
}

// Around midnight the scope has the day of the signature, not of the clock.
func TestMidnight(t *testing.T) {
	v := newVerifier()
	for _, second := range []int{-1, 0, 1, -1, 0} {
		when := time.Date(2026, 12, 1, 0, 0, second, 0, time.UTC)
		r := request(t, "GET", "/", "", "")
		sign(t, r, longTerm, hexSHA(""), when)
		for _, clock := range []int{-2, 0, 2} {
			if got := verdict(t, v, wire(t, r), nil, when.Add(time.Duration(clock)*time.Second).UnixNano()); got != "ok" {
				t.Errorf("%d by a clock %d seconds off: %s", second, clock, got)
			}
		}
	}
}

func TestSessionToken(t *testing.T) {
	v := newVerifier()
	const expired = "ExpiredTokenException: The security token included in the request is expired"
	send := func(presigned bool) string {
		r := request(t, "GET", "/", "", "")
		if presigned {
			return wire(t, presign(t, r, temporary, hexSHA(""), "604800", at))
		}
		sign(t, r, temporary, hexSHA(""), at)
		return wire(t, r)
	}
	for _, presigned := range []bool{false, true} {
		head := send(presigned)
		if got := verdict(t, v, head, nil, now); got != "ok" {
			t.Error(got)
		}
		other := strings.Replace(head, "FwoGZX", "FwoGZY", 1)
		if got := verdict(t, v, other, nil, now); got != unknownToken {
			t.Errorf("another token: %s", got)
		}
	}
	if got := verdict(t, v, send(true), nil, expiry-1); got != "ok" {
		t.Errorf("just before the end: %s", got)
	}
	if got := verdict(t, v, send(true), nil, expiry); got != expired {
		t.Errorf("at the end: %s", got)
	}

	// A long-term key has none.
	r := request(t, "GET", "/", "X-Amz-Security-Token: a", "")
	sign(t, r, longTerm, hexSHA(""), at)
	if got := verdict(t, v, wire(t, r), nil, now); got != unknownToken {
		t.Errorf("a token for a long-term key: %s", got)
	}
	// Nor is it taken from two places.
	head := strings.Replace(send(true), "\r\nHost", "\r\nX-Amz-Security-Token: "+tempWord+"\r\nHost", 1)
	if got := verdict(t, v, head, nil, now); got != incompleteType+"Request has more than one 'X-Amz-Security-Token' parameter." {
		t.Errorf("two tokens: %s", got)
	}
}
