package telemetry

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func fullRecord() *Record {
	return &Record{
		RequestID:          []byte("c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
		ExtendedRequestID:  []byte("Kz1a2b3c4d5e6f="),
		SourceIP:           []byte("192.0.2.7"),
		APIKeyID:           []byte("k1e2y3i4d5"),
		UserAgent:          []byte(`curl/7.88.1 "quoted"`),
		RequestTime:        1763841600123,
		HTTPMethod:         []byte("GET"),
		Path:               []byte("/prod/pets/7"),
		Protocol:           "HTTP/1.1",
		DomainName:         []byte("a1b2c3d4e5.execute-api.localhost"),
		APIID:              "a1b2c3d4e5",
		Stage:              "prod",
		DeploymentID:       "d1e2f3",
		ResourcePath:       "/pets/{id}",
		TLSVersion:         "TLSv1.3",
		Status:             504,
		ResponseLength:     41,
		ResponseLatency:    29003,
		IntegrationLatency: 29000,
		IntegrationStatus:  200,
		ErrorMessage:       []byte("Endpoint request timed out"),
		ErrorResponseType:  "INTEGRATION_TIMEOUT",
		WebACLARN:          "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/1",
		WAFResponseCode:    WAFAllow,
		WAFStatus:          200,
		WAFLatency:         3,
	}
}

func TestRecordLine(t *testing.T) {
	got := string(fullRecord().appendLine(nil, &clock{}))
	want := `{"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","extendedRequestId":"Kz1a2b3c4d5e6f=",` +
		`"identity.sourceIp":"192.0.2.7","identity.apiKeyId":"k1e2y3i4d5","requestTime":"22/Nov/2025:20:00:00 +0000","requestTimeEpoch":"1763841600123",` +
		`"httpMethod":"GET","resourcePath":"/pets/{id}","path":"/prod/pets/7","protocol":"HTTP/1.1","status":"504",` +
		`"responseLength":"41","responseLatency":"29003","integrationLatency":"29000","integrationStatus":"200",` +
		`"apiId":"a1b2c3d4e5","stage":"prod","domainName":"a1b2c3d4e5.execute-api.localhost",` +
		`"identity.userAgent":"curl/7.88.1 \"quoted\"","error.message":"Endpoint request timed out",` +
		`"error.responseType":"INTEGRATION_TIMEOUT","webaclArn":"arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/1",` +
		`"wafResponseCode":"WAF_ALLOW","waf.status":"200","waf.latency":"3","waf.error":"-","deploymentId":"d1e2f3","tlsVersion":"TLSv1.3"}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestRecordLineWithCertificate(t *testing.T) {
	r := fullRecord()
	r.ClientCert = ClientCert{SubjectDN: `O=Acme\, Inc.,CN=client`, SerialNumber: "1"}
	want := `"tlsVersion":"TLSv1.3","identity.clientCert.subjectDN":"O=Acme\\, Inc.,CN=client",` +
		`"identity.clientCert.issuerDN":"-","identity.clientCert.serialNumber":"1"}` + "\n"
	if got := string(r.appendLine(nil, &clock{})); !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// Further variables come last, in their order, those without a value too.
func TestRecordLineWithContext(t *testing.T) {
	r, keys := fullRecord(), keysOf([]string{"identity.user", "authorizer.claims.email"})
	for _, c := range []struct {
		values [][]byte
		want   string
	}{
		{nil, `"tlsVersion":"TLSv1.3","identity.user":"-","authorizer.claims.email":"-"}`},
		{[][]byte{nil, []byte("a\"b\n@example.com")}, `"tlsVersion":"TLSv1.3","identity.user":"-","authorizer.claims.email":"a\"b\u000a@example.com"}`},
	} {
		r.Context = c.values
		if line := string(r.appendLine(nil, &clock{}, keys...)); !strings.HasSuffix(line, c.want+"\n") {
			t.Errorf("%s does not end with %s", line, c.want)
		}
	}
}

func TestRecordLineWithNothing(t *testing.T) {
	var fields map[string]string
	line := (&Record{IntegrationLatency: -1}).appendLine(nil, &clock{})
	if err := json.Unmarshal(line, &fields); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	for name, value := range fields {
		want := "-"
		switch name {
		case "requestTime":
			want = "01/Jan/1970:00:00:00 +0000"
		case "requestTimeEpoch", "status", "responseLength", "responseLatency":
			want = "0"
		}
		if value != want {
			t.Errorf("%s: got %q, want %q", name, value, want)
		}
	}
}

// A key is there whether or not a web ACL has decided, or could.
func TestRecordLineOfWAF(t *testing.T) {
	for want, r := range map[string]*Record{
		`"webaclArn":"-","wafResponseCode":"-","waf.status":"-","waf.latency":"-","waf.error":"-","deploymentId"`:             {},
		`"webaclArn":"a","wafResponseCode":"-","waf.status":"-","waf.latency":"-","waf.error":"-","deploymentId"`:             {WebACLARN: "a"},
		`"webaclArn":"a","wafResponseCode":"WAF_BLOCK","waf.status":"403","waf.latency":"0","waf.error":"-","deploymentId"`:   {WebACLARN: "a", WAFResponseCode: WAFBlock, WAFStatus: 403},
		`"webaclArn":"a","wafResponseCode":"-","waf.status":"503","waf.latency":"5000","waf.error":"too late","deploymentId"`: {WebACLARN: "a", WAFStatus: 503, WAFLatency: 5000, WAFError: "too late"},
	} {
		if got := string(r.appendLine(nil, &clock{})); !strings.Contains(got, want) {
			t.Errorf("got  %swant %s", got, want)
		}
	}
}

func TestClockFollowsTheSecond(t *testing.T) {
	var c clock
	for _, row := range []struct {
		milliseconds int64
		want         string
	}{
		{1763841599999, "22/Nov/2025:19:59:59 +0000"},
		{1763841600000, "22/Nov/2025:20:00:00 +0000"},
		{1763841600999, "22/Nov/2025:20:00:00 +0000"},
		{1763841599000, "22/Nov/2025:19:59:59 +0000"},
	} {
		if got := string(c.appendTime(nil, row.milliseconds)); got != row.want {
			t.Errorf("%d: got %s, want %s", row.milliseconds, got, row.want)
		}
	}
}

func TestAppendText(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", "-"},
		{"plain", "plain"},
		{`a"b\c`, `a\"b\\c`},
		{"\x00\x1f\n\x7f", `\u0000\u001f\u000a\u007f`},
		{"é€😀", "é€😀"},
		{"\ufffd", "\ufffd"},
		{"a\xffb\xc3", `a\ufffdb\ufffd`},
		{"\xed\xa0\x80", `\ufffd\ufffd\ufffd`}, // a surrogate
		{"\xf0\x9f\x98", `\ufffd\ufffd\ufffd`}, // cut off
	} {
		if got := string(appendString(nil, row.in)); got != row.want {
			t.Errorf("%q: got %s, want %s", row.in, got, row.want)
		}
	}
}

func TestPlainPrefix(t *testing.T) {
	for c := range 256 {
		for at := range 20 { // within the first, second and last bytes
			s := bytes.Repeat([]byte{'~'}, 20)
			s[at] = byte(c)
			want := len(s)
			if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
				want = at
			}
			if got := plainPrefix(s); got != want {
				t.Errorf("byte %#x at %d: got %d, want %d", c, at, got, want)
			}
		}
	}
}

func FuzzAppendText(f *testing.F) {
	f.Add("a\xff\"\\\n€")
	f.Fuzz(func(t *testing.T, in string) {
		line := append(appendString([]byte{'"'}, in), '"')
		var got string
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if !utf8.Valid(line) || strings.ContainsAny(string(line), "\n\r") {
			t.Fatalf("%q: %q is not one line of UTF-8", in, line)
		}
		want := "-"
		if in != "" {
			want = string([]rune(in)) // each bad byte becomes U+FFFD
		}
		if got != want {
			t.Fatalf("%q: got %q, want %q", in, got, want)
		}
	})
}
