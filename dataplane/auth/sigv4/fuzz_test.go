package sigv4

import (
	"strings"
	"testing"
	"time"
)

// FuzzAuthorization: whatever is in Authorization is read or refused, and no
// such text is a signature.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{
		"", "Bearer a", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ,,=",
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64),
		"AWS4-HMAC-SHA256 Credential=/////,SignedHeaders=;;,Signature= ",
	} {
		f.Add(seed)
	}
	v := newVerifier()
	f.Fuzz(func(t *testing.T, value string) {
		r := parse("GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Amz-Date: 20261122T102011Z\r\nAuthorization: " + value + "\r\n\r\n")
		if r == nil {
			t.Skip()
		}
		_, failure := v.Verify(r, host, nil, now)
		if failure == nil {
			t.Fatalf("accepted %q", value)
		}
		if failure.Message == "" || failure.Kind.ErrorType() == "" {
			t.Fatalf("%q: %+v", value, failure)
		}
	})
}

// FuzzVerify: a request is accepted with the signature that the documented steps
// give it. With that signature another request is refused, unless the two differ
// only in ways that are not signed.
func FuzzVerify(f *testing.F) {
	f.Add("/a//b", "b=1&a=%2F&a", "X-A", " a  b ", "/a/b", "a&b=1", "a b")
	f.Add("/%20", "", "x-amz-x", "", "/%2520", "&", ",")
	f.Add("/", "a-=1&a:=1", "Accept", "a\tb", "/", "a:=1&a-=1", "a b")
	v := newVerifier()
	f.Fuzz(func(t *testing.T, path, query, name, value, path2, query2, value2 string) {
		switch strings.ToLower(name) {
		case "host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "content-length", "transfer-encoding":
			t.Skip()
		}
		build := func(path, query, value, authorization string) string {
			return "GET " + path + "?" + query + " HTTP/1.1\r\nHost: " + host + "\r\nX-Amz-Date: 20261122T102011Z\r\n" +
				name + ":" + value + "\r\nAuthorization: " + authorization + "\r\n\r\n"
		}
		sign := func(path, query, value string) string {
			if r := parse(build(path, query, value, "")); r == nil || string(r.Path) != path || string(r.Query) != query || r.Len() != 4 {
				return ""
			}
			for _, b := range []byte(value) { // what strings.Fields takes for white space
				if b >= 0x80 {
					return ""
				}
			}
			fields := []string{"Host: " + host, "X-Amz-Date: 20261122T102011Z", name + ":" + value}
			return documented("GET", path, query, fields, hexSHA(""), "20261122T102011Z")
		}
		first, second := sign(path, query, value), sign(path2, query2, value2)
		if first == "" || second == "" {
			t.Skip()
		}
		if got := verdict(t, v, build(path, query, value, first), nil, now); got != "ok" {
			t.Fatalf("%s\n%s", got, build(path, query, value, first))
		}
		got := verdict(t, v, build(path2, query2, value2, first), nil, now)
		if (got == "ok") != (first == second) {
			t.Fatalf("%s\n%s\nis signed as\n%s", got, build(path2, query2, value2, first), build(path, query, value, first))
		}
	})
}

// FuzzHead: nothing that can be parsed makes the verifier fail otherwise than by
// refusing.
func FuzzHead(f *testing.F) {
	r := request(f, "GET", "/prod/a%20b?a=1&b", "X-Custom: 1", "")
	sign(f, r, temporary, hexSHA(""), at)
	f.Add(wire(f, r))
	f.Add(wire(f, presign(f, request(f, "GET", "/prod?a=b", "", ""), longTerm, hexSHA(""), "60", at)))
	v := newVerifier(func(c *Config) { c.JoinSlashes, c.AllowUnsignedPayload = true, true })
	f.Fuzz(func(t *testing.T, head string) {
		r := parse(head)
		if r == nil {
			t.Skip()
		}
		id, failure := v.Verify(r, host, nil, now)
		if got := outcome(id, failure); got == "nobody" || got == "an identity beside a failure" {
			t.Fatalf("%s: %q", got, head)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	v := newVerifier()
	done := make(chan string)
	for worker := range 8 {
		go func() {
			for i := range 40 {
				when := at.Add(time.Duration(i+worker) * 24 * time.Hour)
				r := request(t, "GET", "/prod?a=b", "", "")
				sign(t, r, longTerm, hexSHA(""), when)
				if _, failure := v.Verify(parse(wire(t, r)), host, nil, when.UnixNano()); failure != nil {
					done <- failure.Message
					return
				}
			}
			done <- ""
		}()
	}
	for range 8 {
		if message := <-done; message != "" {
			t.Error(message)
		}
	}
}
